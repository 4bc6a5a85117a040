/// The offset of the next record, as the event writer asks for it. Threads: the task's.
#pragma once

#include <millrace/connector.hpp>

#include <string>
#include <vector>

#include "connectors/mariadb/capture/offset.h"
#include "connectors/mariadb/events/event_writer.h"

namespace millrace::mariadb {

/// The offset of the next record, and its text forms that change only once a transaction.
class OffsetState final : public OffsetProvider {
 public:
  explicit OffsetState(std::string topic_prefix) : topic_prefix_(std::move(topic_prefix)) {
    partition_[0] = sdk::string_value("server");
    partition_[1] = sdk::string_value(topic_prefix_);
  }
  OffsetState(const OffsetState&) = delete;
  OffsetState& operator=(const OffsetState&) = delete;
  mr_value offset(connectors::ByteArena& arena) override {
    ++given_;
    if (extra_version_ != current.extra.version()) render_extra();
    return current.write(arena, gtids_text_, writer == nullptr ? nullptr : writer->transaction(), extra_items_);
  }
  mr_value partition() override { return sdk::map_value(partition_); }
  uint64_t given() const { return given_; }              ///< how many records have been given an offset
  void render() { gtids_text_ = current.gtids.text(); }  ///< after current.gtids changed

  SourceOffset current;
  const EventWriter* writer = nullptr;  ///< whose transaction counts; set once it exists

 private:
  /// What was given last ends here, as its caller asks for the next.
  void render_extra() {
    extra_text_.clear();
    extra_items_.clear();
    for (const auto& [key, value] : current.extra.entries()) {
      extra_items_.push_back(sdk::string_value(extra_text_.copy(key)));
      extra_items_.push_back(sdk::string_value(extra_text_.copy(value)));
    }
    extra_version_ = current.extra.version();
  }

  std::string topic_prefix_, gtids_text_;
  mr_value partition_[2];
  uint64_t given_ = 0;
  connectors::ByteArena extra_text_;
  std::vector<mr_value> extra_items_;
  uint64_t extra_version_ = 0;
};

}  // namespace millrace::mariadb
