/// What PostgreSQL's types become in records.
/// Threads: any (pure).
#pragma once

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

/// How a column's bytes become a value.
enum class PgDecode : uint8_t {
  kSkipped,
  kBoolean,
  kInt16,
  kInt32,
  kInt64,
  kUnsigned32,
  kFloat,
  kDouble,
  kMoney,
  kDecimal,
  kNumericInt,
  kNumericDouble,
  kText,
  kCharacter,
  kVersionedText,
  kUuid,
  kBitBoolean,
  kBitNumber,
  kBitText,
  kDate,
  kTime,
  kTimeZoned,
  kTimestamp,
  kTimestampZoned
};

struct PgColumn {
  PgDecode decode = PgDecode::kText;
  mr_kind kind = MR_STRING;
  int field = 0;  ///< in the result
  int scale = 0;
};

/// Type of a column by the OID and modifier of its type; kSkipped where records have none. An enum is known only to the
/// catalog, so it is kSkipped here.
void describe_column(uint32_t type, int modifier, const ReadOptions& options, ResultColumn& column, PgColumn& decoder);

}  // namespace millrace::jdbc
