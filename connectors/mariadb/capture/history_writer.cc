#include "connectors/mariadb/capture/history_writer.h"

#include <chrono>

namespace millrace::mariadb {
namespace {

constexpr int64_t kTryAgainMs = 60'000;

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

HistoryPosition position_of(const SourceOffset& offset) {
  HistoryPosition position;
  position.ts_sec = offset.time_s;
  position.file = offset.file;
  position.pos = offset.position;
  position.gtids = offset.gtids.text();
  position.server_id = offset.server_id;
  position.event = static_cast<int64_t>(offset.events);
  position.row = static_cast<int64_t>(offset.rows);
  position.snapshot = offset.snapshot;
  return position;
}

}  // namespace

HistoryWriter::HistoryWriter(sdk::SourceContext& context, HistoryOptions options, std::string topic_prefix)
    : context_(context), options_(std::move(options)), topic_prefix_(std::move(topic_prefix)) {
  for (const std::string& warning : options_.warnings) context_.warn(warning);
}

HistoryStore* HistoryWriter::store() {
  if (store_ == nullptr && now_ms() >= next_try_ms_) {
    auto opened = HistoryStore::open(options_);
    if (opened.ok()) {
      store_ = std::move(*opened);
    } else {
      lost(opened.status());
    }
  }
  return store_.get();
}

void HistoryWriter::lost(const Status& why) {
  store_.reset();
  next_try_ms_ = now_ms() + kTryAgainMs;
  context_.warn(
      "the schema history cannot be reached; changes go on without it, but Debezium could not take over from it: " +
      why.message());
}

void HistoryWriter::record(const SchemaChange& change, const SourceOffset& offset) {
  HistoryStore* to = store();
  if (to == nullptr) {
    ++missed_;
    return;
  }
  HistoryRecord record;
  record.server = topic_prefix_;
  record.position = position_of(offset);
  record.ts_ms = now_ms();
  record.change = change;
  if (Status s = to->append(record); !s.ok()) {
    ++missed_;
    lost(s);
  } else if (missed_ > 0) {
    context_.warn("the schema history can be reached again; it lacks " + std::to_string(missed_) + " statements");
    missed_ = 0;
  }
}

void HistoryWriter::recover(const SourceOffset& offset, SchemaRegistry& registry) {
  HistoryStore* from = store();
  if (from == nullptr) return;
  auto recovered = mariadb::recover(*from, topic_prefix_, position_of(offset), registry);
  if (!recovered.ok()) return lost(recovered.status());
  context_.info("schema history: " + std::to_string(recovered->applied) + " of " + std::to_string(recovered->read) +
                " statements apply");
}

}  // namespace millrace::mariadb
