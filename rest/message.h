/// A request and its answer, free of any HTTP library, and the parts of a request's target.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct RestRequest {
  std::string method = {};  ///< GET HEAD POST PUT PATCH DELETE OPTIONS, or anything else a client has sent
  std::string target = {};  ///< path and query as they were sent
  std::optional<std::string> content_type = {};
  std::optional<std::string> accept = {};
  std::string host = {};  ///< the Host header; empty if there was none
  std::string body = {};
  HttpHeaders headers = {};  ///< all of them, names in lower case
  std::string client = {};   ///< the client's address, for the log
  bool secure = false;       ///< it came over TLS

  /// The first header of a name (in lower case); nullptr if absent.
  const std::string* header(std::string_view name) const;
};

struct RestResponse {
  int status = 200;
  std::string content_type = {};  ///< empty: no such header
  std::string body = {};
  std::string location = {};  ///< empty: no such header
  std::string allow = {};     ///< empty: no such header
  HttpHeaders headers = {};   ///< others
  /// Not 0: nothing has been done since the worker regroups; the same request may succeed after this time.
  std::chrono::milliseconds retry_after{0};
};

/// The path of a target cut at its slashes, percent-decoded, and its query.
struct Target {
  std::vector<std::string> segments;  ///< none for `/`; one trailing slash is not a segment
  std::vector<std::pair<std::string, std::string>> query;

  /// The first value of a parameter; nullptr if absent.
  const std::string* parameter(std::string_view name) const;
  /// `true` in any case is true, anything else false.
  bool flag(std::string_view name, bool if_absent) const;
};

/// Nothing if an escape is malformed (%zz).
std::optional<Target> parse_target(std::string_view target);

/// Whether an Accept header lets a media type through.
bool accepts(std::string_view accept, std::string_view media_type);
inline bool accepts_json(std::string_view accept) { return accepts(accept, "application/json"); }
/// Whether a Content-Type header names application/json; parameters are not looked at.
bool is_json_type(std::string_view content_type);

/// A name as the Location header spells it: UTF-8 in percent escapes; `/`, `;` and escapes that are already there stay.
std::string encode_path(std::string_view name);

bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim_blanks(std::string_view text);  ///< blanks and tabs at both ends
std::string lower_case(std::string_view text);        ///< ASCII

}  // namespace millrace
