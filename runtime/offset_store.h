/// Where sources stand: source partition → source offset, in Kafka Connect's own offset topic format: key
/// `["<connector>",{partition}]`, value `{offset}`. Keys are compared as bytes, so member order counts.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/value.h"
#include "runtime/offset_file.h"
#include "runtime/topic_store.h"

namespace millrace {

/// JSON text of a map with STRING keys and primitive or null values, members in the map's order.
/// Errors: kBadRecord naming the member that is not primitive.
Expected<std::string> offset_map_to_json(const Value& map);
/// The reverse; whole numbers become INT64.
Expected<OwnedValue> offset_map_from_json(std::string_view json);

/// Threads: any.
class OffsetStore {
 public:
  explicit OffsetStore(std::unique_ptr<TopicStore> topic) : topic_(std::move(topic)) {}

  /// The stored offset map; kind MR_NULL when there is none.
  Expected<OwnedValue> get(const std::string& connector, const Value& partition) const;

  struct Change {
    OwnedValue partition;
    OwnedValue offset;  ///< MR_NULL removes
  };
  /// Durable when it returns.
  Status write(const std::string& connector, const std::vector<Change>& changes);

  /// The entries that write() puts into the topic, for a transaction that writes them together with records.
  Expected<std::vector<TopicStore::Entry>> encode(const std::string& connector,
                                                  const std::vector<Change>& changes) const;
  /// That transaction has been committed.
  void adopt(const std::vector<TopicStore::Entry>& entries) {
    topic_->adopt(entries);
    ++version_;
  }
  const std::string& topic() const { return topic_->topic(); }
  int32_t partitions() const { return topic_->partitions(); }

  /// All partitions of a connector as JSON texts: {"filename":"a.txt"} → {"position":30}.
  std::vector<std::pair<std::string, std::string>> all(const std::string& connector) const;
  /// As write(), from JSON texts; an empty offset removes. A partition equal to a stored one but for member order
  /// replaces that one.
  Status write_json(const std::string& connector, const std::vector<std::pair<std::string, std::string>>& changes);

  /// Takes over entries whose partition has no offset here. The number of those taken.
  Expected<size_t> import(const OffsetEntries& entries);
  /// All there is, by the topic's keys.
  OffsetEntries entries() const;
  /// Another number after each change.
  uint64_t version() const { return version_; }

 private:
  Status write_entries(const std::vector<TopicStore::Entry>& entries);

  std::unique_ptr<TopicStore> topic_;
  std::atomic<uint64_t> version_{1};
};

}  // namespace millrace
