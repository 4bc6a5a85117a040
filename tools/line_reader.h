/// Turns lines of the standard input into records, as kafka-console-producer's reader does:
/// "h1:v1,h2:v2<delimiter>key<separator>value", headers and key only when asked for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "tools/client_properties.h"

namespace millrace {

struct LineHeader {
  std::string key;
  std::optional<std::string> value;
};

/// A record of one line.
struct LineRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<LineHeader> headers;
};

class LineParser {
 public:
  /// Of `properties`: parse.key, key.separator, parse.headers, headers.delimiter, headers.separator,
  /// headers.key.separator, ignore.error, null.marker. Errors: kInvalidConfig when two of them are equal.
  static Expected<LineParser> create(const ClientProperties& properties);

  /// The record of the next line. Errors: kBadRecord for a line without an expected separator, naming its number.
  Expected<LineRecord> parse(std::string_view line);

 private:
  Expected<std::optional<std::string_view>> part(bool enabled, std::string_view line, size_t from,
                                                 const std::string& separator, std::string_view separator_name) const;
  Status split_headers(std::string_view text, LineRecord& record) const;
  bool is_null(std::string_view text) const { return null_marker_ && text == *null_marker_; }

  bool parse_key_ = false;
  bool parse_headers_ = false;
  bool ignore_error_ = false;
  std::string key_separator_ = "\t";
  std::string headers_delimiter_ = "\t";
  std::string headers_separator_ = ",";
  std::string headers_key_separator_ = ":";
  std::optional<std::string> null_marker_;
  int64_t line_number_ = 0;
};

/// Lines of a descriptor, woken by a second one. Threads: one.
class LineSource {
 public:
  /// `wake`: a descriptor whose readability ends the wait (a StopSignals); -1 = none.
  LineSource(int input, int wake) : input_(input), wake_(wake) {}

  enum class Got { kLine, kEnd, kWoken };
  /// The next line without its \n or \r\n; the view is valid until the next call.
  Got next(std::string_view& line);
  /// True when next() would return without waiting for input.
  bool has_line() const { return buffer_.find('\n', at_) != std::string::npos; }

 private:
  Got take(size_t end, size_t skip, std::string_view& line);
  int input_;
  int wake_;
  std::string buffer_;
  size_t at_ = 0;
  bool ended_ = false;
};

}  // namespace millrace
