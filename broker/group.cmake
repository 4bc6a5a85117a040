# The group coordinator.
millrace_library(NAME broker_group
  SRCS group/classic_group.cc group/classic_group_join.cc group/group_offsets.cc group/group_records.cc
    group/offsets_log.cc group/group_coordinator.cc group/group_coordinator_offsets.cc
  DEPS broker core log protocol
  SYSTEM fmt::fmt)
millrace_library(NAME broker_handlers_group COLD
  SRCS handlers/group_apis.cc handlers/delete_groups.cc handlers/describe_groups.cc handlers/heartbeat.cc
    handlers/join_group.cc handlers/leave_group.cc handlers/list_groups.cc handlers/offset_commit.cc
    handlers/offset_delete.cc handlers/offset_fetch.cc handlers/sync_group.cc handlers/txn_offset_commit.cc
  DEPS broker broker_group broker_security broker_server broker_transaction core protocol)
millrace_test(NAME broker_group SRCS group/group_coordinator_test.cc group/group_simulation_test.cc DEPS broker_group)
millrace_test(NAME golden.kafka-groups SRCS group/golden_group_test.cc DEPS broker_group
  SYSTEM nlohmann_json::nlohmann_json LABELS golden)
