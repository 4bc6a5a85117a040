/// The settings that pick single columns: truncation, masks, hashes, propagated source types, converters. Compiled
/// once; asked once a column and table version.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "connectors/mariadb/cell.h"
#include "connectors/mariadb/config/filters.h"
#include "connectors/mariadb/types/value_options.h"

namespace millrace::mariadb {

/// TinyIntOneToBooleanConverter.
struct BooleanConverter {
  std::optional<RegexList> selector;  ///< nothing = all
  bool length_checker = true;         ///< only TINYINT(1)
};
/// JdbcSinkDataTypesConverter; an empty selector picks nothing.
struct JdbcSinkConverter {
  RegexList boolean, real, string;
  bool real_as_double = true;
};
/// ZeroDateFallbackConverter. Fallbacks are kept as readings; nothing = null.
struct ZeroDateConverter {
  enum Type { kDate, kDateTime, kTimestamp, kTypes };
  std::optional<RegexList> selector;
  bool applies[kTypes] = {true, true, true};
  std::optional<WallTime> fallback[kTypes];
  std::vector<std::pair<std::string, std::string>> of_column;  ///< "db.table.column" and its fallback's text
};
using ConverterRule = std::variant<BooleanConverter, JdbcSinkConverter, ZeroDateConverter>;

/// The text of a ZeroDateFallback setting: empty and NULL mean nothing. kInvalidConfig names the key.
connectors::Result<std::optional<WallTime>> parse_zero_date_fallback(std::string_view key, std::string_view text,
                                                                     ZeroDateConverter::Type type);

struct ValueOptions::Rules {
  struct Truncate {
    RegexList columns;
    size_t chars = 0;
  };
  struct Mask {
    RegexList columns;
    size_t chars = 0;
  };
  struct Hash {
    RegexList columns;
    bool plain = false;  ///< v2: over the bytes themselves, not over their Java serialisation
    std::string algorithm, salt;
  };
  std::vector<Truncate> truncates;
  std::vector<Mask> masks;
  std::vector<Hash> hashes;
  RegexList propagate_columns, propagate_types;
  std::vector<ConverterRule> converters;  ///< in the order of `converters`; the first that takes a column has it
};

}  // namespace millrace::mariadb
