#include "connectors/jdbc/geometry.h"

#include <bit>
#include <cstring>

namespace millrace::jdbc {
namespace {

static_assert(std::endian::native == std::endian::little, "the stored form is little-endian");

constexpr uint32_t kPoint = 1, kLineString = 2, kPolygon = 3, kCollectionMax = 7;
constexpr uint32_t kEwkbSrid = 0x20000000, kEwkbDimensions = 0xC0000000;
constexpr size_t kPointBytes = 16;
constexpr int kDepthMax = 32;

/// Copies one geometry piece by piece, turning the bytes of numbers where needed.
class WkbCopy {
 public:
  WkbCopy(std::string_view from, char* to) : from_(from), to_(to) {}

  bool geometry(int depth) {
    if (depth > kDepthMax || from_.empty()) return false;
    const bool big = from_[0] == 0;
    from_.remove_prefix(1);
    *to_++ = 1;
    uint32_t type = 0;
    char* type_at = to_;
    if (!number(big, type)) return false;
    if ((type & kEwkbDimensions) != 0) return false;
    if ((type & kEwkbSrid) != 0) {
      if (!number(big, srid_)) return false;
      to_ -= sizeof(uint32_t);
      type &= ~kEwkbSrid;
      std::memcpy(type_at, &type, sizeof(type));
    }
    return content(type, big, depth);
  }
  bool done() const { return from_.empty(); }
  char* end() const { return to_; }
  uint32_t srid() const { return srid_; }

 private:
  bool content(uint32_t type, bool big, int depth) {
    if (type == kPoint) return points(big, 1);
    uint32_t count = 0;
    if (type == 0 || type > kCollectionMax || !number(big, count)) return false;
    if (type == kLineString) return points(big, count);
    for (uint32_t i = 0; i < count; ++i) {
      uint32_t size = 0;
      const bool fine = type == kPolygon ? number(big, size) && points(big, size) : geometry(depth + 1);
      if (!fine) return false;
    }
    return true;
  }
  bool number(bool big, uint32_t& value) {
    if (from_.size() < sizeof(value)) return false;
    copy(big, sizeof(value));
    std::memcpy(&value, to_ - sizeof(value), sizeof(value));
    return true;
  }
  bool points(bool big, uint32_t count) {
    if (from_.size() / kPointBytes < count) return false;
    for (uint64_t i = 0; i < uint64_t{count} * 2; ++i) copy(big, sizeof(double));
    return true;
  }
  void copy(bool big, size_t size) {
    for (size_t i = 0; i < size; ++i) to_[i] = from_[big ? size - 1 - i : i];
    to_ += size;
    from_.remove_prefix(size);
  }
  std::string_view from_;
  char* to_;
  uint32_t srid_ = 0;
};

}  // namespace

connectors::Result<std::string_view> stored_geometry(std::string_view wkb, uint32_t srid,
                                                     connectors::ByteArena& arena) {
  char* out = arena.allocate(sizeof(srid) + wkb.size());
  WkbCopy copy(wkb, out + sizeof(srid));
  if (!copy.geometry(0) || !copy.done()) {
    return connectors::Status(connectors::Code::kBadRecord, "the field wkb holds no two-dimensional WKB geometry");
  }
  if (srid == 0) srid = copy.srid();
  std::memcpy(out, &srid, sizeof(srid));
  return std::string_view(out, static_cast<size_t>(copy.end() - out));
}

std::string_view stored_point(double x, double y, uint32_t srid, connectors::ByteArena& arena) {
  constexpr size_t kSize = sizeof(srid) + 1 + sizeof(uint32_t) + kPointBytes;
  char* out = arena.allocate(kSize);
  std::memcpy(out, &srid, sizeof(srid));
  out[4] = 1;
  std::memcpy(out + 5, &kPoint, sizeof(kPoint));
  std::memcpy(out + 9, &x, sizeof(x));
  std::memcpy(out + 17, &y, sizeof(y));
  return {out, kSize};
}

}  // namespace millrace::jdbc
