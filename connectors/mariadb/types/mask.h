/// What column.mask.* and column.truncate.* do to a value after its conversion.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>

#include "connectors/common/byte_arena.h"

namespace millrace::mariadb {

struct Mask {
  struct DigestDelete {
    void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
  };
  using Digest = std::unique_ptr<EVP_MD_CTX, DigestDelete>;

  bool asterisks = false;
  std::string text;        ///< with asterisks
  Digest salted, scratch;  ///< a hash that has taken the salt, and one to go on with
  bool plain = false;      ///< v2: hash the bytes themselves
  bool truncates = false;
  size_t units_max = 0;  ///< UTF-16 units of text, bytes of binary values; also the cut of a hash

  bool active() const { return asterisks || salted != nullptr || truncates; }
  /// Starts a hash; false if the algorithm is not known.
  bool set_hash(const std::string& algorithm, const std::string& salt);
  /// Only STRING and BYTES change. Threads: one at a time.
  void apply(connectors::ByteArena& arena, mr_value& value) const;
};

/// The front of `text` that has at most `units` UTF-16 units; no character is cut in half.
std::string_view utf16_prefix(std::string_view text, size_t units);

}  // namespace millrace::mariadb
