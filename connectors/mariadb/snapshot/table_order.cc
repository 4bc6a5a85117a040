#include "connectors/mariadb/snapshot/table_order.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace millrace::mariadb {
namespace {

/// String.hashCode(), mixed as a HashMap does. Names beyond ASCII hash by their bytes: only their order differs then.
uint32_t hash_of(const TableId& id) {
  uint32_t hash = 0;
  for (const char c : id.full()) hash = hash * 31 + static_cast<unsigned char>(c);
  return hash ^ (hash >> 16);
}

}  // namespace

void order_as_debezium(std::vector<TableId>& tables) {
  uint32_t buckets = 16;
  while (buckets / 4 * 3 < tables.size()) buckets *= 2;
  std::stable_sort(tables.begin(), tables.end(), [&](const TableId& a, const TableId& b) {
    return (hash_of(a) & (buckets - 1)) < (hash_of(b) & (buckets - 1));
  });
}

}  // namespace millrace::mariadb
