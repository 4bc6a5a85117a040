// XA transactions: their rows reach the binlog when they are prepared, before anyone knows whether they will be
// committed. They are passed over then, their place is kept in the offset, and XA COMMIT reads them again from the log.
#include <nlohmann/json.hpp>
#include <utility>

#include "connectors/mariadb/capture/streaming.h"

namespace millrace::mariadb {
namespace {

constexpr std::string_view kPreparedKey = "millrace_prepared_xa";

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<uint8_t>(c) >> 4];
    text += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return text;
}

}  // namespace

void Streaming::defer_prepared() {
  deferring_ = true;
  SourceOffset place;
  place.file = offset_.current.file;
  place.position = offset_.current.position;
  prepared_[hex(xid_)] = std::move(place);
  remember_prepared();
}

void Streaming::remember_prepared() {
  if (prepared_.empty()) {
    offset_.current.extra.erase(kPreparedKey);
    return;
  }
  nlohmann::json places = nlohmann::json::object();
  for (const auto& [xid, place] : prepared_) places[xid] = {place.file, place.position};
  offset_.current.extra.set(kPreparedKey, places.dump());
}

void Streaming::recall_prepared() {
  prepared_.clear();
  const auto places = nlohmann::json::parse(offset_.current.extra.get(kPreparedKey), nullptr, false);
  if (!places.is_object()) return;
  for (const auto& [xid, place] : places.items()) {
    if (!place.is_array() || place.size() != 2 || !place[0].is_string() || !place[1].is_number_unsigned()) continue;
    prepared_[xid].file = place[0];
    prepared_[xid].position = place[1];
  }
}

Status Streaming::on_xa_outcome(const Event& event, std::string_view sql) {
  if (!gtid_event_.completed_xa) return sdk::ok();  // XA START and XA END of a group
  const auto found = prepared_.find(hex(xid_));
  if (found != prepared_.end()) {
    Status replayed = sdk::ok();
    if (sql.starts_with("XA COMMIT") && !(skip_events_ > 0)) replayed = replay_prepared(found->second);
    if (replayed.code() == Code::kUnavailable || replayed.code() == Code::kStopped) return replayed;
    // Also when it cannot be read: event.processing.failure.handling.mode may pass over it, and nothing asks for it
    // again.
    prepared_.erase(found);
    remember_prepared();
    if (!replayed.ok()) return replayed;
  } else if (sql.starts_with("XA COMMIT")) {
    context_.warn("GTID " + gtid_text_ +
                  " commits an XA transaction that was prepared before this connector began to read: "
                  "its rows are not in the stream; read its tables again with an incremental snapshot");
  }
  return end_transaction(event);
}

Status Streaming::replay_prepared(const SourceOffset& place) {
  ConnectionOptions options = config_.connection;
  options.initial_statements.clear();
  auto connection = Connection::open(options);
  if (!connection.ok()) return connection.status();
  StreamStart start;
  start.file = place.file;
  start.position = place.position;
  StreamOptions stream = config_.stream;
  stream.server_id += kReplayServerIdOffset;
  auto transport = open_transport(std::move(*connection), start, stream);
  if (!transport.ok()) return transport.status();

  EventParser parser;
  offset_.current.rows = 0;
  replaying_ = true;
  const std::string file = std::exchange(file_, place.file);  // the rows' source block tells where they stand
  Status status = sdk::ok();
  for (bool ended = false; status.ok() && !ended;) {
    auto raw = (*transport)->fetch();
    if (!raw.ok()) {
      status = raw.status();
      break;
    }
    auto event = parser.parse(*raw);
    if (!event.ok()) {
      status = event.status();
    } else if (event->header.type == EventType::kTableMap) {
      status = on_table_map(*event);
    } else if (event->header.type >= EventType::kWriteRowsV1 && event->header.type <= EventType::kDeleteRowsV1) {
      status = on_rows(*event);
    } else if (event->header.type >= EventType::kWriteRowsCompressed &&
               event->header.type <= EventType::kDeleteRowsCompressed) {
      status = on_rows(*event);
    }
    ended = event.ok() && event->header.type == EventType::kXaPrepare;
  }
  replaying_ = false;
  file_ = file;
  if (status.ok() || status.code() == Code::kUnavailable || status.code() == Code::kStopped) return status;
  return {status.code(), "the rows of an XA transaction that " + gtid_text_ + " commits, prepared at " + place.file +
                             ":" + std::to_string(place.position) + ", cannot be read again: " + status.message()};
}

}  // namespace millrace::mariadb
