#include "rest/http_answer.h"

#include <fmt/format.h>

#include <array>
#include <ctime>

namespace millrace {
namespace {

void append_header(std::string& to, std::string_view name, std::string_view value) {
  to += name;
  to += ": ";
  for (const char c : value) to += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  to += "\r\n";
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Request Entity Too Large";
    case 414:
      return "Request-URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return {};
  }
}

std::string http_date(std::chrono::system_clock::time_point time) {
  // Not strftime: its names follow the locale.
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[static_cast<size_t>(parts.tm_wday)], parts.tm_mday,
                     kMonths[static_cast<size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                     parts.tm_sec);
}

std::string answer_head(const RestResponse& response, bool keep_alive) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  append_header(head, "Date", http_date(std::chrono::system_clock::now()));
  if (!response.content_type.empty()) append_header(head, "Content-Type", response.content_type);
  if (!response.location.empty()) append_header(head, "Location", response.location);
  if (!response.allow.empty()) append_header(head, "Allow", response.allow);
  for (const auto& [name, value] : response.headers) append_header(head, name, value);
  if (response.status != 204) append_header(head, "Content-Length", std::to_string(response.body.size()));
  if (!keep_alive) append_header(head, "Connection", "close");
  return head += "\r\n";
}

bool has_body(const RestResponse& response, std::string_view method) {
  return method != "HEAD" && response.status != 204;
}

}  // namespace millrace
