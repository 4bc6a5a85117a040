/// FileStreamSource: each line of a file, or of standard input, becomes a record with a STRING value.
#pragma once

#include <millrace/connector.hpp>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/file/file_handle.h"
#include "connectors/file/line_buffer.h"

namespace millrace::file {

/// Reads forward, and notices when the file was truncated (goes back to its beginning) or replaced under its name
/// (reads the old one to its end, then the new one). Offsets are {"position": bytes} under {"filename": as configured};
/// standard input has none.
/// Threads: as any task. Blocks only in SourceContext::wait and emit.
class FileSourceTask final : public sdk::SourceTask {
 public:
  FileSourceTask();
  sdk::Status start(sdk::SourceContext& context) override;
  sdk::Status poll(sdk::SourceContext& context) override;
  sdk::Status stop(sdk::SourceContext& context) override;

 private:
  /// What is stored beside the position with offset.file.identity: tells a replaced file from a grown one after a
  /// restart.
  struct Identity {
    int64_t device = 0, inode = 0, head_bytes = 0, head_hash = 0;
    bool operator==(const Identity&) const = default;
  };

  void prepare_records(size_t count);
  sdk::Status read_stored_offset(sdk::SourceContext& context);
  sdk::Status open(sdk::SourceContext& context);
  int64_t start_position(sdk::SourceContext& context, int64_t size) const;
  sdk::Status read_failed(sdk::SourceContext& context, int code);

  /// Takes complete lines from the buffer; false when there are none.
  bool collect();
  void add_line(std::string_view line, int64_t position);
  sdk::Status send(sdk::SourceContext& context, LineBuffer::Mark mark);
  /// Reads once; bytes = 0 at the end.
  sdk::Status fill(sdk::SourceContext& context, size_t& bytes);
  bool readable_now() const;

  sdk::Status at_end(sdk::SourceContext& context);
  sdk::Status restart_truncated(sdk::SourceContext& context, int64_t size);
  sdk::Status follow_replaced(sdk::SourceContext& context);
  sdk::Status send_rest(sdk::SourceContext& context, int64_t position);
  void refresh_identity();
  Identity identity_of(int64_t head_bytes) const;

  std::string path_, topic_;
  bool standard_input_ = false, with_identity_ = false, fail_on_truncation_ = false;
  FileHandle file_;
  bool regular_ = false;
  bool missing_reported_ = false, unreadable_reported_ = false, input_ended_ = false;
  bool replaced_ = false;   // seen once; acted on at the next end, when the old file had time to get its last lines
  bool first_open_ = true;  // the stored position belongs to the first file opened
  int64_t stored_position_ = 0;
  bool stored_identity_known_ = false;
  Identity stored_identity_, identity_;

  LineBuffer buffer_;
  std::vector<mr_record> records_;  // constant parts are filled in once
  std::vector<mr_value> offsets_;   // entries of the source_offset maps
  size_t offset_values_ = 2;        // per record
  mr_value partition_[2]{};
  size_t count_ = 0;                  // records collected
  std::deque<std::string> repaired_;  // lines that were no valid UTF-8
};

struct FileStreamSource {
  using Task = FileSourceTask;
  static constexpr std::string_view kName = "org.apache.kafka.connect.file.FileStreamSourceConnector",
                                    kVersion = "0.1.0";
  static constexpr std::string_view kAliases[] = {"FileStreamSource", "FileStreamSourceConnector"};
  static std::span<const sdk::ConfigKey> config();
  /// Standard input has no offsets, so what was read before a crash is lost or comes twice.
  static sdk::Support exactly_once_support(const sdk::Config& config) {
    return config.string("file").empty() ? sdk::Support::kUnsupported : sdk::Support::kSupported;
  }
  static sdk::Status alter_offset(const sdk::Config& config, const mr_value& partition, const mr_value& offset);
};

}  // namespace millrace::file
