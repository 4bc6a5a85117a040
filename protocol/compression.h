/// The four codecs of record batches. Snappy is read both as Java's framed stream and as one raw block, and written
/// framed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/error.h"

namespace millrace {

/// The numbers are those of the batch attributes.
enum class Codec : int8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

/// Kafka's compression.type word, and back; "uncompressed" is kNone too.
std::string_view codec_name(Codec codec);
std::optional<Codec> codec_from_name(std::string_view name);

/// No level: the codec's own default (fast for lz4).
struct CompressionOptions {
  Codec codec = Codec::kNone;
  std::optional<int> level = {};
};

/// Appends the compressed `bytes` to `out`. Errors: kInternal when the library refuses (bad level).
Status compress(const CompressionOptions& options, BytesView bytes, std::string& out);

/// What one batch may grow to; protects against decompression bombs.
inline constexpr size_t kDecompressedBytesMax = size_t{1} << 30;

/// Replaces `out` by the decompressed `bytes`. Errors: kBadRecord for damaged streams, unknown codecs or more than
/// `bytes_max`.
Status decompress(Codec codec, BytesView bytes, std::string& out, size_t bytes_max = kDecompressedBytesMax);

}  // namespace millrace
