/// The APIs of the admin handlers, each in the file of its name; admin_apis.cc lists them.
#pragma once

#include "broker/server/api.h"

namespace millrace {

Api create_topics_api();
Api delete_topics_api();
Api create_partitions_api();
Api describe_configs_api();
Api alter_configs_api();
Api incremental_alter_configs_api();
Api describe_log_dirs_api();
Api alter_replica_log_dirs_api();
Api elect_leaders_api();
Api alter_partition_reassignments_api();
Api list_partition_reassignments_api();
Api describe_acls_api();
Api create_acls_api();
Api delete_acls_api();
Api describe_client_quotas_api();
Api alter_client_quotas_api();
Api describe_scram_credentials_api();
Api alter_scram_credentials_api();
Api describe_quorum_api();
Api update_features_api();
Api list_config_resources_api();
Api unregister_broker_api();
Api create_delegation_token_api();
Api renew_delegation_token_api();
Api expire_delegation_token_api();
Api describe_delegation_token_api();

}  // namespace millrace
