#include "tools/line_reader.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "core/java_text.h"

namespace millrace {
namespace {

bool is_true(std::string_view text) {
  text = java_trim(text);
  return text.size() == 4 && strncasecmp(text.data(), "true", 4) == 0;
}

}  // namespace

Expected<LineParser> LineParser::create(const ClientProperties& properties) {
  LineParser parser;
  const auto text = [&](const char* name, std::string& to) {
    if (const auto found = properties.find(name); found != properties.end()) to = found->second;
  };
  const auto flag = [&](const char* name, bool& to) {
    if (const auto found = properties.find(name); found != properties.end()) to = is_true(found->second);
  };
  flag("parse.key", parser.parse_key_);
  flag("parse.headers", parser.parse_headers_);
  flag("ignore.error", parser.ignore_error_);
  text("key.separator", parser.key_separator_);
  text("headers.delimiter", parser.headers_delimiter_);
  text("headers.separator", parser.headers_separator_);
  text("headers.key.separator", parser.headers_key_separator_);
  if (const auto found = properties.find("null.marker"); found != properties.end()) parser.null_marker_ = found->second;

  const auto equal = [](std::string_view first, std::string_view second) {
    return fail(ErrorCode::kInvalidConfig, fmt::format("{} and {} may not be equal", first, second));
  };
  if (parser.headers_delimiter_ == parser.headers_separator_) return equal("headers.delimiter", "headers.separator");
  if (parser.headers_delimiter_ == parser.headers_key_separator_)
    return equal("headers.delimiter", "headers.key.separator");
  if (parser.headers_separator_ == parser.headers_key_separator_)
    return equal("headers.separator", "headers.key.separator");
  if (parser.is_null(parser.key_separator_)) return equal("null.marker", "key.separator");
  if (parser.is_null(parser.headers_separator_)) return equal("null.marker", "headers.separator");
  if (parser.is_null(parser.headers_delimiter_)) return equal("null.marker", "headers.delimiter");
  if (parser.is_null(parser.headers_key_separator_)) return equal("null.marker", "headers.key.separator");
  return parser;
}

Expected<std::optional<std::string_view>> LineParser::part(bool enabled, std::string_view line, size_t from,
                                                           const std::string& separator,
                                                           std::string_view separator_name) const {
  if (!enabled) return std::optional<std::string_view>();
  const size_t end = line.find(separator, from);
  if (end != std::string_view::npos) return line.substr(from, end - from);
  if (ignore_error_) return std::optional<std::string_view>();
  return fail(ErrorCode::kBadRecord,
              fmt::format("No {} found on line number {}: '{}'", separator_name, line_number_, line));
}

Expected<LineRecord> LineParser::parse(std::string_view line) {
  ++line_number_;
  LineRecord record;
  size_t at = 0;
  auto headers = part(parse_headers_, line, 0, headers_delimiter_, "headers delimiter");
  if (!headers) return fail(std::move(headers.error()));
  if (*headers) at = (*headers)->size() + headers_delimiter_.size();
  auto key = part(parse_key_, line, at, key_separator_, "key separator");
  if (!key) return fail(std::move(key.error()));
  if (*key) at += (*key)->size() + key_separator_.size();
  const std::string_view value = line.substr(at);

  if (*key && !is_null(**key)) record.key.emplace(**key);
  if (!is_null(value)) record.value.emplace(value);
  if (*headers && !is_null(**headers)) {
    if (auto split = split_headers(**headers, record); !split) return fail(std::move(split.error()));
  }
  return record;
}

Status LineParser::split_headers(std::string_view text, LineRecord& record) const {
  std::vector<std::string_view> pairs;
  for (size_t at = 0; at <= text.size();) {
    const size_t end =
        headers_separator_.empty() ? text.size() : std::min(text.find(headers_separator_, at), text.size());
    pairs.push_back(text.substr(at, end - at));
    at = end + std::max<size_t>(headers_separator_.size(), 1);
  }
  // Java's split drops empty pieces at the end, though not all of an empty text.
  while (pairs.size() > 1 && pairs.back().empty()) pairs.pop_back();

  for (const std::string_view pair : pairs) {
    const size_t colon = pair.find(headers_key_separator_);
    if (colon == std::string_view::npos) {
      if (!ignore_error_) {
        return fail(ErrorCode::kBadRecord,
                    fmt::format("No header key separator found in pair '{}' on line number {}", pair, line_number_));
      }
      record.headers.push_back({std::string(pair), std::nullopt});
      continue;
    }
    const std::string_view key = pair.substr(0, colon);
    if (is_null(key)) {
      return fail(ErrorCode::kBadRecord, fmt::format("Header keys should not be equal to the null marker '{}' as they "
                                                     "can't be null",
                                                     *null_marker_));
    }
    LineHeader header{std::string(key), std::nullopt};
    const std::string_view value = pair.substr(colon + headers_key_separator_.size());
    if (!is_null(value)) header.value.emplace(value);
    record.headers.push_back(std::move(header));
  }
  return {};
}

LineSource::Got LineSource::take(size_t end, size_t skip, std::string_view& line) {
  line = std::string_view(buffer_).substr(at_, end - at_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  at_ = end + skip;
  return Got::kLine;
}

LineSource::Got LineSource::next(std::string_view& line) {
  constexpr size_t kReadBytes = 64 * 1024;
  size_t searched = at_;
  while (true) {
    if (const size_t end = buffer_.find('\n', searched); end != std::string::npos) return take(end, 1, line);
    if (ended_) {
      if (at_ >= buffer_.size()) return Got::kEnd;
      return take(buffer_.size(), 0, line);
    }
    buffer_.erase(0, at_);
    at_ = 0;
    searched = buffer_.size();
    pollfd waits[2] = {{input_, POLLIN, 0}, {wake_, POLLIN, 0}};
    if (::poll(waits, wake_ < 0 ? 1 : 2, -1) < 0) continue;  // a signal that is none of ours
    if (wake_ >= 0 && waits[1].revents != 0) return Got::kWoken;
    buffer_.resize(searched + kReadBytes);
    const ssize_t got = ::read(input_, buffer_.data() + searched, kReadBytes);
    buffer_.resize(searched + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got <= 0) ended_ = true;
  }
}

}  // namespace millrace
