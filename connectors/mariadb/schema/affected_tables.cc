#include "connectors/mariadb/schema/affected_tables.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace millrace::mariadb {
namespace {

/// String.hashCode over the UTF-16 units of UTF-8 text, mixed as HashMap does.
uint32_t java_hash(std::string_view text) {
  uint32_t hash = 0;
  const auto unit = [&hash](uint32_t value) { hash = 31 * hash + value; };
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t point = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (size_t k = 1; k < length && i + k < text.size(); ++k)
      point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    i += length;
    if (point < 0x10000) {
      unit(point);
    } else {
      unit(0xD800 + ((point - 0x10000) >> 10));
      unit(0xDC00 + ((point - 0x10000) & 0x3FF));
    }
  }
  return hash ^ hash >> 16;
}

}  // namespace

std::string affected_tables(const std::vector<TableId>& ids) {
  std::vector<TableId> set;
  for (const TableId& id : ids)
    if (std::find(set.begin(), set.end(), id) == set.end()) set.push_back(id);
  uint32_t buckets = 16;
  while (set.size() > buckets / 4 * 3) buckets *= 2;
  std::stable_sort(set.begin(), set.end(), [buckets](const TableId& a, const TableId& b) {
    return (java_hash(a.full()) & (buckets - 1)) < (java_hash(b.full()) & (buckets - 1));
  });
  std::string names;
  for (const TableId& id : set) names += (names.empty() ? "" : ",") + id.table;
  return names;
}

}  // namespace millrace::mariadb
