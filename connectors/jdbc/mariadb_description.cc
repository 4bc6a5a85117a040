#include "connectors/jdbc/mariadb_description.h"

#include "connectors/jdbc/timestamp_form.h"

namespace millrace::jdbc {
namespace {

using Decode = MariaDbDecode;

constexpr unsigned kBinaryCharset = 63;
constexpr std::string_view kDecimalName = "org.apache.kafka.connect.data.Decimal";
constexpr std::string_view kDateName = "org.apache.kafka.connect.data.Date";
constexpr std::string_view kTimeName = "org.apache.kafka.connect.data.Time";

void describe_integer(const MYSQL_FIELD& field, const MariaDbTypes& rules, ResultColumn& column,
                      MariaDbColumn& decoder) {
  const bool is_unsigned = (field.flags & UNSIGNED_FLAG) != 0;
  decoder.decode = Decode::kInt;
  switch (field.type) {
    case MYSQL_TYPE_TINY:
      column.type = is_unsigned ? MR_INT16 : MR_INT8;
      if (field.length == 1 && rules.tiny_is_boolean) {
        column.type = MR_BOOLEAN;
        decoder.decode = Decode::kBoolean;
      }
      break;
    case MYSQL_TYPE_SHORT:
      column.type = is_unsigned ? MR_INT32 : MR_INT16;
      break;
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
      column.type = is_unsigned ? MR_INT64 : MR_INT32;
      break;
    default:
      column.type = MR_INT64;
      if (is_unsigned) decoder.decode = Decode::kUnsigned64;
      break;
  }
}

}  // namespace

void describe(const MYSQL_FIELD& field, const MariaDbTypes& rules, TimestampGranularity granularity,
              ResultColumn& column, MariaDbColumn& decoder) {
  column.label.assign(field.name, field.name_length);
  column.optional = (field.flags & NOT_NULL_FLAG) == 0;
  switch (field.type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
      describe_integer(field, rules, column, decoder);
      break;
    case MYSQL_TYPE_BIT:
      decoder.decode = field.length == 1 && rules.bit_is_boolean ? Decode::kBitBoolean : Decode::kBit;
      column.type = decoder.decode == Decode::kBitBoolean ? MR_BOOLEAN : MR_INT8;
      break;
    case MYSQL_TYPE_FLOAT:
      column.type = MR_FLOAT32;
      decoder.decode = Decode::kFloat;
      break;
    case MYSQL_TYPE_DOUBLE:
      column.type = MR_FLOAT64;
      decoder.decode = Decode::kDouble;
      break;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
      column.type = MR_BYTES;
      column.logical = kDecimalName;
      column.scale = static_cast<int>(field.decimals);
      column.precision =
          static_cast<int>(field.length) - (field.decimals > 0 ? 1 : 0) - ((field.flags & UNSIGNED_FLAG) != 0 ? 0 : 1);
      decoder.decode = Decode::kDecimal;
      decoder.scale = column.scale;
      break;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
      column.type = MR_INT32;
      column.logical = kDateName;
      decoder.decode = Decode::kDate;
      break;
    case MYSQL_TYPE_TIME:
      column.type = MR_INT32;
      column.logical = kTimeName;
      decoder.decode = Decode::kTime;
      break;
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
      describe_timestamp(granularity, column);
      decoder.decode = Decode::kTimestamp;
      break;
    case MYSQL_TYPE_YEAR:
      column.type = MR_INT32;
      if (rules.year_is_date) column.logical = kDateName;
      decoder.decode = rules.year_is_date ? Decode::kYear : Decode::kInt;
      break;
    default:
      decoder.decode = Decode::kText;
      column.type = field.charsetnr == kBinaryCharset && field.type != MYSQL_TYPE_NULL ? MR_BYTES : MR_STRING;
      break;
  }
  decoder.kind = column.type;
}

}  // namespace millrace::jdbc
