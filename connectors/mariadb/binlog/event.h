/// A binlog event as bytes: header, body, checksum. Source: MariaDB Knowledge Base, "Replication protocol"; reference
/// mariadb-cdc section 5. Pure functions over borrowed bytes; no byte of a hostile server makes them read outside.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "connectors/mariadb/binlog/gtid.h"

namespace millrace::mariadb {

using Bytes = std::span<const uint8_t>;

enum class EventType : uint8_t {
  kQuery = 2,
  kStop = 3,
  kRotate = 4,
  kIntVar = 5,
  kRand = 13,
  kUserVar = 14,
  kFormatDescription = 15,
  kXid = 16,
  kTableMap = 19,
  kWriteRowsV1 = 23,
  kUpdateRowsV1 = 24,
  kDeleteRowsV1 = 25,
  kIncident = 26,
  kHeartbeat = 27,
  kWriteRowsV2 = 30,
  kUpdateRowsV2 = 31,
  kDeleteRowsV2 = 32,
  kGtidMySql = 33,
  kAnonymousGtidMySql = 34,
  kPreviousGtidsMySql = 35,
  kXaPrepare = 38,
  kAnnotateRows = 160,
  kBinlogCheckpoint = 161,
  kGtid = 162,
  kGtidList = 163,
  kStartEncryption = 164,
  kQueryCompressed = 165,
  kWriteRowsCompressed = 166,
  kUpdateRowsCompressed = 167,
  kDeleteRowsCompressed = 168,
};
inline constexpr uint16_t kArtificialEvent = 0x20, kIgnorableEvent = 0x80;

struct EventHeader {
  uint32_t timestamp_s = 0;  ///< 0 for artificial events
  EventType type{};
  uint32_t server_id = 0;
  uint32_t length = 0;         ///< of the whole event, header and checksum included
  uint32_t next_position = 0;  ///< of the event after this one, modulo 2^32; 0 for artificial ones
  uint16_t flags = 0;
};

/// An event; `body` excludes header and checksum and is borrowed.
struct Event {
  EventHeader header;
  Bytes body;
};

/// "TABLE_MAP" and so on, as the server names it; "type 99" for what nobody knows.
std::string name_of(EventType type);
bool is_known(EventType type);

/// kInternal: "binlog event TABLE_MAP ending at position 1234 (time 17…): <what>".
Status malformed(const EventHeader& header, std::string_view what);

/// Splits one event. With `checksum` its last four bytes are a CRC-32 over the rest, which is verified when `verify`.
/// kInternal: truncated, wrong length, wrong checksum; the message names type and position.
Result<Event> parse_event(Bytes raw, bool checksum, bool verify);

/// Parses the events of one stream, of which only the FORMAT_DESCRIPTION says whether the others carry checksums.
/// Threads: one.
class EventParser {
 public:
  explicit EventParser(bool verify_checksums = true) : verify_(verify_checksums) {}
  /// As parse_event. A type that nobody knows is an error unless the server marks it as ignorable: to skip it could be
  /// to lose rows.
  Result<Event> parse(Bytes raw);
  /// Of the server that wrote the file; empty before the first FORMAT_DESCRIPTION.
  const std::string& server_version() const { return server_version_; }

 private:
  bool verify_, checksum_ = false;
  std::string server_version_;
};

struct RotateEvent {
  uint64_t position = 4;
  std::string_view file;
};
Result<RotateEvent> parse_rotate(const Event& event);

struct GtidEvent {
  Gtid id;
  bool standalone = false, transactional = false, ddl = false, prepared_xa = false, completed_xa = false;
  std::string_view xid;  ///< of prepared and completed XA: format id, gtrid and bqual as they stand in the event
};
Result<GtidEvent> parse_gtid(const Event& event);
Result<GtidList> parse_gtid_list(const Event& event);

struct QueryEvent {
  uint32_t thread_id = 0;
  uint16_t error = 0;
  std::string_view database;
  std::string_view sql;         ///< in the client's character set; inflated into the parser's buffer when compressed
  uint16_t client_charset = 0;  ///< collation id of character_set_client (status variable 4); 0 = not said
  uint16_t database_charset =
      0;  ///< collation id of the database when it is not the session's (status variable 8); 0 = not said
};
/// `inflated` keeps the text of a compressed query; it must outlive the result. What a huge one took is given back by
/// the next call.
Result<QueryEvent> parse_query(const Event& event, std::string& inflated);

struct FormatDescription {
  std::string_view server_version;
  bool checksum = false;
};
Result<FormatDescription> parse_format_description(Bytes raw);

struct HeartbeatEvent {
  std::string_view file;
  uint64_t position = 0;
};
Result<HeartbeatEvent> parse_heartbeat(const Event& event);

}  // namespace millrace::mariadb
