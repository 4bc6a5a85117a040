/// Test only: the records of golden/connect-data/transforms.jsonl and debezium-transforms.jsonl.
#pragma once

#include <deque>

#include "converters/golden_case.h"

namespace millrace::golden {

/// What a decoded record borrows; must outlive it.
struct RecordMemory {
  Arena arena;
  std::deque<std::string> texts;
  std::deque<SchemaPtr> schemas;
};

struct GoldenRecord {
  ConnectRecord record;
  std::string unrepresentable;  ///< as GoldenValue's
};

GoldenRecord decode_record(const Json& encoded, RecordMemory& memory);
Json encode_record(const ConnectRecord& record);
/// An encoded record as this data model gives it back, so that numbers compare by value.
Json normalized(const Json& encoded);

}  // namespace millrace::golden
