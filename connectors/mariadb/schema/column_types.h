/// The names that MariaDB and its users have for column types, and what Debezium makes of each: the java.sql.Types
/// number and which length and character set a column of it has (recorded in golden cases 010 to 067).
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::mariadb {

struct ColumnType {
  enum class Family : uint8_t { kNumber, kText, kNationalText, kBytes, kLabels, kOther };
  std::string_view name;  ///< as Debezium's typeName, without UNSIGNED and ZEROFILL
  int32_t jdbc_type = 0;
  Family family = Family::kOther;
  uint8_t wire = 0, wire_other = 0;  ///< field types such a column may have in a table map; 0 = any
  int32_t default_length = -1, default_scale = -1;
};

namespace jdbc_types {
inline constexpr int32_t kBit = -7, kTinyint = -6, kSmallint = 5, kInteger = 4, kBigint = -5, kFloat = 6, kReal = 7,
                         kDouble = 8, kNumeric = 2, kDecimal = 3, kChar = 1, kVarchar = 12, kDate = 91, kTime = 92,
                         kTimestamp = 93, kTimestampWithTimezone = 2014, kBinary = -2, kVarbinary = -3, kBlob = 2004,
                         kBoolean = 16, kOther = 1111, kNchar = -15, kNvarchar = -9;
}

/// By its upper-case name with single blanks ("DOUBLE PRECISION"); nullptr for a name that is not known.
const ColumnType* find_column_type(std::string_view name);
/// Of a definition's type_name, which may end in UNSIGNED and ZEROFILL.
const ColumnType* column_type_of(std::string_view type_name);

}  // namespace millrace::mariadb
