#include "broker/handlers/admin_apis.h"

#include <array>

#include "broker/handlers/apis.h"

namespace millrace {

std::span<const Api> admin_apis() {
  static const std::array apis = {
      create_topics_api(),
      delete_topics_api(),
      describe_acls_api(),
      create_acls_api(),
      delete_acls_api(),
      describe_configs_api(),
      alter_configs_api(),
      alter_replica_log_dirs_api(),
      describe_log_dirs_api(),
      create_partitions_api(),
      create_delegation_token_api(),
      renew_delegation_token_api(),
      expire_delegation_token_api(),
      describe_delegation_token_api(),
      elect_leaders_api(),
      incremental_alter_configs_api(),
      alter_partition_reassignments_api(),
      list_partition_reassignments_api(),
      describe_client_quotas_api(),
      alter_client_quotas_api(),
      describe_scram_credentials_api(),
      alter_scram_credentials_api(),
      describe_quorum_api(),
      update_features_api(),
      unregister_broker_api(),
      list_config_resources_api(),
  };
  return apis;
}

}  // namespace millrace
