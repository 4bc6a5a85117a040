# Admin requests: topics, configs, ACLs, quotas, credentials, and what a cluster would be asked about itself.
millrace_library(NAME broker_configs COLD
  SRCS config_catalogue.cc config_definitions.cc
  DEPS broker core
  SYSTEM nlohmann_json::nlohmann_json fmt::fmt)

millrace_library(NAME broker_handlers_admin COLD
  SRCS handlers/acls.cc handlers/admin_apis.cc handlers/admin_common.cc handlers/alter_configs.cc
    handlers/client_quotas.cc handlers/config_changes.cc handlers/config_entries.cc handlers/create_partitions.cc
    handlers/create_topics.cc handlers/delegation_tokens.cc handlers/delete_topics.cc handlers/describe_configs.cc
    handlers/describe_log_dirs.cc handlers/describe_quorum.cc handlers/elect_leaders.cc
    handlers/incremental_alter_configs.cc handlers/list_config_resources.cc handlers/partition_reassignments.cc
    handlers/scram_credentials.cc handlers/unregister_broker.cc handlers/update_features.cc
  DEPS broker broker_configs broker_security broker_server core log protocol
  SYSTEM fmt::fmt)
millrace_test(NAME broker_configs SRCS config_catalogue_test.cc DEPS broker_configs broker_handlers_admin)
