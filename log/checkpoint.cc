#include "log/checkpoint.h"

#include <fmt/format.h>

#include <array>
#include <random>
#include <sstream>

namespace millrace {
namespace {

tl::unexpected<Error> damaged(const Path& path, std::string_view why) {
  return fail(ErrorCode::kCorruption, fmt::format("{}: {}", path.string(), why));
}

/// The lines after `0` and their count; an absent file has none.
Expected<std::vector<std::string>> read_lines(FileSystem& fs, const Path& path) {
  std::vector<std::string> lines;
  if (!fs.exists(path)) return lines;
  auto content = fs.read_file(path);
  if (!content) return fail(std::move(content.error()));
  std::istringstream in(*content);
  std::string version, count, line;
  if (!std::getline(in, version) || version != "0") return damaged(path, "the first line must be the version 0");
  if (!std::getline(in, count)) return damaged(path, "the second line must be the number of entries");
  while (std::getline(in, line)) {
    if (!line.empty()) lines.push_back(line);
  }
  if (std::to_string(lines.size()) != count)
    return damaged(path, fmt::format("{} entries are announced, {} are there", count, lines.size()));
  return lines;
}

Status write_lines(FileSystem& fs, const Path& path, const std::vector<std::string>& lines) {
  std::string content = fmt::format("0\n{}\n", lines.size());
  for (const std::string& line : lines) content += line + '\n';
  return fs.write_file_atomically(path, content);
}

}  // namespace

Expected<OffsetCheckpoint> read_offset_checkpoint(FileSystem& fs, const Path& path) {
  auto lines = read_lines(fs, path);
  if (!lines) return fail(std::move(lines.error()));
  OffsetCheckpoint offsets;
  for (const std::string& line : *lines) {
    std::istringstream fields(line);
    std::string topic;
    int32_t partition = 0;
    int64_t offset = 0;
    if (!(fields >> topic >> partition >> offset))
      return damaged(path, fmt::format("'{}' is not 'topic partition offset'", line));
    offsets[{topic, partition}] = offset;
  }
  return offsets;
}

Status write_offset_checkpoint(FileSystem& fs, const Path& path, const OffsetCheckpoint& offsets) {
  std::vector<std::string> lines;
  for (const auto& [key, offset] : offsets) lines.push_back(fmt::format("{} {} {}", key.first, key.second, offset));
  return write_lines(fs, path, lines);
}

Expected<std::vector<LeaderEpoch>> read_leader_epochs(FileSystem& fs, const Path& path) {
  auto lines = read_lines(fs, path);
  if (!lines) return fail(std::move(lines.error()));
  std::vector<LeaderEpoch> epochs;
  for (const std::string& line : *lines) {
    std::istringstream fields(line);
    LeaderEpoch epoch{};
    if (!(fields >> epoch.epoch >> epoch.start_offset))
      return damaged(path, fmt::format("'{}' is not 'epoch offset'", line));
    epochs.push_back(epoch);
  }
  return epochs;
}

Status write_leader_epochs(FileSystem& fs, const Path& path, const std::vector<LeaderEpoch>& epochs) {
  std::vector<std::string> lines;
  for (const LeaderEpoch& epoch : epochs) lines.push_back(fmt::format("{} {}", epoch.epoch, epoch.start_offset));
  return write_lines(fs, path, lines);
}

Expected<std::optional<std::string>> read_topic_id(FileSystem& fs, const Path& path) {
  if (!fs.exists(path)) return std::nullopt;
  auto content = fs.read_file(path);
  if (!content) return fail(std::move(content.error()));
  constexpr std::string_view kKey = "topic_id: ";
  const size_t at = content->find(kKey);
  if (at == std::string::npos) return damaged(path, "no line 'topic_id: …'");
  return content->substr(at + kKey.size(), content->find('\n', at) - at - kKey.size());
}

Status write_topic_id(FileSystem& fs, const Path& path, std::string_view topic_id) {
  return fs.write_file_atomically(path, fmt::format("version: 0\ntopic_id: {}", topic_id));
}

std::string make_topic_id() {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::random_device random;
  std::string id;
  do {
    std::array<uint8_t, 16> raw{};
    for (uint8_t& byte : raw) byte = static_cast<uint8_t>(random());
    raw[6] = static_cast<uint8_t>((raw[6] & 0x0F) | 0x40);  // a version 4 UUID, as Java makes
    raw[8] = static_cast<uint8_t>((raw[8] & 0x3F) | 0x80);
    id.clear();
    uint32_t bits = 0;
    int held = 0;
    for (const uint8_t byte : raw) {
      bits = (bits << 8) | byte;
      for (held += 8; held >= 6; held -= 6) id += kAlphabet[(bits >> (held - 6)) & 63];
    }
    id += kAlphabet[(bits << (6 - held)) & 63];
  } while (id.front() == '-');
  return id;
}

}  // namespace millrace
