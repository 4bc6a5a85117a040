/// The coordinator's calls as a thread of this process makes them: waiting for the answer, errors as values.
#pragma once

#include "broker/group/group_coordinator.h"
#include "core/error.h"

namespace millrace {

/// Durable when it returns. Errors: kFenced (CommitFailedException) when the group has moved on, kConflict
/// (GroupNotEmptyException) for a commit from outside while the group has members, kUnavailable.
Status commit_and_wait(GroupCoordinator& groups, OffsetCommit request);
/// Unknown groups are no error. kConflict while members subscribe to a topic.
Status delete_offsets_and_wait(GroupCoordinator& groups, const std::string& group,
                               const std::vector<PartitionKey>& partitions);
/// Unknown groups are no error; kConflict while the group has members.
Status delete_group_and_wait(GroupCoordinator& groups, const std::string& group);

}  // namespace millrace
