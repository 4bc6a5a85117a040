#include "protocol/wire.h"

namespace millrace {
namespace {

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t kUuidText = 22;

}  // namespace

std::string Uuid::text() const {
  std::string out;
  out.reserve(kUuidText);
  uint32_t bits = 0;
  int held = 0;
  for (const uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (held += 8; held >= 6; held -= 6) out.push_back(kBase64Url[bits >> (held - 6) & 63]);
  }
  out.push_back(kBase64Url[bits << (6 - held) & 63]);
  return out;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kUuidText) return std::nullopt;
  Uuid id;
  uint32_t bits = 0;
  int held = 0;
  size_t at = 0;
  for (const char c : text) {
    const size_t value = kBase64Url.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    if (at < id.bytes.size()) id.bytes[at++] = static_cast<uint8_t>(bits >> held);
  }
  return id;
}

Uuid WireReader::uuid() {
  Uuid id;
  if (remaining() < id.bytes.size()) return fail(id);
  std::memcpy(id.bytes.data(), at_, id.bytes.size());
  at_ += id.bytes.size();
  return id;
}

uint32_t WireReader::unsigned_varint() {
  uint32_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    if (at_ == end_) return fail(0U);
    const auto byte = static_cast<uint8_t>(*at_++);
    value |= static_cast<uint32_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return fail(0U);
}

void WireReader::skip_tagged_fields() {
  tagged_fields([](uint32_t) { return false; });
}

int64_t WireReader::string_length(bool compact) {
  return compact ? static_cast<int64_t>(unsigned_varint()) - 1 : number<int16_t>();
}

int64_t WireReader::bytes_length(bool compact) {
  return compact ? static_cast<int64_t>(unsigned_varint()) - 1 : number<int32_t>();
}

int64_t WireReader::array_length(bool compact) {
  const int64_t length = bytes_length(compact);
  return bad_ ? 0 : length;
}

std::string_view WireReader::take(int64_t length) {
  if (length < 0 || static_cast<uint64_t>(length) > remaining()) return fail(std::string_view());
  const std::string_view taken(at_, static_cast<size_t>(length));
  at_ += length;
  return taken;
}

std::string_view WireReader::string(bool compact) {
  const int64_t length = string_length(compact);
  // Kafka's strings end at 32767 bytes in either form.
  return length > INT16_MAX ? fail(std::string_view()) : take(length);
}

std::optional<std::string_view> WireReader::nullable_string(bool compact) {
  const int64_t length = string_length(compact);
  if (bad_ || length < 0) return std::nullopt;
  return length > INT16_MAX ? fail(std::string_view()) : take(length);
}

BytesView WireReader::bytes(bool compact) { return take(bytes_length(compact)); }

std::optional<BytesView> WireReader::nullable_bytes(bool compact) {
  const int64_t length = bytes_length(compact);
  if (bad_ || length < 0) return std::nullopt;
  return take(length);
}

Records WireReader::records(bool compact, bool nullable) {
  const int64_t length = bytes_length(compact);
  if (bad_) return {};
  if (length < 0) return nullable ? Records{true, {}, 0} : fail(Records{});
  return {false, take(length), 0};
}

void WireWriter::unsigned_varint(uint32_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<char>(value));
}

void WireWriter::string(bool compact, std::string_view value) {
  if (compact) {
    unsigned_varint(static_cast<uint32_t>(value.size()) + 1);
  } else {
    number(static_cast<int16_t>(value.size()));
  }
  out_.append(value);
}

void WireWriter::nullable_string(bool compact, const std::optional<std::string_view>& value) {
  if (value) return string(compact, *value);
  compact ? unsigned_varint(0) : number(int16_t{-1});
}

void WireWriter::bytes(bool compact, BytesView value) {
  array_length(compact, value.size());
  out_.append(value);
}

void WireWriter::nullable_bytes(bool compact, const std::optional<BytesView>& value) {
  value ? bytes(compact, *value) : null_array(compact);
}

void WireWriter::records(bool compact, const Records& value) {
  if (value.is_null) return null_array(compact);
  array_length(compact, value.bytes.size() + value.external_bytes);
  out_.append(value.bytes);
  if (value.external_bytes > 0) gaps_.push_back({out_.size(), value.external_bytes});
}

void WireWriter::array_length(bool compact, size_t count) {
  compact ? unsigned_varint(static_cast<uint32_t>(count) + 1) : number(static_cast<int32_t>(count));
}

void WireWriter::null_array(bool compact) { compact ? unsigned_varint(0) : number(int32_t{-1}); }

}  // namespace millrace
