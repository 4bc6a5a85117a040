#include "connectors/mariadb/binlog/event.h"

#include "connectors/mariadb/binlog/byte_reader.h"
#include "connectors/mariadb/binlog/compression.h"
#include "connectors/mariadb/binlog/crc32.h"

namespace millrace::mariadb {
namespace {

constexpr size_t kHeaderBytes = 19, kChecksumBytes = 4;

EventHeader read_header(const uint8_t* at) {
  EventHeader header;
  header.timestamp_s = static_cast<uint32_t>(read_little(at, 4));
  header.type = static_cast<EventType>(at[4]);
  header.server_id = static_cast<uint32_t>(read_little(at + 5, 4));
  header.length = static_cast<uint32_t>(read_little(at + 9, 4));
  header.next_position = static_cast<uint32_t>(read_little(at + 13, 4));
  header.flags = static_cast<uint16_t>(read_little(at + 17, 2));
  return header;
}

bool checksum_fits(Bytes raw) {
  const size_t covered = raw.size() - kChecksumBytes;
  return crc32_of(raw.first(covered)) == read_little(raw.data() + covered, kChecksumBytes);
}

struct KnownType {
  EventType type;
  std::string_view name;
};
// Also those that no stream of ours should hold, so that a message can name them.
constexpr KnownType kKnownTypes[] = {
    {EventType::kQuery, "QUERY"},
    {EventType::kStop, "STOP"},
    {EventType::kRotate, "ROTATE"},
    {EventType::kIntVar, "INTVAR"},
    {EventType::kRand, "RAND"},
    {EventType::kUserVar, "USER_VAR"},
    {EventType::kFormatDescription, "FORMAT_DESCRIPTION"},
    {EventType::kXid, "XID"},
    {EventType::kTableMap, "TABLE_MAP"},
    {EventType::kWriteRowsV1, "WRITE_ROWS_V1"},
    {EventType::kUpdateRowsV1, "UPDATE_ROWS_V1"},
    {EventType::kDeleteRowsV1, "DELETE_ROWS_V1"},
    {EventType::kIncident, "INCIDENT"},
    {EventType::kHeartbeat, "HEARTBEAT"},
    {EventType::kWriteRowsV2, "WRITE_ROWS"},
    {EventType::kUpdateRowsV2, "UPDATE_ROWS"},
    {EventType::kDeleteRowsV2, "DELETE_ROWS"},
    {EventType::kGtidMySql, "GTID (MySQL)"},
    {EventType::kAnonymousGtidMySql, "ANONYMOUS_GTID"},
    {EventType::kPreviousGtidsMySql, "PREVIOUS_GTIDS"},
    {EventType::kXaPrepare, "XA_PREPARE"},
    {EventType::kAnnotateRows, "ANNOTATE_ROWS"},
    {EventType::kBinlogCheckpoint, "BINLOG_CHECKPOINT"},
    {EventType::kGtid, "GTID"},
    {EventType::kGtidList, "GTID_LIST"},
    {EventType::kStartEncryption, "START_ENCRYPTION"},
    {EventType::kQueryCompressed, "QUERY_COMPRESSED"},
    {EventType::kWriteRowsCompressed, "WRITE_ROWS_COMPRESSED"},
    {EventType::kUpdateRowsCompressed, "UPDATE_ROWS_COMPRESSED"},
    {EventType::kDeleteRowsCompressed, "DELETE_ROWS_COMPRESSED"},
};

constexpr auto kIsKnown = [] {
  struct {
    bool of[256] = {};
  } table;
  for (const KnownType& known : kKnownTypes) table.of[static_cast<uint8_t>(known.type)] = true;
  return table;
}();

}  // namespace

std::string name_of(EventType type) {
  for (const KnownType& known : kKnownTypes) {
    if (known.type == type) return std::string(known.name);
  }
  return "type " + std::to_string(static_cast<int>(type));
}

bool is_known(EventType type) { return kIsKnown.of[static_cast<uint8_t>(type)]; }

Status malformed(const EventHeader& header, std::string_view what) {
  return {Code::kInternal, "binlog event " + name_of(header.type) + " ending at position " +
                               std::to_string(header.next_position) + " (server_id " +
                               std::to_string(header.server_id) + ", time " + std::to_string(header.timestamp_s) +
                               ", " + std::to_string(header.length) + " bytes): " + std::string(what)};
}

Result<Event> parse_event(Bytes raw, bool checksum, bool verify) {
  if (raw.size() < kHeaderBytes) {
    return Status(Code::kInternal,
                  "binlog event of " + std::to_string(raw.size()) + " bytes: shorter than an event's header");
  }
  Event event;
  event.header = read_header(raw.data());
  if (event.header.length != raw.size()) {
    return malformed(event.header, "has " + std::to_string(raw.size()) + " bytes, another number than it says");
  }
  const size_t tail = checksum ? kChecksumBytes : 0;
  if (raw.size() < kHeaderBytes + tail) return malformed(event.header, "no room for a checksum");
  if (checksum && verify && !checksum_fits(raw)) {
    return malformed(event.header,
                     "wrong checksum; the binlog or the network damaged it, or the position that reading began at is "
                     "not the start of an event");
  }
  event.body = raw.subspan(kHeaderBytes, raw.size() - kHeaderBytes - tail);
  return event;
}

Result<Event> EventParser::parse(Bytes raw) {
  if (raw.size() < kHeaderBytes) return parse_event(raw, false, false);
  const auto type = static_cast<EventType>(raw[4]);
  if (type == EventType::kFormatDescription) {
    auto format = parse_format_description(raw);
    if (!format.ok()) return format.status();
    checksum_ = format->checksum;
    server_version_ = format->server_version;
    auto event = parse_event(raw, true, verify_ && checksum_);
    return event;
  }
  if (type == EventType::kRotate && (read_little(raw.data() + 17, 2) & kArtificialEvent) != 0) {
    // Made by the dump thread, also before any FORMAT_DESCRIPTION and between files that differ; only the sum itself
    // tells.
    return parse_event(raw, raw.size() >= kHeaderBytes + kChecksumBytes && checksum_fits(raw), false);
  }
  auto event = parse_event(raw, checksum_, verify_);
  if (event.ok() && !is_known(type) && (event->header.flags & kIgnorableEvent) == 0) {
    return malformed(event->header, "this version does not know the type, and to skip it could lose data");
  }
  return event;
}

Result<RotateEvent> parse_rotate(const Event& event) {
  ByteReader in(event.body);
  RotateEvent rotate;
  rotate.position = in.number(8);
  rotate.file = in.text(in.left());
  if (!in.ok() || rotate.file.empty()) return malformed(event.header, "no file name");
  return rotate;
}

Result<GtidEvent> parse_gtid(const Event& event) {
  ByteReader in(event.body);
  GtidEvent gtid;
  gtid.id.server = event.header.server_id;
  gtid.id.sequence = in.number(8);
  gtid.id.domain = in.u32();
  const uint8_t flags = in.u8();
  gtid.standalone = (flags & 0x01) != 0;
  gtid.transactional = (flags & 0x04) != 0;
  gtid.ddl = (flags & 0x20) != 0;
  gtid.prepared_xa = (flags & 0x40) != 0;
  gtid.completed_xa = (flags & 0x80) != 0;
  if ((flags & 0x02) != 0) in.skip(8);  // id of the group commit
  if (gtid.prepared_xa || gtid.completed_xa) {
    const Bytes xid = in.rest();
    in.skip(4);
    const size_t names = size_t{in.u8()} + in.u8();
    in.skip(names);
    if (in.ok()) gtid.xid = {reinterpret_cast<const char*>(xid.data()), 6 + names};
  }
  if (!in.ok()) return malformed(event.header, "truncated");
  return gtid;
}

Result<GtidList> parse_gtid_list(const Event& event) {
  ByteReader in(event.body);
  const uint32_t count = in.u32() & 0x0FFFFFFF;
  if (!in.ok() || count > in.left() / 16) return malformed(event.header, "truncated");
  GtidList list;
  for (uint32_t i = 0; i < count; ++i) {
    Gtid id;
    id.domain = in.u32();
    id.server = in.u32();
    id.sequence = in.number(8);
    list.set(id);  // of several servers in a domain the last one written stands last
  }
  return list;
}

namespace {

/// Reads the status variables that matter. Their lengths depend on their codes, so an unknown code ends it.
void read_status_variables(Bytes bytes, QueryEvent& query) {
  ByteReader in(bytes);
  while (in.left() > 0 && in.ok()) {
    switch (in.u8()) {
      case 0:  // flags
        in.skip(4);
        break;
      case 1:    // sql_mode
      case 9:    // tables updated by a multi-table statement
      case 129:  // xid
        in.skip(8);
        break;
      case 2:  // catalog, with its final zero
        in.skip(size_t{in.u8()} + 1);
        break;
      case 3:  // auto_increment
        in.skip(4);
        break;
      case 4:
        query.client_charset = in.u16();
        in.skip(4);  // collation_connection, collation_server
        break;
      case 5:  // time zone
      case 6:  // catalog
        in.skip(in.u8());
        break;
      case 7:    // lc_time_names
      case 130:  // more GTID flags
        in.skip(2);
        break;
      case 8:
        query.database_charset = in.u16();
        break;
      case 10:  // master_data_written
        in.skip(4);
        break;
      case 11:  // invoker: user, host
        in.skip(in.u8());
        in.skip(in.u8());
        break;
      case 128:  // microseconds
        in.skip(3);
        break;
      default:
        return;
    }
  }
}

}  // namespace

Result<QueryEvent> parse_query(const Event& event, std::string& inflated) {
  if (inflated.capacity() > kInflatedBytesKept) std::string().swap(inflated);
  ByteReader in(event.body);
  QueryEvent query;
  query.thread_id = in.u32();
  in.skip(4);
  const uint8_t database_size = in.u8();
  query.error = in.u16();
  const uint16_t status_size = in.u16();
  read_status_variables(in.take(status_size), query);
  query.database = in.text(database_size);
  in.skip(1);
  if (!in.ok()) return malformed(event.header, "truncated");
  if (event.header.type != EventType::kQueryCompressed) {
    query.sql = in.text(in.left());
    return query;
  }
  const CompressedBlock block = event_block(in.rest());
  if (block.problem != nullptr) return malformed(event.header, block.problem);
  inflated.resize(block.size);
  if (!inflate(block, reinterpret_cast<uint8_t*>(inflated.data()))) {
    return malformed(event.header, "cannot be decompressed");
  }
  query.sql = inflated;
  return query;
}

Result<FormatDescription> parse_format_description(Bytes raw) {
  auto event = parse_event(raw, false, false);
  if (!event.ok()) return event.status();
  ByteReader in(event->body);
  const uint16_t version = in.u16();
  const std::string_view server = in.text(50);
  in.skip(4);
  const uint8_t header_bytes = in.u8();
  if (!in.ok() || in.left() < 1 + kChecksumBytes) return malformed(event->header, "truncated");
  if (version != 4 || header_bytes != kHeaderBytes) {
    return malformed(event->header, "binlog format " + std::to_string(version) + " is not 4, that of MariaDB");
  }
  FormatDescription format;
  format.server_version = server.substr(0, server.find('\0'));
  const uint8_t algorithm = raw[raw.size() - 1 - kChecksumBytes];
  if (algorithm != 0 && algorithm != 1 && algorithm != 255) {
    return malformed(event->header, "unknown checksum algorithm " + std::to_string(algorithm));
  }
  format.checksum = algorithm == 1;
  return format;
}

Result<HeartbeatEvent> parse_heartbeat(const Event& event) {
  HeartbeatEvent heartbeat;
  heartbeat.file = {reinterpret_cast<const char*>(event.body.data()), event.body.size()};
  heartbeat.position = event.header.next_position;
  return heartbeat;
}

}  // namespace millrace::mariadb
