/// Reading and writing the primitive types of Kafka's wire protocol (the protocol guide's "Protocol Primitive Types").
/// The message structs generated from protocol/messages/*.msg are built on these two classes.
///
/// Reading copies nothing: strings, bytes and records are views into the frame, which must outlive them. A reader never
/// passes the frame's end; the first thing that does not fit makes the reader bad(), and everything read afterwards is
/// zero or empty, so callers check once at the end. What a message makes us allocate is bounded by a small multiple of
/// the bytes the frame really carries, whatever lengths it claims.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace millrace {

/// 16 raw bytes; all zero means "none".
struct Uuid {
  std::array<uint8_t, 16> bytes{};
  bool operator==(const Uuid&) const = default;
  auto operator<=>(const Uuid&) const = default;
  bool is_zero() const { return *this == Uuid{}; }
  /// URL-safe base64 without padding, 22 characters: the form in which Kafka prints ids.
  std::string text() const;
  static std::optional<Uuid> parse(std::string_view text);
};

/// The `records` of Produce and Fetch: whole record batches one behind the other, or null.
/// A broker that sends them from a file sets only `external_bytes`: the writer then leaves a gap (WireWriter::gaps()).
struct Records {
  bool is_null = false;
  BytesView bytes;
  uint32_t external_bytes = 0;
  bool operator==(const Records&) const = default;
};

/// Threads: one. Lives no longer than the frame.
class WireReader {
 public:
  explicit WireReader(BytesView frame) : at_(frame.data()), end_(frame.data() + frame.size()) {}

  bool bad() const { return bad_; }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  BytesView rest() const { return {at_, remaining()}; }

  template <class T>
  T number() {
    if (remaining() < sizeof(T)) return fail(T{});
    const T value = load_be<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  bool boolean() { return number<int8_t>() != 0; }
  double float64() { return std::bit_cast<double>(number<uint64_t>()); }
  Uuid uuid();
  uint32_t unsigned_varint();

  /// A null where none is allowed is bad().
  std::string_view string(bool compact);
  std::optional<std::string_view> nullable_string(bool compact);
  BytesView bytes(bool compact);
  std::optional<BytesView> nullable_bytes(bool compact);
  Records records(bool compact, bool nullable);

  /// Reads an array: its length, then `read_element(element)` for each.
  template <class T, class Read>
  void array(std::vector<T>& out, bool compact, Read read_element) {
    const int64_t count = array_length(compact);
    if (count < 0) return void(fail(0));
    read_elements(out, count, read_element);
  }
  template <class T, class Read>
  void nullable_array(std::optional<std::vector<T>>& out, bool compact, Read read_element) {
    const int64_t count = array_length(compact);
    if (count < 0) return out.reset();
    read_elements(out.emplace(), count, read_element);
  }

  /// Walks a block of tagged fields: `read_field(tag)` returns false for tags it does not know, which are skipped.
  /// A field that is not read to its end, or read beyond it, is bad().
  template <class Read>
  void tagged_fields(Read read_field) {
    const uint32_t count = unsigned_varint();
    int64_t last_tag = -1;
    for (uint32_t i = 0; i < count && !bad_; ++i) {
      const uint32_t tag = unsigned_varint();
      const uint32_t size = unsigned_varint();
      if (size > remaining() || tag <= last_tag) return void(fail(0));
      last_tag = tag;
      const char* const outer_end = end_;
      const char* const field_end = at_ + size;
      end_ = field_end;
      const bool known = read_field(tag);
      if (known && at_ != field_end) fail(0);
      at_ = field_end;
      end_ = outer_end;
    }
  }

  void skip_tagged_fields();

  /// Marks the frame as broken.
  template <class T>
  T fail(T value) {
    bad_ = true;
    at_ = end_;
    return value;
  }

 private:
  int64_t array_length(bool compact);  ///< -1 = null
  int64_t bytes_length(bool compact);
  int64_t string_length(bool compact);
  std::string_view take(int64_t length);

  template <class T, class Read>
  void read_elements(std::vector<T>& out, int64_t count, Read read_element) {
    // Every element takes at least a byte on the wire, so a length beyond the frame is a lie; growth is by what was
    // really read, so that a small frame cannot ask for large elements by the thousand.
    if (static_cast<uint64_t>(count) > remaining()) return void(fail(0));
    out.reserve(static_cast<size_t>(count) < kReserveMax ? static_cast<size_t>(count) : kReserveMax);
    for (int64_t i = 0; i < count && !bad_; ++i) read_element(out.emplace_back());
  }

  static constexpr size_t kReserveMax = 64;
  const char* at_;
  const char* end_;
  bool bad_ = false;
};

/// Appends to a buffer that the caller owns. Threads: one.
class WireWriter {
 public:
  /// Where `bytes` of a file belong between two bytes of the buffer.
  struct Gap {
    size_t position;
    uint32_t bytes;
  };

  explicit WireWriter(std::string& out) : out_(out) {}

  template <class T>
  void number(T value) {
    append_be(out_, value);
  }
  void boolean(bool value) { out_.push_back(value ? '\1' : '\0'); }
  void float64(double value) { number(std::bit_cast<uint64_t>(value)); }
  void uuid(const Uuid& value) { out_.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()); }
  void unsigned_varint(uint32_t value);

  void string(bool compact, std::string_view value);
  void nullable_string(bool compact, const std::optional<std::string_view>& value);
  void bytes(bool compact, BytesView value);
  void nullable_bytes(bool compact, const std::optional<BytesView>& value);
  void records(bool compact, const Records& value);

  void array_length(bool compact, size_t count);
  void null_array(bool compact);

  /// Writes a tagged field: tag, size and what `write_value` writes. Tags go up.
  template <class Write>
  void tagged_field(uint32_t tag, Write write_value) {
    unsigned_varint(tag);
    std::string value;
    WireWriter inner(value);
    write_value(inner);
    unsigned_varint(static_cast<uint32_t>(value.size()));
    out_.append(value);
  }

  std::string& buffer() { return out_; }
  const std::vector<Gap>& gaps() const { return gaps_; }

 private:
  std::string& out_;
  std::vector<Gap> gaps_;
};

}  // namespace millrace
