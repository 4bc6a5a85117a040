/// Cells as MariaDB prints their values, for tests of the decoder against SELECT.
#pragma once

#include <cstdio>
#include <string>

#include "connectors/mariadb/cell.h"

namespace millrace::mariadb {

inline std::string decimal_text(__int128 value, int scale) {
  const bool negative = value < 0;
  std::string digits;
  for (auto rest = static_cast<unsigned __int128>(negative ? -value : value); rest != 0; rest /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  while (digits.size() < static_cast<size_t>(scale) + 1) digits.insert(digits.begin(), '0');
  if (scale > 0) digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  return (negative ? "-" : "") + digits;
}

inline std::string fraction_text(int64_t micros) {
  char text[16];
  std::snprintf(text, sizeof(text), ".%06lld", static_cast<long long>(micros));
  return text;
}

/// Times with six digits of fraction, TIMESTAMP as its number of microseconds.
inline std::string text_of(const Cell& cell) {
  char text[64];
  switch (cell.kind) {
    case Cell::Kind::kAbsent:
      return "(absent)";
    case Cell::Kind::kNull:
      return "NULL";
    case Cell::Kind::kFloat:
    case Cell::Kind::kDouble:
      std::snprintf(text, sizeof(text), "%.17g", cell.f64);
      return text;
    case Cell::Kind::kDecimal:
      return decimal_text(cell.i128, cell.scale);
    case Cell::Kind::kDecimalText:
    case Cell::Kind::kBytes:
    case Cell::Kind::kText:
      return std::string(cell.text());
    case Cell::Kind::kDate:
      std::snprintf(text, sizeof(text), "%04u-%02u-%02u", unsigned{cell.time.year}, unsigned{cell.time.month},
                    unsigned{cell.time.day});
      return text;
    case Cell::Kind::kDateTime:
      std::snprintf(text, sizeof(text), "%04u-%02u-%02u %02u:%02u:%02u.%06u", unsigned{cell.time.year},
                    unsigned{cell.time.month}, unsigned{cell.time.day}, unsigned{cell.time.hour},
                    unsigned{cell.time.minute}, unsigned{cell.time.second}, cell.time.micros);
      return text;
    case Cell::Kind::kTime: {
      const int64_t size = cell.i64 < 0 ? -cell.i64 : cell.i64;
      const int64_t seconds = size / 1'000'000;
      std::snprintf(text, sizeof(text), "%s%02lld:%02lld:%02lld", cell.i64 < 0 ? "-" : "",
                    static_cast<long long>(seconds / 3600), static_cast<long long>(seconds / 60 % 60),
                    static_cast<long long>(seconds % 60));
      return text + fraction_text(size % 1'000'000);
    }
    default:
      return cell.is_unsigned || cell.kind == Cell::Kind::kSet || cell.kind == Cell::Kind::kBits
                 ? std::to_string(static_cast<uint64_t>(cell.i64))
                 : std::to_string(cell.i64);
  }
}

}  // namespace millrace::mariadb
