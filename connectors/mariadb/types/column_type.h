/// Which kind of column it is, whatever the DDL called it.
#pragma once

#include <cstdint>
#include <string_view>

#include "connectors/mariadb/binlog/table_map.h"
#include "connectors/mariadb/schema/table_definition.h"

namespace millrace::mariadb {

enum class Family : uint8_t {
  kBoolean,
  kTinyInt,
  kSmallInt,
  kMediumInt,
  kInt,
  kBigInt,
  kFloat,
  kDouble,
  kDecimal,
  kBit,
  kText,
  kBinary,
  kDate,
  kTime,
  kDateTime,
  kTimestamp,
  kYear,
  kEnum,
  kSet,
  kJson,
  kUuid,
  kInet4,
  kInet6,
  kPoint,
  kGeometry,
  kVector,
};

struct ColumnType {
  Family family = Family::kBinary;
  bool is_unsigned = false;
  int32_t length = -1;  ///< as declared, else by the wire; -1 = not known
  int32_t scale = -1;
};

/// The declared type counts; the wire fills what it does not say, and stands in for a type nobody knows.
ColumnType type_of(const ColumnDefinition& column, const WireColumn* wire);

}  // namespace millrace::mariadb
