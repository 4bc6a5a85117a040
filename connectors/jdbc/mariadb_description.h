/// Columns of a MariaDB result: how they become fields of a record.
#pragma once

#include <mysql.h>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

/// How a column's bytes become a value.
enum class MariaDbDecode : uint8_t {
  kInt,
  kUnsigned64,
  kBoolean,
  kBit,
  kBitBoolean,
  kFloat,
  kDouble,
  kDecimal,
  kText,
  kDate,
  kTime,
  kTimestamp,
  kYear
};

struct MariaDbColumn {
  MariaDbDecode decode = MariaDbDecode::kText;
  mr_kind kind = MR_STRING;
  int scale = 0;
};

/// Choice of type by URL scheme, because that used to select the driver and so what consumers of the topic see.
struct MariaDbTypes {
  bool tiny_is_bit, bit_is_boolean, tiny_is_boolean, year_is_date;
  explicit MariaDbTypes(const JdbcUrl& url) {
    const bool mariadb = url.scheme == Scheme::kMariaDb;
    tiny_is_bit = url.flag("tinyint1isbit", true);
    const bool transformed = url.flag("transformedbitisboolean", mariadb);
    bit_is_boolean = mariadb && transformed;
    tiny_is_boolean = tiny_is_bit && transformed;
    year_is_date = url.flag("yearisdatetype", true);
  }
};

/// Fills in `column`, and `decoder` with what its values need.
void describe(const MYSQL_FIELD& field, const MariaDbTypes& types, TimestampGranularity granularity,
              ResultColumn& column, MariaDbColumn& decoder);

}  // namespace millrace::jdbc
