/// The binlog as a stream of raw events: a replication connection read by a thread of its own into bounded blocks, so
/// that the network and the conversion of rows overlap and a slow log never closes the connection early.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/mariadb/binlog/event.h"
#include "connectors/mariadb/sql/connection.h"

namespace millrace::mariadb {

/// Where to begin: by GTID when `gtids` has a value, else at file and position.
struct StreamStart {
  std::optional<GtidList> gtids;
  std::string file;  ///< empty with position 4 = the oldest file
  uint64_t position = 4;
};

struct StreamOptions {
  uint32_t server_id = 0;
  bool annotate = false;         ///< ask for ANNOTATE_ROWS (include.query)
  int64_t heartbeat_ms = 5'000;  ///< asked of the server; silence of three periods breaks the connection
  int64_t net_write_timeout_s = 0, net_read_timeout_s = 0;  ///< SET on the dump session; 0 = the server's
  size_t queue_bytes_max = 8u << 20;                        ///< read ahead; one larger event is taken alone
};

/// Bytes of a binlog stream. The real one is LibmariadbTransport; tests feed recorded or hostile bytes.
class BinlogTransport {
 public:
  virtual ~BinlogTransport() = default;
  /// The next raw event, without the packet's status byte; borrowed until the next call. Empty span: the server ended
  /// the stream. kUnavailable: connection trouble; kInternal: the server refuses (1236 and the like), with its number
  /// in server_error(). Blocks; interrupt() from another thread makes it return kStopped.
  virtual Result<Bytes> fetch() = 0;
  virtual unsigned server_error() const { return 0; }
  virtual void interrupt() = 0;
};

/// The read timeout of the connection becomes three heartbeats, so that a silent peer is found out. Its events carry
/// checksums whenever the server writes them (EventParser finds out).
/// Opens the dump: session variables, COM_REGISTER_SLAVE not needed, COM_BINLOG_DUMP. Dump errors arrive with the first
/// fetch.
Result<std::unique_ptr<BinlogTransport>> open_transport(std::unique_ptr<Connection> connection,
                                                        const StreamStart& start, const StreamOptions& options);

/// Raw events one after another, in a block of bytes.
class EventBlock {
 public:
  bool next(Bytes& raw);  ///< false at the end; spans live until the stream's next take()
  bool empty() const { return bytes_.empty(); }

 private:
  friend class BinlogStream;
  void append(Bytes raw);
  void clear();
  std::vector<uint8_t> bytes_;  // length u32, event, …
  size_t at_ = 0;
};

/// Threads: one consumer; the reader thread lives from the constructor to the destructor, which interrupts and joins
/// it.
class BinlogStream {
 public:
  BinlogStream(std::unique_ptr<BinlogTransport> transport, size_t queue_bytes_max);
  ~BinlogStream();
  BinlogStream(const BinlogStream&) = delete;
  BinlogStream& operator=(const BinlogStream&) = delete;

  /// All that has been read since the last call, waiting up to `wait_ms` for something. An empty block: nothing came.
  /// What came before a failure is given out before the failure is.
  Result<EventBlock*> take(int64_t wait_ms);
  /// The server's error number after take() failed; 0 = none.
  unsigned server_error() const;
  void interrupt();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::mariadb
