/// The rows of one chunk, held until the stream has passed the place where they were read. Rows that the stream changes
/// in between are taken out, for their newer state has gone out already. Owns its rows; memory is kept for the next
/// chunk. Threads: the task's.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connectors/common/byte_arena.h"
#include "connectors/mariadb/cell.h"

namespace millrace::mariadb {

class ChunkWindow {
 public:
  void clear();
  /// Copies the row. `key` empty: nothing can take it out. A key seen before replaces its row.
  void add(std::span<const Cell> row, std::string_view key);
  /// The row with this key has been changed in the stream.
  void remove(std::string_view key);
  size_t rows() const { return alive_.size(); }  ///< read, those taken out included
  size_t bytes() const { return cells_.size() * sizeof(Cell) + content_.bytes(); }
  bool alive(size_t row) const { return alive_[row]; }
  std::span<const Cell> row(size_t row) const { return {&cells_[row * columns_], columns_}; }

 private:
  size_t columns_ = 0;
  std::vector<Cell> cells_;
  std::vector<bool> alive_;
  connectors::ByteArena content_;
  std::unordered_map<std::string, size_t> by_key_;
};

}  // namespace millrace::mariadb
