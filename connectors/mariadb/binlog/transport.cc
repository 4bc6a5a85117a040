// The dump over libmariadb, of whose replication API only the bytes are used: its own reading of events is wrong in
// places (reference mariadb-cdc section 6), and it forgets events that it does not know.
#include <mysql.h>
// clang-format off: these two need the first
#include <errmsg.h>
#include <mariadb_rpl.h>
// clang-format on

#include <algorithm>

#include "connectors/mariadb/binlog/byte_reader.h"
#include "connectors/mariadb/binlog/stream.h"

namespace millrace::mariadb {
namespace {

constexpr size_t kHeaderBytes = 19, kLengthAt = 9;
constexpr unsigned kDumpRefused = 1236, kSameServerId = 4052;

/// What to do about a refusal, after the server's own words.
std::string_view advice(unsigned number) {
  switch (number) {
    case kDumpRefused:
      return "; the position asked for is not in the server's binlog (purged, of another server, or damaged): a new "
             "snapshot is needed unless the log can be brought back";
    case kSameServerId:
      return "; another replica or connector uses the same database.server.id: give each its own";
    default:
      return "";
  }
}

class LibmariadbTransport final : public BinlogTransport {
 public:
  explicit LibmariadbTransport(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
  LibmariadbTransport(const LibmariadbTransport&) = delete;
  LibmariadbTransport& operator=(const LibmariadbTransport&) = delete;
  ~LibmariadbTransport() override {
    if (event_ != nullptr) mariadb_free_rpl_event(event_);
    if (rpl_ != nullptr) mariadb_rpl_close(rpl_);
  }

  Status open(const StreamStart& start, const StreamOptions& options);
  Result<Bytes> fetch() override;
  unsigned server_error() const override { return server_error_; }
  void interrupt() override { connection_->interrupt(); }

 private:
  Status set_session(const StreamStart& start, const StreamOptions& options);
  Result<Bytes> without_event();
  Status refused(std::string_view what);

  std::unique_ptr<Connection> connection_;
  MARIADB_RPL* rpl_ = nullptr;
  MARIADB_RPL_EVENT* event_ = nullptr;  // memory is reused from one event to the next
  unsigned server_error_ = 0;
};

Status LibmariadbTransport::set_session(const StreamStart& start, const StreamOptions& options) {
  std::vector<std::string> variables = {
      // Says that we know checksums, also to a server that writes none now: it may begin to at any time.
      "@master_binlog_checksum='CRC32'",
      // Real GTID events instead of replacements for old replicas.
      "@mariadb_slave_capability=4",
      "@master_heartbeat_period=" + std::to_string(std::max<int64_t>(options.heartbeat_ms, 0) * 1'000'000),
  };
  if (options.net_write_timeout_s > 0)
    variables.push_back("SESSION net_write_timeout=" + std::to_string(options.net_write_timeout_s));
  if (options.net_read_timeout_s > 0)
    variables.push_back("SESSION net_read_timeout=" + std::to_string(options.net_read_timeout_s));
  if (start.gtids.has_value()) {
    variables.push_back("@slave_connect_state='" + start.gtids->text() + "'");
    variables.push_back("@slave_gtid_strict_mode=0");
    variables.push_back("@slave_gtid_ignore_duplicates=0");
  }
  std::string sql = "SET ";
  for (const std::string& variable : variables) sql += (sql.size() > 4 ? ", " : "") + variable;
  return connection_->execute(sql);
}

Status LibmariadbTransport::open(const StreamStart& start, const StreamOptions& options) {
  if (options.server_id == 0) return {Code::kInvalidConfig, "database.server.id must be a positive number"};
  if (!start.gtids.has_value() && start.position > UINT32_MAX) {
    return {Code::kInternal, "position " + std::to_string(start.position) + " of binlog file '" + start.file +
                                 "' is beyond 4 GiB, which the protocol cannot say; start by GTID"};
  }
  if (Status s = set_session(start, options); !s.ok()) return s;
  if (options.heartbeat_ms > 0) connection_->set_read_timeout(3 * options.heartbeat_ms);
  rpl_ = mariadb_rpl_init(connection_->handle());
  if (rpl_ == nullptr) return {Code::kInternal, "mariadb_rpl_init failed; is libmariadb of another version installed?"};
  const std::string file = start.gtids.has_value() ? "" : start.file;
  const auto position = static_cast<unsigned long>(start.gtids.has_value() ? 4 : start.position);
  const unsigned flags = options.annotate ? MARIADB_RPL_BINLOG_SEND_ANNOTATE_ROWS : 0;
  mariadb_rpl_optionsv(rpl_, MARIADB_RPL_FILENAME, file.c_str(), file.size());
  mariadb_rpl_optionsv(rpl_, MARIADB_RPL_START, position);
  mariadb_rpl_optionsv(rpl_, MARIADB_RPL_SERVER_ID, options.server_id);
  mariadb_rpl_optionsv(rpl_, MARIADB_RPL_FLAGS, flags);
  if (mariadb_rpl_open(rpl_) != 0) return refused("starting to read the binlog");
  return sdk::ok();
}

Result<Bytes> LibmariadbTransport::fetch() {
  // A number left over from an earlier call would be taken for this one's.
  connection_->handle()->net.last_errno = 0;
  MARIADB_RPL_EVENT* event = mariadb_rpl_fetch(rpl_, event_);
  event_ = event;  // the library frees it before it returns none
  if (event == nullptr) return without_event();
  if (event->raw_data == nullptr || event->raw_data_size < 1 + kHeaderBytes) {
    return Status(Code::kInternal, "reading the binlog: the client library gave an event without its bytes");
  }
  return Bytes(event->raw_data + 1, event->raw_data_size - 1);
}

/// The end of the stream, an error, or an event that the library could not make sense of; that one still stands in its
/// packet, and the decoder must judge it.
Result<Bytes> LibmariadbTransport::without_event() {
  MYSQL* const handle = connection_->handle();
  const unsigned number = mysql_errno(handle);
  const bool from_library = number == 0 || (number >= CR_ERR_BINLOG_UNCOMPRESS && number <= CR_BINLOG_INVALID_FILE);
  const uint8_t* packet = handle->net.read_pos;
  if (!from_library || packet == nullptr) return refused("reading the binlog");
  if (packet[0] == 0) {
    const size_t room = handle->net.buff_end > packet ? static_cast<size_t>(handle->net.buff_end - packet) : 0;
    const size_t length = room > kHeaderBytes ? static_cast<size_t>(read_little(packet + 1 + kLengthAt, 4)) : 0;
    if (length >= kHeaderBytes && length < room) return Bytes(packet + 1, length);
    return Status(Code::kInternal, "reading the binlog: the client library could not read an event: " +
                                       std::string(mariadb_rpl_error(rpl_)));
  }
  if (packet[0] == 0xFE) return Bytes{};
  return refused("reading the binlog");
}

Status LibmariadbTransport::refused(std::string_view what) {
  Status s = connection_->failed(what);
  server_error_ = connection_->last_error();
  if (s.code() == Code::kStopped) return s;
  const std::string message = s.message() + std::string(advice(server_error_));
  // Whatever is no trouble of the connection the server says of the position or the settings, and will say again.
  return {s.code() == Code::kUnavailable ? Code::kUnavailable : Code::kInternal, message};
}

}  // namespace

Result<std::unique_ptr<BinlogTransport>> open_transport(std::unique_ptr<Connection> connection,
                                                        const StreamStart& start, const StreamOptions& options) {
  auto transport = std::make_unique<LibmariadbTransport>(std::move(connection));
  if (Status s = transport->open(start, options); !s.ok()) return s;
  return std::unique_ptr<BinlogTransport>(std::move(transport));
}

}  // namespace millrace::mariadb
