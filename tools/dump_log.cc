// kafka-dump-log: what the files of a partition hold, and whether they agree with each other.
#include <fmt/format.h>

#include "log/file_names.h"
#include "tools/dump_files.h"
#include "tools/options.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

CommandSpec command() {
  constexpr std::string_view kDecoders =
      "Known are StringDecoder, IntegerDecoder, LongDecoder and DefaultDecoder (shown as hex).";
  CommandSpec spec;
  spec.program = "dump-log";
  spec.description =
      "This tool helps to parse a log file and dump its contents to the console, useful for debugging a seemingly "
      "corrupt "
      "log segment.";
  spec.options = {
      {.name = "files",
       .argument = "file1, file2, ...",
       .description = "REQUIRED: The log and index files to be dumped, with commas between.",
       .required = true},
      {.name = "print-data-log", .description = "Print keys and values, too.", .type = OptionType::kFlag},
      {.name = "deep-iteration",
       .description = "A line for each record; goes without saying for --print-data-log.",
       .type = OptionType::kFlag},
      {.name = "verify-index-only",
       .description = "Check indexes against the log without printing them.",
       .type = OptionType::kFlag},
      {.name = "index-sanity-check",
       .description = "Only what a broker checks when it starts.",
       .type = OptionType::kFlag},
      {.name = "max-message-size",
       .argument = "size",
       .description = "Without effect: batches of any size are read.",
       .type = OptionType::kInteger,
       .default_value = "5242880"},
      {.name = "max-bytes",
       .argument = "size",
       .description = "Read only so much of a log file.",
       .type = OptionType::kInteger,
       .default_value = "2147483647"},
      {.name = "key-decoder-class",
       .description = kDecoders,
       .default_value = "org.apache.kafka.tools.api.StringDecoder",
       .takes = OptionSpec::Takes::kOptional},
      {.name = "value-decoder-class",
       .description = kDecoders,
       .default_value = "org.apache.kafka.tools.api.StringDecoder",
       .takes = OptionSpec::Takes::kOptional},
      {.name = "offsets-decoder", .description = "The log is one of __consumer_offsets.", .type = OptionType::kFlag},
      {.name = "transaction-log-decoder",
       .description = "The log is one of __transaction_state.",
       .type = OptionType::kFlag},
      {.name = "skip-record-metadata", .description = "Only keys and values.", .type = OptionType::kFlag},
  };
  return spec;
}

Expected<RecordDecoder> decoder_of(const std::string& class_name) {
  const std::string_view name = std::string_view(class_name).substr(class_name.find_last_of('.') + 1);
  if (name == "StringDecoder") return RecordDecoder::kText;
  if (name == "IntegerDecoder") return RecordDecoder::kInteger;
  if (name == "LongDecoder") return RecordDecoder::kLong;
  if (name == "DefaultDecoder") return RecordDecoder::kBytes;
  return fail(ErrorCode::kInvalidConfig,
              fmt::format("The decoder class {} is not there: this tool runs no Java. Known are StringDecoder, "
                          "IntegerDecoder, LongDecoder and DefaultDecoder",
                          class_name));
}

Expected<DumpOptions> dump_options(const ParsedOptions& options) {
  DumpOptions dump;
  auto key = decoder_of(options.text("key-decoder-class"));
  if (!key) return fail(std::move(key.error()));
  auto value = decoder_of(options.text("value-decoder-class"));
  if (!value) return fail(std::move(value.error()));
  dump.key_decoder = *key;
  dump.value_decoder = options.has("offsets-decoder")           ? RecordDecoder::kOffsets
                       : options.has("transaction-log-decoder") ? RecordDecoder::kTransactions
                                                                : *value;
  dump.print_records = options.has("print-data-log") || options.has("offsets-decoder") ||
                       options.has("transaction-log-decoder") || options.has("key-decoder-class") ||
                       options.has("value-decoder-class");
  dump.deep = dump.print_records || options.has("deep-iteration");
  dump.skip_metadata = options.has("skip-record-metadata");
  dump.verify_only = options.has("verify-index-only");
  dump.sanity_only = options.has("index-sanity-check");
  dump.bytes_max = options.number("max-bytes");
  return dump;
}

Status dump_file(const ToolIo& io, const Path& file, const DumpOptions& options, DumpFindings& findings) {
  io.print(fmt::format("Dumping {}\n", file.string()));
  const std::string suffix = file.extension().string();
  if (suffix == kLogSuffix || suffix == ".checkpoint") return dump_log_file(io, file, options, findings);
  if (suffix == kOffsetIndexSuffix) return dump_offset_index(io, file, options, findings);
  if (suffix == kTimeIndexSuffix) return dump_time_index(io, file, options, findings);
  if (suffix == kSnapshotSuffix) return dump_snapshot(io, file);
  if (suffix == kTransactionIndexSuffix) return dump_transaction_index(io, file);
  io.print_error(fmt::format("Ignoring unknown file {}\n", file.string()));
  return {};
}

}  // namespace

int run_dump_log(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  auto dump = dump_options(*options);
  if (!dump) return usage_error(spec, io, dump.error().message);

  DumpFindings findings;
  int code = kToolOk;
  const std::string files = options->text("files");
  for (size_t at = 0; at <= files.size();) {
    const size_t end = std::min(files.find(',', at), files.size());
    if (const Status dumped = dump_file(io, files.substr(at, end - at), *dump, findings); !dumped)
      code = report_tool_error(io, dumped.error());
    at = end + 1;
  }
  std::fflush(io.out);
  io.print_error(findings.text());
  return code;
}

}  // namespace millrace
