#include "connectors/jdbc/timestamp_form.h"

#include <charconv>
#include <limits>

namespace millrace::jdbc {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max(), kLeast = std::numeric_limits<int64_t>::min();

/// a * b + c, held at the ends of the range: an infinite timestamp has no number, but must not become a small one.
int64_t scaled(int64_t a, int64_t b, int64_t c) {
  int64_t out = 0;
  if (__builtin_mul_overflow(a, b, &out) || __builtin_add_overflow(out, c, &out)) return a < 0 ? kLeast : kMost;
  return out;
}

}  // namespace

void describe_timestamp(TimestampGranularity granularity, ResultColumn& column) {
  column.timestamp = true;
  switch (granularity) {
    case TimestampGranularity::kConnectLogical:
      column.type = MR_INT64;
      column.logical = "org.apache.kafka.connect.data.Timestamp";
      break;
    case TimestampGranularity::kMicrosLong:
    case TimestampGranularity::kNanosLong:
      column.type = MR_INT64;
      break;
    default:
      column.type = MR_STRING;
      break;
  }
}

void put_timestamp(const Instant& instant, const Civil& civil, TimestampGranularity granularity, mr_value& value,
                   ByteArena& bytes) {
  char text[64];
  int size = 0;
  switch (granularity) {
    case TimestampGranularity::kConnectLogical:
      value.u.i64 = instant.millis();
      return;
    case TimestampGranularity::kMicrosLong:
      value.u.i64 = scaled(instant.seconds, 1'000'000, instant.nanos / 1000);
      return;
    case TimestampGranularity::kNanosLong:
      value.u.i64 = scaled(instant.seconds, 1'000'000'000, instant.nanos);
      return;
    case TimestampGranularity::kMicrosString:
    case TimestampGranularity::kNanosString: {
      const int64_t micros = scaled(instant.seconds, 1'000'000, instant.nanos / 1000);
      char* end = std::to_chars(text, text + sizeof(text), micros).ptr;
      if (granularity == TimestampGranularity::kNanosString && micros != 0) end = std::copy_n("000", 3, end);
      size = static_cast<int>(end - text);
      break;
    }
    default:
      size = std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02u:%02u:%02u.%06u%s", civil.year, civil.month,
                           civil.day, civil.hour, civil.minute, civil.second, civil.micros,
                           granularity == TimestampGranularity::kNanosIso ? "000" : "");
      break;
  }
  const std::string_view copy = bytes.copy({text, static_cast<size_t>(size)});
  value.size = static_cast<uint32_t>(copy.size());
  value.u.bytes = copy.data();
}

}  // namespace millrace::jdbc
