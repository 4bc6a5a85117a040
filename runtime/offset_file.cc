#include "runtime/offset_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace millrace {
namespace {

using namespace std::string_view_literals;

// Java's object serialization stream, as far as a HashMap of byte arrays needs it.
constexpr std::string_view kMagic = "\xAC\xED\x00\x05"sv;
constexpr uint8_t kNull = 0x70, kReference = 0x71, kClassDescription = 0x72, kObject = 0x73, kArray = 0x75,
                  kBlock = 0x77, kEnd = 0x78;
constexpr std::string_view kHashMap = "java.util.HashMap";
constexpr std::string_view kMapFields =
    "\x05\x07\xDA\xC1\xC3\x16\x60\xD1\x03\x00\x02"
    "F\x00\x0AloadFactorI\x00\x09threshold"
    "\x78\x70"sv;
constexpr std::string_view kBytesClass = "\x00\x02[B\xAC\xF3\x17\xF8\x06\x08\x54\xE0\x02\x00\x00\x78\x70"sv;
/// Handles are given in order: 0 the class of the map, 1 the map, 2 the class of the arrays, then each array.
constexpr uint32_t kFirstHandle = 0x7E0000;
constexpr uint32_t kBytesClassHandle = kFirstHandle + 2;

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  Expected<OffsetEntries> map() {
    if (!skip(kMagic)) return corrupt("it does not begin as Java's object stream does");
    if (auto header = map_header(); !header) return fail(std::move(header.error()));
    number(4);  // load factor
    number(4);  // threshold
    if (byte() != kBlock || number(1) != 8) return corrupt("the size of the map is missing");
    number(4);  // capacity
    const uint32_t size = number(4);
    OffsetEntries entries;
    for (uint32_t i = 0; i < size && good_; ++i) {
      auto key = array();
      if (!key) return fail(std::move(key.error()));
      auto value = array();
      if (!value) return fail(std::move(value.error()));
      if (*key) entries[std::move(**key)] = std::move(*value);
    }
    if (byte() != kEnd || !good_) return corrupt("it ends too early");
    return entries;
  }

 private:
  Status map_header() {
    if (byte() != kObject || byte() != kClassDescription) return corrupt("its root is not an object");
    const std::string_view name = take(number(2));
    if (!good_) return corrupt("it ends too early");
    if (name != kHashMap) return corrupt(fmt::format("Expected HashMap but found class {}", name));
    if (!skip(kMapFields)) return corrupt("its HashMap has other fields than Java's");
    return {};
  }

  /// A byte array, a null, or a reference to an array that came before.
  Expected<std::optional<std::string>> array() {
    const uint8_t kind = byte();
    if (kind == kNull) return std::optional<std::string>();
    if (kind == kReference) {
      const uint32_t handle = number(4);
      if (handle <= kBytesClassHandle || handle - kBytesClassHandle > arrays_.size())
        return corrupt("a reference leads nowhere");
      return std::optional<std::string>(arrays_[handle - kBytesClassHandle - 1]);
    }
    if (kind != kArray) return corrupt("an entry is not a byte array");
    const uint8_t described = byte();
    const bool known = described == kReference ? number(4) == kBytesClassHandle && !arrays_.empty()
                                               : described == kClassDescription && arrays_.empty() && skip(kBytesClass);
    if (!known) return corrupt("an entry is not a byte array");
    arrays_.emplace_back(take(number(4)));
    if (!good_) return corrupt("it ends too early");
    return std::optional<std::string>(arrays_.back());
  }

  uint8_t byte() { return static_cast<uint8_t>(number(1)); }
  uint32_t number(size_t size) {
    uint32_t value = 0;
    for (const char each : take(size)) value = value << 8 | static_cast<uint8_t>(each);
    return value;
  }
  std::string_view take(size_t size) {
    if (size > bytes_.size() - at_) {
      good_ = false;
      return {};
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  bool skip(std::string_view expected) { return take(expected.size()) == expected; }
  tl::unexpected<Error> corrupt(std::string_view what) const {
    return fail(ErrorCode::kCorruption, fmt::format("{} (near byte {})", what, at_));
  }

  const std::string_view bytes_;
  size_t at_ = 0;
  bool good_ = true;
  std::vector<std::string> arrays_;
};

void put_number(std::string& to, uint32_t value, size_t size) {
  for (size_t i = size; i-- > 0;) to += static_cast<char>(value >> (8 * i) & 0xFF);
}

void put_array(std::string& to, const std::string& bytes, bool first) {
  to += static_cast<char>(kArray);
  if (first) {
    to += static_cast<char>(kClassDescription);
    to += kBytesClass;
  } else {
    to += static_cast<char>(kReference);
    put_number(to, kBytesClassHandle, 4);
  }
  put_number(to, static_cast<uint32_t>(bytes.size()), 4);
  to += bytes;
}

}  // namespace

Expected<OffsetEntries> parse_java_map(std::string_view bytes) { return Reader(bytes).map(); }

std::string java_map(const OffsetEntries& entries) {
  uint32_t capacity = 16;  // a power of two that the entries fill by at most three quarters, as Java's
  while (entries.size() > capacity / 4 * 3) capacity *= 2;
  std::string out(kMagic);
  put_number(out, kObject, 1);
  put_number(out, kClassDescription, 1);
  put_number(out, static_cast<uint32_t>(kHashMap.size()), 2);
  out += kHashMap;
  out += kMapFields;
  put_number(out, 0x3F400000, 4);  // 0.75f
  put_number(out, capacity / 4 * 3, 4);
  put_number(out, kBlock, 1);
  put_number(out, 8, 1);
  put_number(out, capacity, 4);
  put_number(out, static_cast<uint32_t>(entries.size()), 4);
  bool first = true;
  for (const auto& [key, value] : entries) {
    put_array(out, key, std::exchange(first, false));
    if (value) {
      put_array(out, *value, false);
    } else {
      put_number(out, kNull, 1);
    }
  }
  put_number(out, kEnd, 1);
  return out;
}

Expected<OffsetEntries> read_offset_file(FileSystem& files, const Path& path) {
  if (!files.exists(path)) return OffsetEntries();
  auto bytes = files.read_file(path);
  if (!bytes) return fail(std::move(bytes.error()));
  if (bytes->empty()) return OffsetEntries();
  auto entries = parse_java_map(*bytes);
  if (entries) return entries;
  return fail(std::move(entries.error())
                  .wrap(fmt::format("{} (offset.storage.file.filename) is not an offset file of Kafka Connect; name "
                                    "another file, or move it away to start without its offsets",
                                    path.string())));
}

Status write_offset_file(FileSystem& files, const Path& path, const OffsetEntries& entries) {
  return files.write_file_atomically(path, java_map(entries));
}

}  // namespace millrace
