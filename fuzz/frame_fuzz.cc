/// Whatever bytes a client sends are cut into frames and read without a crash, however they arrive; a message that can
/// be read is written and read back as the same bytes. The first byte of the input chooses how the bytes arrive.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "broker/server/frame_reader.h"
#include "broker/server/request_header.h"
#include "protocol/messages/registry.h"

namespace {

using namespace millrace;

using Kind = MessageInfo::Kind;

const MessageInfo* find(int16_t key, Kind kind) {
  static const auto table = [] {
    std::map<std::pair<int16_t, Kind>, const MessageInfo*> found;
    for (const MessageInfo* info : all_messages()) {
      if (info->kind != Kind::kRecord) found[{info->api_key, info->kind}] = info;
    }
    return found;
  }();
  const auto at = table.find({key, kind});
  return at == table.end() ? nullptr : at->second;
}

void round_trip(const MessageInfo* info, BytesView bytes, int16_t version) {
  if (info == nullptr || version < info->version_min || version > info->version_max) return;
  const auto once = info->copy(bytes, version);
  if (!once) return;
  const auto twice = info->copy(*once, version);
  if (!twice || *once != *twice) std::abort();
}

void read_frame(BytesView frame) {
  const auto asked = peek_api(frame);
  if (!asked) return;
  const MessageInfo* request = find(asked->first, Kind::kRequest);
  if (request == nullptr) return;
  BytesView body;
  const auto header = parse_request_header(frame, asked->second >= request->flexible_from, body);
  if (!header) return;
  if (header->api_key != asked->first || body.size() > frame.size()) std::abort();
  round_trip(request, body, header->api_version);
  // The client's side of the library reads answers; the bytes may as well be one.
  round_trip(find(asked->first, Kind::kResponse), body, header->api_version);
}

/// The frames that come out when at most `step` bytes arrive at a time.
std::vector<std::string> frames_of(BytesView bytes, size_t step, FramePool& pool) {
  constexpr size_t kFrameMax = 1 << 16;
  std::array<char, 512> scratch;
  FrameReader reader(pool);
  std::vector<std::string> frames;
  while (!bytes.empty()) {
    std::array<iovec, 2> targets;
    const size_t count = reader.targets(targets, scratch.data(), scratch.size());
    size_t moved = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t part = std::min({bytes.size(), targets[i].iov_len, step - moved});
      std::copy_n(bytes.data(), part, static_cast<char*>(targets[i].iov_base));
      bytes.remove_prefix(part);
      moved += part;
    }
    reader.arrived(moved, scratch.data());
    while (reader.peek(kFrameMax)) {
      Frame frame = reader.take();
      frames.emplace_back(frame.bytes, 0, frame.size);
      pool.give(std::move(frame.bytes));
    }
    if (reader.broken()) break;
    reader.settle();
  }
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const BytesView bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  FramePool pool(1 << 20);
  const auto frames = frames_of(bytes, 1 + data[0], pool);
  if (frames != frames_of(bytes, SIZE_MAX, pool)) std::abort();
  for (const std::string& frame : frames) read_frame(frame);
  return 0;
}
