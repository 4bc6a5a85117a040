/// Where an incremental snapshot reads from and writes its marks to: a server, or a test's stand-in.
/// Threads: the task's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/mariadb/binlog/gtid.h"
#include "connectors/mariadb/cell.h"
#include "connectors/mariadb/schema/table_definition.h"
#include "connectors/mariadb/sql/connection.h"

namespace millrace::mariadb {

struct ChunkRequest {
  const TableDefinition* table = nullptr;
  std::vector<std::string> key;  ///< columns; empty = the whole table in no order
  bool unique = true;            ///< false: rows may share a key, and it may be NULL
  std::string after, up_to;      ///< keys, JSON arrays; empty = open end
  std::string filter;            ///< an SQL condition of the user; empty = none
  uint64_t limit = 0;            ///< rows; 0 = all
};

class ChunkSource {
 public:
  using RowSink = std::function<Status(std::span<const Cell>)>;
  virtual ~ChunkSource() = default;
  /// Begins a new read view for all that is read until the next one, and tells its place; nothing when the server
  /// cannot tell (MySQL).
  virtual Result<std::optional<GtidList>> open_view() = 0;
  virtual Status close_view() = 0;
  /// Keys as JSON arrays; nothing when there is no row.
  virtual Result<std::optional<std::string>> maximum_key(const ChunkRequest& request) = 0;
  /// The key of the `distance`-th row (from 1).
  virtual Result<std::optional<std::string>> key_at(const ChunkRequest& request, uint64_t distance) = 0;
  /// Gives each row to `sink`, in key order; cells are borrowed for the call. Ends with the sink's first error.
  virtual Status read(const ChunkRequest& request, const RowSink& sink) = 0;
  /// Whether the last failure tells that the table is not what the request says (DDL ran, or is not known yet).
  virtual bool altered() const = 0;
  /// Whether the last failure was the server's answer to a statement: it will say the same again.
  virtual bool refused() const = 0;
  /// Rows of the signal table.
  virtual Status write_mark(const std::string& id, std::string_view type, std::string_view data) = 0;
  virtual Status remove_mark(const std::string& id) = 0;
};

/// Over a connection, which must outlive it and is its alone. `signal_table`: for the marks.
std::unique_ptr<ChunkSource> make_chunk_source(Connection& session, const TableId& signal_table);

}  // namespace millrace::mariadb
