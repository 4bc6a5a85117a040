# The data path over the wire, and the node that holds everything together.
millrace_library(NAME broker_handlers_data
  SRCS handlers/api_versions.cc handlers/data_apis.cc handlers/delete_records.cc handlers/describe_cluster.cc
    handlers/describe_topic_partitions.cc handlers/fetch.cc handlers/fetch_down_convert.cc handlers/fetch_job.cc
    handlers/fetch_session.cc handlers/find_coordinator.cc handlers/list_offsets.cc handlers/metadata.cc
    handlers/offset_for_leader_epoch.cc handlers/produce.cc
  DEPS broker broker_security broker_server broker_transaction core log protocol
  SYSTEM fmt::fmt ZLIB::ZLIB)

millrace_library(NAME broker_node COLD
  SRCS node.cc node_settings.cc handlers/api_table.cc
  DEPS broker broker_configs broker_group broker_handlers_admin broker_handlers_data broker_handlers_group broker_handlers_transaction broker_sasl broker_security broker_server
    broker_transaction core log protocol)

millrace_library(NAME dialogue_testing COLD SRCS dialogue_testing.cc DEPS broker_node protocol_json SYSTEM nlohmann_json::nlohmann_json)
target_compile_definitions(millrace_dialogue_testing PRIVATE MILLRACE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

# One test a recorded dialogue of golden/kafka-dialogue.
millrace_test(NAME golden.kafka-dialogue SRCS golden_dialogue_test.cc DEPS dialogue_testing
  SYSTEM nlohmann_json::nlohmann_json OpenSSL::Crypto LABELS golden)
millrace_test(NAME broker_node SRCS node_settings_test.cc fetch_test.cc DEPS dialogue_testing
  SYSTEM nlohmann_json::nlohmann_json OpenSSL::Crypto)
