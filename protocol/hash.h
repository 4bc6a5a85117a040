/// The hashes that decide where records go: they must equal the Java clients' or keys change partition.
#pragma once

#include <cstdint>

#include "core/bytes.h"

namespace millrace {

/// Murmur2 with Kafka's seed, over the bytes of a record key.
int32_t murmur2(BytesView bytes);

/// The partition Kafka's default partitioner gives a key. `partitions` > 0.
inline int32_t partition_of_key(BytesView key, int32_t partitions) { return (murmur2(key) & 0x7fffffff) % partitions; }

/// Java's String.hashCode of a UTF-8 string: it runs over UTF-16 units.
int32_t java_string_hash(std::string_view utf8);

/// Kafka's Utils.abs: the smallest integer becomes 0.
constexpr int32_t kafka_abs(int32_t value) { return value == INT32_MIN ? 0 : (value < 0 ? -value : value); }

/// The partition of __consumer_offsets (by group id) or __transaction_state (by transactional id). `partitions` > 0.
inline int32_t partition_of_group(std::string_view id, int32_t partitions) {
  return kafka_abs(java_string_hash(id)) % partitions;
}

}  // namespace millrace
