/// Bytes are carried as char: std::string_view gives comparison, hashing and literals for free. What owns is a
/// std::string; what borrows is a BytesView and never outlives its owner.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace millrace {

using BytesView = std::string_view;

/// Big-endian reads and writes, Kafka's byte order. The caller has checked that sizeof(T) bytes are there.
template <class T>
T load_be(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  return value;
}

template <class T>
void store_be(char* to, T value) {
  if constexpr (sizeof(T) == 2) value = static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  if constexpr (sizeof(T) == 4) value = static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  if constexpr (sizeof(T) == 8) value = static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  std::memcpy(to, &value, sizeof(T));
}

template <class T>
void append_be(std::string& out, T value) {
  char raw[sizeof(T)];
  store_be(raw, value);
  out.append(raw, sizeof(T));
}

}  // namespace millrace
