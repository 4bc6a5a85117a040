# The group coordinator.
millrace_library(NAME broker_group
  SRCS group/classic_group.cc group/classic_group_join.cc group/group_offsets.cc group/group_records.cc
    group/offsets_log.cc group/group_coordinator.cc group/group_coordinator_offsets.cc
  DEPS broker core log protocol
  SYSTEM fmt::fmt)
