/// Kafka's small text files: offset checkpoints of a log directory, leader epochs and the topic id of a partition.
/// All are replaced atomically. Formats: docs/formats/segment.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/file_system.h"

namespace millrace {

/// Offsets by topic and partition: recovery-point-offset-checkpoint, log-start-offset-checkpoint, …
using OffsetCheckpoint = std::map<std::pair<std::string, int32_t>, int64_t>;

/// An absent file is empty. Errors: kCorruption naming file and line; kUnavailable.
Expected<OffsetCheckpoint> read_offset_checkpoint(FileSystem& fs, const Path& path);
Status write_offset_checkpoint(FileSystem& fs, const Path& path, const OffsetCheckpoint& offsets);

struct LeaderEpoch {
  int32_t epoch;
  int64_t start_offset;
  bool operator==(const LeaderEpoch&) const = default;
};
/// Rising in both. An absent file is empty.
Expected<std::vector<LeaderEpoch>> read_leader_epochs(FileSystem& fs, const Path& path);
Status write_leader_epochs(FileSystem& fs, const Path& path, const std::vector<LeaderEpoch>& epochs);

/// The topic id (22 characters) in partition.metadata; nothing when the file is absent.
Expected<std::optional<std::string>> read_topic_id(FileSystem& fs, const Path& path);
Status write_topic_id(FileSystem& fs, const Path& path, std::string_view topic_id);
/// A new random topic id in Kafka's text form; never begins with '-'.
std::string make_topic_id();

}  // namespace millrace
