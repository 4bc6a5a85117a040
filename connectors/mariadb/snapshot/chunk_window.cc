#include "connectors/mariadb/snapshot/chunk_window.h"

namespace millrace::mariadb {

void ChunkWindow::clear() {
  columns_ = 0;
  cells_.clear();
  alive_.clear();
  content_.clear();
  by_key_.clear();
}

void ChunkWindow::add(std::span<const Cell> row, std::string_view key) {
  columns_ = row.size();
  for (Cell cell : row) {
    const bool borrows =
        cell.kind == Cell::Kind::kText || cell.kind == Cell::Kind::kBytes || cell.kind == Cell::Kind::kDecimalText;
    if (borrows) cell.bytes = cell.size == 0 ? "" : content_.copy(cell.text()).data();
    cells_.push_back(cell);
  }
  if (!key.empty()) {
    const auto [at, fresh] = by_key_.try_emplace(std::string(key), alive_.size());
    if (!fresh) {
      alive_[at->second] = false;
      at->second = alive_.size();
    }
  }
  alive_.push_back(true);
}

void ChunkWindow::remove(std::string_view key) {
  const auto at = by_key_.find(std::string(key));
  if (at != by_key_.end()) alive_[at->second] = false;
}

}  // namespace millrace::mariadb
