#include "connectors/mariadb/binlog/compression.h"

#include <zlib.h>

#include "connectors/mariadb/binlog/byte_reader.h"

namespace millrace::mariadb {
namespace {

/// Deflate cannot do better than 1032 to 1, so that a hostile length is told from a real one before memory is taken.
bool plausible(size_t size, size_t deflated) { return size / 1032 <= deflated; }

CompressedBlock block_of(std::span<const uint8_t> bytes, size_t length_bytes) {
  CompressedBlock block;
  if (length_bytes < 1 || length_bytes > 4 || bytes.size() < 1 + length_bytes) {
    block.problem = "truncated head of a compressed part";
    return block;
  }
  block.size = static_cast<size_t>(read_big(bytes.data() + 1, length_bytes));
  block.deflated = bytes.subspan(1 + length_bytes);
  if (!plausible(block.size, block.deflated.size())) block.problem = "impossible length of a compressed part";
  return block;
}

/// A stream's state is 40 KB and is kept: one a thread, for either form.
struct Inflater {
  explicit Inflater(int window_bits) { ready = inflateInit2(&stream, window_bits) == Z_OK; }
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream stream{};
  bool ready = false;
};

}  // namespace

CompressedBlock event_block(std::span<const uint8_t> bytes) {
  if (bytes.empty() || (bytes[0] & 0x80) == 0) return {.problem = "head of the compressed part is missing"};
  if ((bytes[0] & 0x70) != 0) return {.problem = "unknown compression algorithm"};
  return block_of(bytes, bytes[0] & 7);
}

CompressedBlock column_block(std::span<const uint8_t> bytes) {
  if (bytes.empty() || (bytes[0] >> 4) != 8) return {.problem = "unknown compression method of a COMPRESSED column"};
  CompressedBlock block = block_of(bytes, bytes[0] & 7);
  block.raw = (bytes[0] & 8) != 0;
  return block;
}

bool inflate(const CompressedBlock& block, uint8_t* out) {
  thread_local Inflater wrapped(MAX_WBITS), raw(-MAX_WBITS);
  Inflater& inflater = block.raw ? raw : wrapped;
  z_stream& stream = inflater.stream;
  if (!inflater.ready || inflateReset(&stream) != Z_OK) return false;
  uint8_t nothing = 0;  // zlib refuses a null pointer even for no bytes
  stream.next_in = const_cast<uint8_t*>(block.deflated.data());
  stream.avail_in = static_cast<uInt>(block.deflated.size());
  stream.next_out = block.size == 0 ? &nothing : out;
  stream.avail_out = static_cast<uInt>(block.size);
  return ::inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
}

}  // namespace millrace::mariadb
