/// The settings that say how column values become Connect values (reference mariadb-cdc 1.3).
#pragma once

#include <millrace/connector.hpp>

#include <memory>
#include <string>

#include "connectors/common/result.h"

namespace millrace::mariadb {

enum class DecimalMode { kPrecise, kDouble, kString };
enum class BigintUnsignedMode { kLong, kPrecise };
enum class TimePrecisionMode {
  kAdaptiveTimeMicroseconds,
  kConnect,
  kIsoString,
  kMicroseconds,
  kNanoseconds,
  kStructured
};
enum class BinaryMode { kBytes, kBase64, kBase64UrlSafe, kHex };

struct ValueOptions {
  DecimalMode decimal = DecimalMode::kPrecise;
  BigintUnsignedMode bigint_unsigned = BigintUnsignedMode::kLong;
  TimePrecisionMode time_precision = TimePrecisionMode::kAdaptiveTimeMicroseconds;
  BinaryMode binary = BinaryMode::kBytes;
  bool time_adjuster = true;
  bool include_comments = false;
  std::string unavailable_placeholder = "__debezium_unavailable_value";
  /// Column masks, hashes, truncation, propagated source types, built-in converters: compiled lists.
  struct Rules;
  std::shared_ptr<const Rules> rules;

  static connectors::Result<ValueOptions> parse(const sdk::Config& config);
};

}  // namespace millrace::mariadb
