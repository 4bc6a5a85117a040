#include "connectors/jdbc/postgres_columns.h"

#include "connectors/jdbc/postgres_values.h"
#include "connectors/jdbc/timestamp_form.h"

namespace millrace::jdbc {
namespace {

constexpr std::string_view kDecimalName = "org.apache.kafka.connect.data.Decimal";
constexpr std::string_view kDateName = "org.apache.kafka.connect.data.Date";
constexpr std::string_view kTimeName = "org.apache.kafka.connect.data.Time";
constexpr int kUnconstrainedScale = 127;

/// OIDs of the types that records can hold (pg_type.dat; they never change).
enum TypeOid : uint32_t {
  kBool = 16,
  kBytea = 17,
  kChar = 18,
  kName = 19,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kTextOid = 25,
  kOid = 26,
  kJson = 114,
  kXml = 142,
  kFloat4 = 700,
  kFloat8 = 701,
  kUnknown = 705,
  kMoney = 790,
  kBpchar = 1042,
  kVarchar = 1043,
  kDateOid = 1082,
  kTimeOid = 1083,
  kTimestampOid = 1114,
  kTimestamptz = 1184,
  kTimetz = 1266,
  kBit = 1560,
  kNumeric = 1700,
  kUuidOid = 2950,
  kJsonb = 3802
};

mr_kind integer_kind(int digits) {
  return digits > 9 ? MR_INT64 : digits > 4 ? MR_INT32 : digits > 2 ? MR_INT16 : MR_INT8;
}

void describe_numeric(int modifier, NumericMapping mapping, ResultColumn& column, PgColumn& decoder) {
  int precision = 0, scale = 0;
  const bool constrained = numeric_modifier(modifier, precision, scale);
  // A mapping that would cut the fractions of an unconstrained numeric, as the original does, helps nobody.
  const bool real = mapping != NumericMapping::kNone && mapping != NumericMapping::kPrecisionOnly && scale > 0 &&
                    (precision <= 18 || mapping == NumericMapping::kBestFitEagerDouble);
  const int digits = precision - std::min(scale, 0);
  const bool whole = constrained && mapping != NumericMapping::kNone && digits <= 18 &&
                     (scale == 0 || (scale < 0 && mapping != NumericMapping::kPrecisionOnly));
  if (whole) {
    decoder.decode = PgDecode::kNumericInt;
    column.type = integer_kind(digits);
  } else if (real || (!constrained && mapping != NumericMapping::kNone)) {
    decoder.decode = PgDecode::kNumericDouble;
    column.type = MR_FLOAT64;
  } else {
    decoder.decode = PgDecode::kDecimal;
    decoder.scale = constrained ? scale : kUnconstrainedScale;
    column.type = MR_BYTES;
    column.logical = kDecimalName;
    column.scale = decoder.scale;
    column.precision = precision;
  }
}

void describe_bits(int count, ResultColumn& column, PgColumn& decoder) {
  column.type = count == 1 ? MR_BOOLEAN : count > 1 && count <= 8 ? MR_INT8 : MR_BYTES;
  decoder.decode = count == 1               ? PgDecode::kBitBoolean
                   : column.type == MR_INT8 ? PgDecode::kBitNumber
                                            : PgDecode::kBitText;
}

}  // namespace

void describe_column(uint32_t type, int modifier, const ReadOptions& options, ResultColumn& column, PgColumn& decoder) {
  const auto is = [&](mr_kind kind, PgDecode decode, std::string_view logical = {}) {
    column.type = kind;
    column.logical = logical;
    decoder.decode = decode;
  };
  switch (type) {
    case kBool:
      is(MR_BOOLEAN, PgDecode::kBoolean);
      break;
    case kInt2:
      is(MR_INT16, PgDecode::kInt16);
      break;
    case kInt4:
      is(MR_INT32, PgDecode::kInt32);
      break;
    case kInt8:
      is(MR_INT64, PgDecode::kInt64);
      break;
    case kOid:
      is(MR_INT64, PgDecode::kUnsigned32);
      break;
    case kFloat4:
      is(MR_FLOAT32, PgDecode::kFloat);
      break;
    case kFloat8:
      is(MR_FLOAT64, PgDecode::kDouble);
      break;
    case kMoney:
      is(MR_FLOAT64, PgDecode::kMoney);
      break;
    case kNumeric:
      describe_numeric(modifier, options.numeric, column, decoder);
      break;
    case kBit:
      describe_bits(modifier, column, decoder);
      break;
    case kBytea:
      is(MR_BYTES, PgDecode::kText);
      break;
    case kChar:
      is(MR_STRING, PgDecode::kCharacter);
      break;
    case kName:
    case kTextOid:
    case kJson:
    case kXml:
    case kUnknown:
    case kBpchar:
    case kVarchar:
      is(MR_STRING, PgDecode::kText);
      break;
    case kJsonb:
      is(MR_STRING, PgDecode::kVersionedText);
      break;
    case kUuidOid:
      is(MR_STRING, PgDecode::kUuid);
      break;
    case kDateOid:
      is(MR_INT32, PgDecode::kDate, kDateName);
      break;
    case kTimeOid:
      is(MR_INT32, PgDecode::kTime, kTimeName);
      break;
    case kTimetz:
      is(MR_INT32, PgDecode::kTimeZoned, kTimeName);
      break;
    case kTimestampOid:
    case kTimestamptz:
      decoder.decode = type == kTimestampOid ? PgDecode::kTimestamp : PgDecode::kTimestampZoned;
      describe_timestamp(options.granularity, column);
      break;
    default:
      decoder.decode = PgDecode::kSkipped;
      break;
  }
  decoder.kind = column.type;
}

}  // namespace millrace::jdbc
