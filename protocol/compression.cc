#include "protocol/compression.h"

#include <fmt/format.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>

namespace millrace {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"none", "gzip", "snappy", "lz4", "zstd"};
constexpr BytesView kXerialMagic("\x82SNAPPY\0", 8);
constexpr size_t kXerialHeaderBytes = 16;
constexpr size_t kXerialBlockBytes = 32 * 1024;
constexpr size_t kGrowBytes = 64 * 1024;

tl::unexpected<Error> bad(Codec codec, std::string_view why) {
  return fail(ErrorCode::kBadRecord, fmt::format("cannot decompress {} records: {}", codec_name(codec), why));
}

tl::unexpected<Error> too_large(Codec codec, size_t bytes_max) {
  return bad(codec, fmt::format("more than {} bytes", bytes_max));
}

/// Makes room for at least one more block at the end of `out`, doubling up to the bound. False when the bound is
/// reached.
bool grow(std::string& out, size_t used, size_t bytes_max) {
  if (used < out.size()) return true;
  if (out.size() >= bytes_max) return false;
  out.resize(std::min(bytes_max, std::max(out.size() * 2, kGrowBytes)));
  return true;
}

Status compress_gzip(std::optional<int> level, BytesView bytes, std::string& out) {
  z_stream stream{};
  if (deflateInit2(&stream, level.value_or(Z_DEFAULT_COMPRESSION), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return fail(ErrorCode::kInternal, fmt::format("gzip refuses level {}", level.value_or(-1)));
  }
  const size_t start = out.size();
  out.resize(start + deflateBound(&stream, bytes.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + start);
  stream.avail_out = static_cast<uInt>(out.size() - start);
  const int result = deflate(&stream, Z_FINISH);
  out.resize(start + stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) return fail(ErrorCode::kInternal, "gzip did not finish");
  return {};
}

Status decompress_gzip(BytesView bytes, std::string& out, size_t bytes_max) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return fail(ErrorCode::kInternal, "gzip did not start");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closer(&stream, &inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  out.resize(std::min(bytes_max, std::max(out.capacity(), bytes.size() * 4)));
  size_t used = 0;
  while (true) {
    if (!grow(out, used, bytes_max)) return too_large(Codec::kGzip, bytes_max);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(std::min<size_t>(out.size() - used, UINT32_MAX));
    const uInt room = stream.avail_out;
    const int result = inflate(&stream, Z_NO_FLUSH);
    used += room - stream.avail_out;
    if (result == Z_STREAM_END) break;  // bytes after the stream are ignored, as Java does
    if (result != Z_OK) return bad(Codec::kGzip, stream.msg != nullptr ? stream.msg : "the stream ends early");
  }
  out.resize(used);
  return {};
}

Status compress_snappy(BytesView bytes, std::string& out) {
  out.append(kXerialMagic);
  append_be<int32_t>(out, 1);
  append_be<int32_t>(out, 1);
  while (!bytes.empty()) {
    const BytesView block = bytes.substr(0, kXerialBlockBytes);
    const size_t start = out.size();
    size_t length = snappy_max_compressed_length(block.size());
    out.resize(start + 4 + length);
    if (snappy_compress(block.data(), block.size(), out.data() + start + 4, &length) != SNAPPY_OK) {
      return fail(ErrorCode::kInternal, "snappy did not compress a block");
    }
    store_be(out.data() + start, static_cast<int32_t>(length));
    out.resize(start + 4 + length);
    bytes.remove_prefix(block.size());
  }
  return {};
}

Status append_snappy_block(BytesView block, std::string& out, size_t bytes_max) {
  size_t length = 0;
  if (snappy_uncompressed_length(block.data(), block.size(), &length) != SNAPPY_OK)
    return bad(Codec::kSnappy, "no length");
  const size_t start = out.size();
  if (length > bytes_max - start) return too_large(Codec::kSnappy, bytes_max);
  // A block of n bytes cannot stand for more than about 64 n: a lying length must not make us allocate first.
  if (length / 64 > block.size()) return bad(Codec::kSnappy, "the length contradicts the block's size");
  out.resize(start + length);
  if (snappy_uncompress(block.data(), block.size(), out.data() + start, &length) != SNAPPY_OK) {
    return bad(Codec::kSnappy, "a damaged block");
  }
  return {};
}

Status decompress_snappy(BytesView bytes, std::string& out, size_t bytes_max) {
  out.clear();
  if (bytes.empty()) return bad(Codec::kSnappy, "empty stream");
  if (!bytes.starts_with(kXerialMagic)) return append_snappy_block(bytes, out, bytes_max);
  if (bytes.size() < kXerialHeaderBytes) return bad(Codec::kSnappy, "the stream ends in its header");
  bytes.remove_prefix(kXerialHeaderBytes);
  while (!bytes.empty()) {
    if (bytes.size() < 4) return bad(Codec::kSnappy, "the stream ends in a block length");
    const auto length = load_be<int32_t>(bytes.data());
    bytes.remove_prefix(4);
    if (length < 0 || static_cast<size_t>(length) > bytes.size())
      return bad(Codec::kSnappy, "the stream ends in a block");
    if (auto done = append_snappy_block(bytes.substr(0, length), out, bytes_max); !done) return done;
    bytes.remove_prefix(length);
  }
  return {};
}

Status compress_lz4(std::optional<int> level, BytesView bytes, std::string& out) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;  // Java's reader takes no linked blocks
  preferences.compressionLevel = level.value_or(0);
  const size_t start = out.size();
  out.resize(start + LZ4F_compressFrameBound(bytes.size(), &preferences));
  const size_t written =
      LZ4F_compressFrame(out.data() + start, out.size() - start, bytes.data(), bytes.size(), &preferences);
  if (LZ4F_isError(written)) return fail(ErrorCode::kInternal, fmt::format("lz4: {}", LZ4F_getErrorName(written)));
  out.resize(start + written);
  return {};
}

Status decompress_lz4(BytesView bytes, std::string& out, size_t bytes_max) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION)))
    return fail(ErrorCode::kInternal, "lz4 did not start");
  const std::unique_ptr<LZ4F_dctx, size_t (*)(LZ4F_dctx*)> context(raw, &LZ4F_freeDecompressionContext);
  out.resize(std::min(bytes_max, std::max(out.capacity(), bytes.size() * 4)));
  size_t used = 0;
  size_t hint = 1;
  while (hint != 0) {
    if (!grow(out, used, bytes_max)) return too_large(Codec::kLz4, bytes_max);
    size_t room = out.size() - used;
    size_t taken = bytes.size();
    hint = LZ4F_decompress(context.get(), out.data() + used, &room, bytes.data(), &taken, nullptr);
    if (LZ4F_isError(hint)) return bad(Codec::kLz4, LZ4F_getErrorName(hint));
    if (hint != 0 && room == 0 && taken == 0) return bad(Codec::kLz4, "the stream ends early");
    used += room;
    bytes.remove_prefix(taken);
  }
  out.resize(used);
  return {};
}

Status compress_zstd(std::optional<int> level, BytesView bytes, std::string& out) {
  const size_t start = out.size();
  out.resize(start + ZSTD_compressBound(bytes.size()));
  const size_t written = ZSTD_compress(out.data() + start, out.size() - start, bytes.data(), bytes.size(),
                                       level.value_or(ZSTD_CLEVEL_DEFAULT));
  if (ZSTD_isError(written)) return fail(ErrorCode::kInternal, fmt::format("zstd: {}", ZSTD_getErrorName(written)));
  out.resize(start + written);
  return {};
}

Status decompress_zstd(BytesView bytes, std::string& out, size_t bytes_max) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  out.resize(std::min(bytes_max, std::max(out.capacity(), bytes.size() * 4)));
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  size_t hint = 1;
  while (hint != 0 || in.pos < in.size) {
    if (!grow(out, to.pos, bytes_max)) return too_large(Codec::kZstd, bytes_max);
    to.dst = out.data();
    to.size = out.size();
    const size_t in_before = in.pos;
    const size_t out_before = to.pos;
    hint = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(hint)) return bad(Codec::kZstd, ZSTD_getErrorName(hint));
    if (hint != 0 && in.pos == in_before && to.pos == out_before) return bad(Codec::kZstd, "the stream ends early");
  }
  out.resize(to.pos);
  return {};
}

}  // namespace

std::string_view codec_name(Codec codec) {
  const auto index = static_cast<size_t>(codec);
  return index < kNames.size() ? kNames[index] : "unknown";
}

std::optional<Codec> codec_from_name(std::string_view name) {
  if (name == "uncompressed") return Codec::kNone;
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Codec>(i);
  }
  return std::nullopt;
}

Status compress(const CompressionOptions& options, BytesView bytes, std::string& out) {
  switch (options.codec) {
    case Codec::kNone:
      out.append(bytes);
      return {};
    case Codec::kGzip:
      return compress_gzip(options.level, bytes, out);
    case Codec::kSnappy:
      return compress_snappy(bytes, out);
    case Codec::kLz4:
      return compress_lz4(options.level, bytes, out);
    case Codec::kZstd:
      return compress_zstd(options.level, bytes, out);
  }
  return fail(ErrorCode::kInternal, fmt::format("unknown compression codec {}", static_cast<int>(options.codec)));
}

Status decompress(Codec codec, BytesView bytes, std::string& out, size_t bytes_max) {
  switch (codec) {
    case Codec::kNone:
      out.assign(bytes);
      return {};
    case Codec::kGzip:
      return decompress_gzip(bytes, out, bytes_max);
    case Codec::kSnappy:
      return decompress_snappy(bytes, out, bytes_max);
    case Codec::kLz4:
      return decompress_lz4(bytes, out, bytes_max);
    case Codec::kZstd:
      return decompress_zstd(bytes, out, bytes_max);
  }
  return fail(ErrorCode::kBadRecord, fmt::format("unknown compression codec {}", static_cast<int>(codec)));
}

}  // namespace millrace
