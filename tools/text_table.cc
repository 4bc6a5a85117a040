#include "tools/text_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {

std::string TextTable::text(std::string_view separator, size_t width_min) const {
  std::vector<size_t> widths;
  for (const std::string& cell : header_) widths.push_back(std::max(cell.size(), width_min));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    for (size_t i = 0; i < row.size(); ++i) text += fmt::format("{:<{}}{}", row[i], widths[i], separator);
    text += '\n';
  };
  add(header_);
  for (const auto& row : rows_) add(row);
  return text;
}

}  // namespace millrace
