#include "connectors/mariadb/types/mask.h"

namespace millrace::mariadb {
namespace {

/// Bytes of text in Java's modified UTF-8, where a zero is two bytes and a pair of surrogates six.
size_t modified_size(std::string_view text) {
  size_t size = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    size += byte == 0 ? 2 : byte >= 0xF0 ? 3 : 1;  // the other three bytes of such a character count themselves
  }
  return size;
}

void update(EVP_MD_CTX* digest, const void* bytes, size_t size) { EVP_DigestUpdate(digest, bytes, size); }

void update_surrogate(EVP_MD_CTX* digest, uint32_t unit) {
  const unsigned char bytes[] = {static_cast<unsigned char>(0xE0 | unit >> 12),
                                 static_cast<unsigned char>(0x80 | (unit >> 6 & 0x3F)),
                                 static_cast<unsigned char>(0x80 | (unit & 0x3F))};
  update(digest, bytes, sizeof(bytes));
}

/// As ObjectOutputStream writes a String: magic, version, TC_STRING or TC_LONGSTRING, length, modified UTF-8.
void update_serialised(EVP_MD_CTX* digest, std::string_view text) {
  const size_t size = modified_size(text);
  const bool is_long = size > 0xFFFF;
  unsigned char header[13] = {0xAC, 0xED, 0x00, 0x05, static_cast<unsigned char>(is_long ? 0x7C : 0x74)};
  const size_t digits = is_long ? 8 : 2;
  for (size_t i = 0; i < digits; ++i)
    header[5 + i] = static_cast<unsigned char>(uint64_t{size} >> 8 * (digits - 1 - i));
  update(digest, header, 5 + digits);
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const bool wide = byte(0) >= 0xF0 && at + 4 <= text.size();
    if (byte(0) != 0 && !wide) {
      ++at;
      continue;
    }
    update(digest, text.data() + done, at - done);
    if (wide) {
      const uint32_t point =
          (byte(0) & 7U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 | (byte(3) & 0x3FU);
      update_surrogate(digest, 0xD800 + ((point - 0x10000) >> 10));
      update_surrogate(digest, 0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
      update(digest, "\xC0\x80", 2);
    }
    at += wide ? 4 : 1;
    done = at;
  }
  update(digest, text.data() + done, text.size() - done);
}

std::string_view hex_of(const unsigned char* bytes, size_t size, connectors::ByteArena& arena) {
  constexpr char kDigits[] = "0123456789abcdef";
  char* out = arena.allocate(size * 2);
  for (size_t i = 0; i < size; ++i) {
    out[2 * i] = kDigits[bytes[i] >> 4];
    out[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return {out, size * 2};
}

}  // namespace

std::string_view utf16_prefix(std::string_view text, size_t units) {
  if (text.size() <= units) return text;  // a unit needs a byte at least
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t needed = byte >= 0xF0 ? 2 : 1;
    if (units < needed) return text.substr(0, at);
    units -= needed;
  }
  return text;
}

bool Mask::set_hash(const std::string& algorithm, const std::string& salt) {
  EVP_MD* type = EVP_MD_fetch(nullptr, algorithm.c_str(), nullptr);
  salted.reset(EVP_MD_CTX_new());
  scratch.reset(EVP_MD_CTX_new());
  const bool ready = type != nullptr && EVP_DigestInit_ex(salted.get(), type, nullptr) == 1;
  EVP_MD_free(type);
  if (!ready) salted.reset();
  if (ready) update(salted.get(), salt.data(), salt.size());
  return ready;
}

void Mask::apply(connectors::ByteArena& arena, mr_value& value) const {
  if (value.kind != MR_STRING && value.kind != MR_BYTES) return;
  std::string_view content(value.u.bytes, value.size);
  if (asterisks) {
    content = text;
  } else if (salted != nullptr && value.kind == MR_STRING) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX_copy_ex(scratch.get(), salted.get());
    if (plain) {
      update(scratch.get(), content.data(), content.size());
    } else {
      update_serialised(scratch.get(), content);
    }
    EVP_DigestFinal_ex(scratch.get(), hash, &size);
    content = hex_of(hash, size, arena);
  }
  if (truncates && !asterisks)
    content = value.kind == MR_STRING ? utf16_prefix(content, units_max) : content.substr(0, units_max);
  value.u.bytes = content.data();
  value.size = static_cast<uint32_t>(content.size());
}

}  // namespace millrace::mariadb
