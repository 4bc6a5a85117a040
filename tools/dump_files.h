/// What kafka-dump-log prints of each kind of file in a partition folder. No network, no broker, no locks: the files
/// are read as they are, so a log that is being written may show a torn end. Formats: docs/formats/segment.md.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/file_system.h"
#include "tools/coordinator_records.h"
#include "tools/tool.h"

namespace millrace {

/// How keys and values are shown.
enum class RecordDecoder { kText, kInteger, kLong, kBytes, kOffsets, kTransactions };

struct DumpOptions {
  bool print_records = false;  ///< keys and values
  bool deep = false;           ///< a line for each record
  bool skip_metadata = false;  ///< only keys and values
  bool verify_only = false;    ///< indexes: say only what is wrong
  bool sanity_only = false;    ///< indexes: the check that a broker makes when it starts
  int64_t bytes_max = INT32_MAX;
  RecordDecoder key_decoder = RecordDecoder::kText;
  RecordDecoder value_decoder = RecordDecoder::kText;
};

/// What was found wrong in all files, told at the end. Pairs in the order in which they are told.
struct DumpFindings {
  using Pairs = std::vector<std::pair<int64_t, int64_t>>;
  std::map<std::string, Pairs> index_mismatches;        ///< offset in the index, in the log
  std::map<std::string, Pairs> timestamp_mismatches;    ///< timestamp in the index, in the log
  std::map<std::string, Pairs> timestamps_unordered;    ///< timestamp, the one before it
  std::map<std::string, Pairs> timestamp_offsets_lost;  ///< offset in the index, found in the log or -1
  std::map<std::string, Pairs> gaps;                    ///< offset, the one after it

  std::string text() const;
};

/// Each prints to io.out. Errors: kUnavailable when the file cannot be read, kCorruption for what cannot go on.
Status dump_log_file(const ToolIo& io, const Path& file, const DumpOptions& options, DumpFindings& findings);
Status dump_offset_index(const ToolIo& io, const Path& file, const DumpOptions& options, DumpFindings& findings);
Status dump_time_index(const ToolIo& io, const Path& file, const DumpOptions& options, DumpFindings& findings);
Status dump_transaction_index(const ToolIo& io, const Path& file);
Status dump_snapshot(const ToolIo& io, const Path& file);

}  // namespace millrace
