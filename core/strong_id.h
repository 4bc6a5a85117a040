/// Numbers that must not be mixed up have types of their own: `using LogOffset = StrongId<int64_t, struct
/// LogOffsetTag>;`
#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace millrace {

template <class T, class Tag>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(T value) : value_(value) {}
  constexpr T value() const { return value_; }
  constexpr auto operator<=>(const StrongId&) const = default;
  constexpr StrongId operator+(T delta) const { return StrongId(value_ + delta); }
  constexpr StrongId& operator++() {
    ++value_;
    return *this;
  }

 private:
  T value_{};
};

}  // namespace millrace

template <class T, class Tag>
struct std::hash<millrace::StrongId<T, Tag>> {
  size_t operator()(const millrace::StrongId<T, Tag>& id) const { return std::hash<T>{}(id.value()); }
};
