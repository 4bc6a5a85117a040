#include "client/embedded_group_calls.h"

#include <fmt/format.h>

#include <future>

namespace millrace {
namespace {

tl::unexpected<Error> has_members(const std::string& group) {
  return fail(Error{ErrorCode::kConflict,
                    fmt::format("group {} has members: stop its consumers first", group),
                    "org.apache.kafka.common.errors.GroupNotEmptyException",
                    {},
                    {}});
}

bool moved_on(KafkaError error) {
  return error == KafkaError::kUnknownMemberId || error == KafkaError::kIllegalGeneration ||
         error == KafkaError::kFencedInstanceId || error == KafkaError::kRebalanceInProgress;
}

tl::unexpected<Error> other_error(KafkaError error, std::string_view what, const std::string& group) {
  return fail(error_of(error, fmt::format("cannot {} of group {}: {}", what, group, kafka_error_name(error))));
}

}  // namespace

Status commit_and_wait(GroupCoordinator& groups, OffsetCommit request) {
  const GroupIdentity who = request.who;
  std::promise<KafkaError> answered;
  groups.commit(std::move(request), [&](KafkaError error) { answered.set_value(error); });
  const KafkaError error = answered.get_future().get();
  if (error == KafkaError::kNone) return {};
  if (error == KafkaError::kUnknownMemberId && who.member_id.empty()) return has_members(who.group_id);
  if (moved_on(error)) {
    return fail(Error{ErrorCode::kFenced,
                      fmt::format("member {} is no longer in group {}: its partitions belong to others now; join again",
                                  who.member_id, who.group_id),
                      "org.apache.kafka.clients.consumer.CommitFailedException",
                      {},
                      {}});
  }
  return other_error(error, "commit offsets", who.group_id);
}

Status delete_offsets_and_wait(GroupCoordinator& groups, const std::string& group,
                               const std::vector<PartitionKey>& partitions) {
  if (groups.has_members(group)) return has_members(group);
  std::promise<KafkaError> answered;
  groups.delete_offsets(group, partitions,
                        [&](KafkaError error, const std::vector<KafkaError>&) { answered.set_value(error); });
  const KafkaError error = answered.get_future().get();
  if (error == KafkaError::kNone || error == KafkaError::kGroupIdNotFound) return {};
  return other_error(error, "delete offsets", group);
}

Status delete_group_and_wait(GroupCoordinator& groups, const std::string& group) {
  std::promise<KafkaError> answered;
  groups.delete_group(group, [&](KafkaError error) { answered.set_value(error); });
  const KafkaError error = answered.get_future().get();
  if (error == KafkaError::kNone || error == KafkaError::kGroupIdNotFound) return {};
  if (error == KafkaError::kNonEmptyGroup) return has_members(group);
  return other_error(error, "delete the state", group);
}

}  // namespace millrace
