/// MariaDB's field type numbers as they stand in TABLE_MAP events, and the families that its optional metadata counts.
#pragma once

#include <cstdint>

namespace millrace::mariadb::column_type {

inline constexpr uint8_t kTiny = 1, kShort = 2, kLong = 3, kFloat = 4, kDouble = 5, kNull = 6, kTimestamp = 7,
                         kLongLong = 8, kInt24 = 9, kDate = 10, kTime = 11, kDateTime = 12, kYear = 13, kNewDate = 14,
                         kVarchar = 15, kBit = 16, kTimestamp2 = 17, kDateTime2 = 18, kTime2 = 19,
                         kBlobCompressed = 140, kVarcharCompressed = 141, kJsonMySql = 245, kNewDecimal = 246,
                         kEnum = 247, kSet = 248, kTinyBlob = 249, kMediumBlob = 250, kLongBlob = 251, kBlob = 252,
                         kVarString = 253, kString = 254, kGeometry = 255;

constexpr bool has_sign(uint8_t type) {
  switch (type) {
    case kTiny:
    case kShort:
    case kInt24:
    case kLong:
    case kLongLong:
    case kFloat:
    case kDouble:
    case kNewDecimal:
    case kYear:
      return true;
    default:
      return false;
  }
}

/// ENUM and SET have lists of their own.
constexpr bool has_charset(uint8_t type) {
  switch (type) {
    case kString:
    case kVarchar:
    case kVarString:
    case kVarcharCompressed:
    case kTinyBlob:
    case kBlob:
    case kMediumBlob:
    case kLongBlob:
    case kBlobCompressed:
    case kGeometry:
      return true;
    default:
      return false;
  }
}

}  // namespace millrace::mariadb::column_type
