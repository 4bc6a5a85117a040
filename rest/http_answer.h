/// The bytes of an HTTP/1.1 answer.
#pragma once

#include <string>
#include <string_view>

#include "rest/message.h"

namespace millrace {

/// Status line and headers. Header values lose their line ends: nothing that a caller puts there can begin a header of
/// its own.
std::string answer_head(const RestResponse& response, bool keep_alive);
/// Whether an answer has a body: not to HEAD, not with 204.
bool has_body(const RestResponse& response, std::string_view method);
/// `Sun, 06 Nov 1994 08:49:37 GMT`
std::string http_date(std::chrono::system_clock::time_point time);

/// The words of a status code that routing and parsing use; empty for others.
std::string_view reason_phrase(int status);

}  // namespace millrace
