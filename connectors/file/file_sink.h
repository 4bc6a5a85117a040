/// FileStreamSink: appends each record's value as a line of text to a file, or to standard output.
#pragma once

#include <millrace/connector.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "connectors/file/file_handle.h"

namespace millrace::file {

/// Every write is checked and flush() makes the lines durable (fsync) before the worker commits their offsets.
/// A full disk is passing trouble: put answers kUnavailable, keeps what was not yet written and goes on there when the
/// same records come again.
/// Threads: as any task; several tasks may append to one file. Blocks in write and fsync.
class FileSinkTask final : public sdk::SinkTask {
 public:
  sdk::Status start(sdk::SinkContext& context) override;
  sdk::Status put(sdk::SinkContext& context, std::span<const mr_record> records) override;
  sdk::Status flush(sdk::SinkContext& context, std::span<mr_topic_partition> offsets) override;
  sdk::Status stop(sdk::SinkContext& context) override;

 private:
  /// Which batch the unwritten bytes belong to.
  struct Batch {
    std::string topic;
    int32_t partition = 0;
    int64_t first_offset = 0;
    size_t count = 0;
    bool operator==(const Batch&) const = default;
  };
  static Batch batch_of(std::span<const mr_record> records);
  sdk::Status write_out();

  std::string path_;  // for messages
  FileHandle file_;
  bool syncable_ = false;  // pipes and terminals cannot be synced
  bool unsynced_ = false;
  std::string text_;    // lines of the current put
  size_t written_ = 0;  // bytes of text_ already in the file
  Batch pending_;       // valid while written_ < text_.size()
};

struct FileStreamSink {
  using Task = FileSinkTask;
  static constexpr std::string_view kName = "org.apache.kafka.connect.file.FileStreamSinkConnector", kVersion = "0.1.0";
  static constexpr std::string_view kAliases[] = {"FileStreamSink", "FileStreamSinkConnector"};
  static std::span<const sdk::ConfigKey> config();
  static sdk::Status preview(sdk::PreviewContext& context, std::span<const mr_record> records);
};

}  // namespace millrace::file
