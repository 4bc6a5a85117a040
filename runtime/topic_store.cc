#include "runtime/topic_store.h"

#include <fmt/format.h>

#include <future>

#include "protocol/hash.h"

namespace millrace {

using namespace std::chrono_literals;

namespace {

/// An existing topic must not lose what is in it, and must keep it where other workers look for it.
Status check_topic(const TopicDescription& topic, const TopicStore::Options& wanted) {
  const std::string named =
      wanted.setting.empty() ? std::string() : fmt::format(" supplied via the '{}' property", wanted.setting);
  const auto policy = topic.configs.find("cleanup.policy");
  if (policy == topic.configs.end() || policy->second != "compact") {
    return fail(
        ErrorCode::kInvalidConfig,
        fmt::format(
            "Topic '{}'{} is required to have 'cleanup.policy=compact' to guarantee consistency and durability of the "
            "worker's state, but it has '{}'. Change the topic's cleanup.policy, or name another topic in the worker's "
            "configuration.",
            wanted.topic, named, policy == topic.configs.end() ? "delete" : policy->second));
  }
  if (wanted.single_partition && topic.partitions != 1) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("Topic '{}'{} is required to have a single partition in order to guarantee consistency of "
                            "connector configurations, but found {} partitions. Name another topic.",
                            wanted.topic, named, topic.partitions));
  }
  return {};
}

}  // namespace

Expected<std::unique_ptr<TopicStore>> TopicStore::open(LogClient& client, Options options) {
  std::unique_ptr<TopicStore> store(new TopicStore(client, std::move(options)));
  const Options& wanted = store->options_;
  std::map<std::string, std::string> configs = wanted.configs;
  configs["cleanup.policy"] = "compact";
  const Status created = client.admin().create_topic({.name = wanted.topic,
                                                      .partitions = wanted.partitions,
                                                      .replication_factor = wanted.replication_factor,
                                                      .configs = std::move(configs)});
  if (!created && created.error().code != ErrorCode::kAlreadyExists) return fail(created.error());
  auto topic = client.admin().describe_topic(wanted.topic);
  if (!topic) return fail(std::move(topic.error()));
  if (auto fits = check_topic(*topic, wanted); !fits) return fail(std::move(fits.error()));
  store->partitions_ = topic->partitions;
  auto producer = client.producer("millrace-" + wanted.topic);
  if (!producer) return fail(std::move(producer.error()));
  store->producer_ = std::move(*producer);
  if (auto read = store->read_to_end(); !read) return fail(std::move(read.error()));
  return store;
}

Status TopicStore::read_to_end() {
  if (auto aborted = client_.admin().abort_transactions_on(options_.topic); !aborted) return aborted;
  auto consumer = client_.consumer({.client_id = "millrace-" + options_.topic, .read_committed = true});
  if (!consumer) return fail(std::move(consumer.error()));
  std::vector<TopicPartition> partitions;
  for (int32_t p = 0; p < partitions_; ++p) {
    const TopicPartition partition{options_.topic, p};
    auto first = client_.admin().earliest_offset(partition);
    auto end = client_.admin().latest_offset(partition);
    if (!first) return fail(std::move(first.error()));
    if (!end) return fail(std::move(end.error()));
    if (*first < *end) partitions.push_back(partition);
  }
  if (partitions.empty()) return {};
  if (auto assigned = (*consumer)->assign(partitions); !assigned) return assigned;
  std::map<TopicPartition, int64_t> ends;
  for (const TopicPartition& partition : partitions) ends[partition] = *client_.admin().latest_offset(partition);
  while (!ends.empty()) {
    auto fetched = (*consumer)->poll(1000ms);
    if (!fetched) return fail(std::move(fetched.error()));
    for (const FetchedPartition& batch : *fetched) {
      for (const RecordView& record : batch.records) {
        if (!record.key) continue;
        if (record.value) {
          entries_[std::string(*record.key)] = *record.value;
        } else {
          entries_.erase(std::string(*record.key));
        }
      }
    }
    std::erase_if(ends, [&](const auto& end) {
      auto position = (*consumer)->position(end.first);
      return position && *position >= end.second;
    });
  }
  return {};
}

std::optional<std::string> TopicStore::get(const std::string& key) const {
  std::lock_guard lock(mutex_);
  const auto at = entries_.find(key);
  if (at == entries_.end()) return std::nullopt;
  return at->second;
}

std::map<std::string, std::string> TopicStore::with_prefix(std::string_view prefix) const {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::string> found;
  for (auto at = entries_.lower_bound(std::string(prefix)); at != entries_.end() && at->first.starts_with(prefix); ++at)
    found.insert(*at);
  return found;
}

Status TopicStore::write(const std::vector<Entry>& entries) {
  if (entries.empty()) return {};
  std::lock_guard one_writer(write_mutex_);
  const int64_t now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  std::map<int32_t, RecordBatchBuilder> batches;
  for (const Entry& entry : entries) {
    batches[partition_of_key(entry.key, partitions_)].append(
        now, BytesView(entry.key), entry.value ? std::optional<BytesView>(*entry.value) : std::nullopt);
  }
  // Each batch reports to a promise of its own; the callbacks run on the client's thread.
  std::vector<std::future<Status>> results;
  for (auto& [partition, batch] : batches) {
    auto promise = std::make_shared<std::promise<Status>>();  // co-owned by the callback
    results.push_back(promise->get_future());
    producer_->send({options_.topic, partition}, std::move(batch), [promise](Expected<int64_t> offset) {
      promise->set_value(offset ? Status{} : Status(fail(std::move(offset.error()))));
    });
  }
  Status outcome;
  for (auto& result : results) {
    if (Status one = result.get(); !one) outcome = std::move(one);
  }
  if (outcome) adopt(entries);
  return outcome;
}

void TopicStore::adopt(const std::vector<Entry>& entries) {
  std::lock_guard lock(mutex_);
  for (const Entry& entry : entries) {
    if (entry.value) {
      entries_[entry.key] = *entry.value;
    } else {
      entries_.erase(entry.key);
    }
  }
}

}  // namespace millrace
