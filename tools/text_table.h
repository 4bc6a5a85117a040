/// Tables of text as Kafka's tools print them: columns as wide as their widest cell.
#pragma once

#include <string>
#include <vector>

namespace millrace {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {}

  /// `row` has as many cells as the header.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }

  /// Cells padded to their column's width, `separator` after each, the last one too: "\t" in kafka-transactions and
  /// kafka-features, " " in kafka-consumer-groups (whose cells are at least `width_min` wide).
  std::string text(std::string_view separator = "\t", size_t width_min = 0) const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace millrace
