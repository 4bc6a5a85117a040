/// The offset file of Kafka Connect's standalone mode (offset.storage.file.filename): a HashMap<byte[], byte[]> as
/// Java's object serialization writes it. Keys and values are those of the offset topic.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/file_system.h"

namespace millrace {

/// Key → value; a null value is an offset that was reset.
using OffsetEntries = std::map<std::string, std::optional<std::string>>;

/// Errors: kCorruption saying where the bytes are not such a map. Entries with a null key are left out.
Expected<OffsetEntries> parse_java_map(std::string_view bytes);
std::string java_map(const OffsetEntries& entries);

/// An absent or empty file has no entries. Errors: kCorruption naming the file, kUnavailable.
Expected<OffsetEntries> read_offset_file(FileSystem& files, const Path& path);
/// A crash leaves the old or the new content.
Status write_offset_file(FileSystem& files, const Path& path, const OffsetEntries& entries);

}  // namespace millrace
