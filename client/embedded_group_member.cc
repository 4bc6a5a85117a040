#include "client/embedded_group_member.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "protocol/messages/consumer_protocol.h"

namespace millrace {
namespace {

constexpr std::string_view kProtocolType = "consumer";
constexpr std::string_view kRange = "range";
constexpr int16_t kSubscriptionVersion = 1;
constexpr int16_t kAssignmentVersion = 1;
// How long a poll waits for the leader's assignment to reach the disk before it looks again at its next call.
constexpr std::chrono::milliseconds kSyncPatience{1000};

template <class Message>
std::string encoded(const Message& message, int16_t version) {
  std::string out;
  WireWriter writer(out);
  writer.number(version);
  message.encode(writer, version);
  return out;
}

/// A newer version only adds fields behind those of the newest that is known.
template <class Message>
std::optional<Message> decoded(BytesView bytes) {
  WireReader in(bytes);
  const auto version = in.number<int16_t>();
  Message message;
  if (version >= 0) message.decode(in, std::min(version, Message::kVersionMax));
  if (version < 0 || in.bad()) return std::nullopt;
  return message;
}

std::string encode_assignment(const std::vector<PartitionKey>& partitions) {
  ConsumerProtocolAssignment assignment;
  for (const PartitionKey& each : partitions) {
    if (assignment.assigned_partitions.empty() || assignment.assigned_partitions.back().topic != each.first)
      assignment.assigned_partitions.push_back({each.first, {}});
    assignment.assigned_partitions.back().partitions.push_back(each.second);
  }
  return encoded(assignment, kAssignmentVersion);
}

}  // namespace

std::map<std::string, std::vector<PartitionKey>> assign_range(std::vector<RangeMember> members,
                                                              const std::map<std::string, int32_t>& counts) {
  std::sort(members.begin(), members.end(), [](const RangeMember& a, const RangeMember& b) {
    if (a.instance_id && b.instance_id) return *a.instance_id < *b.instance_id;
    if (a.instance_id.has_value() != b.instance_id.has_value()) return a.instance_id.has_value();
    return a.member_id < b.member_id;
  });
  std::map<std::string, std::vector<PartitionKey>> result;
  for (const RangeMember& member : members) result[member.member_id];
  for (const auto& [topic, partitions] : counts) {
    std::vector<const RangeMember*> readers;
    for (const RangeMember& member : members) {
      if (member.topics.contains(topic)) readers.push_back(&member);
    }
    const auto count = static_cast<int32_t>(readers.size());
    int32_t next = 0;
    for (int32_t i = 0; i < count; ++i) {
      const int32_t share = partitions / count + (i < partitions % count ? 1 : 0);
      for (int32_t k = 0; k < share; ++k)
        result[readers[static_cast<size_t>(i)]->member_id].emplace_back(topic, next++);
    }
  }
  return result;
}

void EmbeddedGroupMember::Mail::notify() {
  arrived.notify_all();
  if (wake) wake();
}

EmbeddedGroupMember::EmbeddedGroupMember(Broker& broker, GroupCoordinator& groups, Identity identity,
                                         GroupSubscription subscription)
    : broker_(broker),
      groups_(groups),
      identity_(std::move(identity)),
      subscription_(std::move(subscription)),
      mail_(std::make_shared<Mail>()) {}

Expected<std::unique_ptr<EmbeddedGroupMember>> EmbeddedGroupMember::join(Broker& broker, GroupCoordinator& groups,
                                                                         Identity identity,
                                                                         GroupSubscription subscription,
                                                                         std::function<void()> wake) {
  std::unique_ptr<EmbeddedGroupMember> member(
      new EmbeddedGroupMember(broker, groups, std::move(identity), std::move(subscription)));
  if (!member->subscription_.pattern.empty()) {
    re2::RE2::Options quiet;
    quiet.set_log_errors(false);
    member->pattern_ = std::make_unique<re2::RE2>(member->subscription_.pattern, quiet);
    if (!member->pattern_->ok()) {
      return fail(ErrorCode::kInvalidConfig, fmt::format("topics.regex {} is no regular expression: {}",
                                                         member->subscription_.pattern, member->pattern_->error()));
    }
  }
  member->mail_->wake = std::move(wake);
  broker.add_listener(member.get());
  member->send_join();
  if (auto taken = member->take_joined(); !taken) return fail(std::move(taken.error()));
  return member;
}

EmbeddedGroupMember::~EmbeddedGroupMember() {
  broker_.remove_listener(this);
  {
    std::lock_guard lock(mail_->mutex);
    mail_->wake = nullptr;
  }
  if (!member_id_.empty()) groups_.leave(identity_.group_id, {{member_id_, {}}});
}

GroupIdentity EmbeddedGroupMember::identity() const { return {identity_.group_id, member_id_, {}, generation_}; }

void EmbeddedGroupMember::on_topics_changed() {
  std::lock_guard lock(mail_->mutex);
  mail_->topics_changed = true;
  mail_->notify();
}

std::set<std::string> EmbeddedGroupMember::wanted_topics() const {
  if (!pattern_) return subscription_.topics;
  std::set<std::string> topics;
  for (const TopicInfo& info : broker_.topics()) {
    if (!info.internal && re2::RE2::FullMatch(info.name, *pattern_)) topics.insert(info.name);
  }
  return topics;
}

std::map<std::string, int32_t> EmbeddedGroupMember::partition_counts(const std::set<std::string>& topics) const {
  std::map<std::string, int32_t> counts;
  for (const std::string& name : topics) {
    if (const auto info = broker_.topic(name)) counts[name] = info->partitions;
  }
  return counts;
}

/// Whether the member has to give up what it has: the group has moved on, or the topics have changed.
bool EmbeddedGroupMember::must_rejoin() {
  bool rebalance = false;
  bool topics_changed = false;
  {
    std::lock_guard lock(mail_->mutex);
    rebalance = std::exchange(mail_->rebalance, false);
    topics_changed = std::exchange(mail_->topics_changed, false);
  }
  // The word may be older than the generation: the coordinator knows.
  if (rebalance && groups_.heartbeat(identity()) != KafkaError::kNone) return true;
  if (!topics_changed) return false;
  if (wanted_topics() != joined_topics_) return true;
  if (!leader_) return false;
  std::set<std::string> all;
  for (const auto& [topic, count] : assigned_of_counts_) all.insert(topic);
  std::map<std::string, int32_t> now;
  for (const auto& [topic, count] : partition_counts(all)) now[topic] = count;
  return std::any_of(assigned_of_counts_.begin(), assigned_of_counts_.end(), [&](const auto& each) {
    const auto found = now.find(each.first);
    return each.second != (found == now.end() ? 0 : found->second);
  });
}

Expected<EmbeddedGroupMember::News> EmbeddedGroupMember::turn() {
  while (true) {
    switch (phase_) {
      case Phase::kMember:
        if (!must_rejoin()) return News{};
        phase_ = Phase::kRevoking;
        return News{News::What::kRevoked, {}};
      case Phase::kRevoking:
      case Phase::kOutside:
        send_join();
        break;
      case Phase::kJoining: {
        auto taken = take_joined();
        if (!taken) return fail(std::move(taken.error()));
        if (!*taken) return News{};
        break;
      }
      case Phase::kSyncing: {
        auto news = take_synced();
        if (news) return std::move(*news);
        break;
      }
    }
  }
}

void EmbeddedGroupMember::send_join() {
  joined_topics_ = wanted_topics();
  ConsumerProtocolSubscription subscription;
  subscription.topics.assign(joined_topics_.begin(), joined_topics_.end());
  GroupJoin request;
  request.group_id = identity_.group_id;
  request.member_id = member_id_;
  request.client_id = identity_.client_id.empty() ? "consumer" : identity_.client_id;
  request.client_host = kInProcessHost;
  request.session_timeout =
      std::clamp(request.session_timeout, groups_.options().session_timeout_min, groups_.options().session_timeout_max);
  // The id is known before the join phase ends, so that the member can leave at any time.
  request.knows_member_id_required = true;
  request.protocol_type = kProtocolType;
  request.protocols = {{std::string(kRange), encoded(subscription, kSubscriptionVersion)}};
  request.on_rebalance = [mail = mail_] {
    std::lock_guard lock(mail->mutex);
    mail->rebalance = true;
    mail->notify();
  };
  {
    std::lock_guard lock(mail_->mutex);
    mail_->joined.reset();
    mail_->synced.reset();
    mail_->rebalance = false;
    mail_->topics_changed = false;
  }
  phase_ = Phase::kJoining;
  groups_.join(std::move(request), [mail = mail_](GroupJoined joined) {
    std::lock_guard lock(mail->mutex);
    mail->joined = std::move(joined);
    mail->notify();
  });
}

/// False when there is nothing to do but wait.
Expected<bool> EmbeddedGroupMember::take_joined() {
  std::optional<GroupJoined> joined;
  {
    std::lock_guard lock(mail_->mutex);
    joined = std::exchange(mail_->joined, std::nullopt);
  }
  if (!joined) return false;
  if (joined->error == KafkaError::kNone) {
    member_id_ = joined->member_id;
    generation_ = joined->generation;
    send_sync(*joined);
    return true;
  }
  phase_ = Phase::kOutside;
  switch (joined->error) {
    case KafkaError::kMemberIdRequired:
      member_id_ = joined->member_id;
      send_join();
      return take_joined();
    case KafkaError::kUnknownMemberId:
    case KafkaError::kFencedInstanceId:
      member_id_.clear();
      return true;
    case KafkaError::kRebalanceInProgress:
      return true;
    case KafkaError::kCoordinatorNotAvailable:
      return false;  // the group is being deleted: the next poll tries again
    default:
      return fail(error_of(joined->error, fmt::format("group {} does not take consumer {}: {}", identity_.group_id,
                                                      identity_.client_id, kafka_error_name(joined->error))));
  }
}

void EmbeddedGroupMember::send_sync(const GroupJoined& joined) {
  leader_ = joined.leader == joined.member_id;
  GroupSync request;
  request.group_id = identity_.group_id;
  request.member_id = member_id_;
  request.generation = generation_;
  request.protocol_type = joined.protocol_type;
  request.protocol = joined.protocol;
  // A member that only asked again gets no list, as a leader that is to skip the assignment.
  if (leader_ && !joined.members.empty() && !joined.skip_assignment) request.assignments = assign(joined.members);
  phase_ = Phase::kSyncing;
  groups_.sync(std::move(request), [mail = mail_](GroupSynced synced) {
    std::lock_guard lock(mail->mutex);
    mail->synced = std::move(synced);
    mail->notify();
  });
}

std::vector<std::pair<std::string, std::string>> EmbeddedGroupMember::assign(
    const std::vector<GroupJoined::Member>& members) {
  std::vector<RangeMember> readers;
  std::set<std::string> topics;
  for (const GroupJoined::Member& each : members) {
    RangeMember reader{each.member_id, each.instance_id, {}};
    if (const auto subscription = decoded<ConsumerProtocolSubscription>(each.metadata))
      reader.topics.insert(subscription->topics.begin(), subscription->topics.end());
    topics.insert(reader.topics.begin(), reader.topics.end());
    readers.push_back(std::move(reader));
  }
  const std::map<std::string, int32_t> counts = partition_counts(topics);
  assigned_of_counts_ = counts;
  for (const std::string& topic : topics) assigned_of_counts_.try_emplace(topic, 0);  // watched for its creation
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto& [member, partitions] : assign_range(std::move(readers), counts))
    result.emplace_back(member, encode_assignment(partitions));
  return result;
}

/// Nothing: go on at once, the phase has changed.
std::optional<EmbeddedGroupMember::News> EmbeddedGroupMember::take_synced() {
  std::optional<GroupSynced> synced;
  {
    std::unique_lock lock(mail_->mutex);
    // The leader's assignment is on its way to the disk: nobody else has to do anything for the answer.
    if (leader_) mail_->arrived.wait_for(lock, kSyncPatience, [&] { return mail_->synced.has_value(); });
    synced = std::exchange(mail_->synced, std::nullopt);
  }
  if (!synced) return News{};
  if (synced->error != KafkaError::kNone) {
    if (synced->error == KafkaError::kUnknownMemberId || synced->error == KafkaError::kFencedInstanceId)
      member_id_.clear();
    phase_ = Phase::kOutside;
    // What could not be stored is tried again by the next poll.
    if (synced->error == KafkaError::kCoordinatorNotAvailable) return News{};
    return std::nullopt;
  }
  phase_ = Phase::kMember;
  News news{News::What::kAssigned, {}};
  const auto assignment = decoded<ConsumerProtocolAssignment>(synced->assignment);
  if (!assignment) return news;  // nothing for this member
  for (const auto& topic : assignment->assigned_partitions) {
    for (const int32_t partition : topic.partitions) news.partitions.emplace_back(std::string(topic.topic), partition);
  }
  return news;
}

}  // namespace millrace
