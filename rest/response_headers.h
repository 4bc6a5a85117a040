/// `response.http.headers.config`: headers that every answer gets.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "rest/message.h"

namespace millrace {

struct HeaderRule {
  bool add = false;   ///< add, addDate: beside others of the name; else in their place
  bool date = false;  ///< setDate, addDate: the value is milliseconds from now
  std::string name;
  std::string value;
};

/// Comma-separated `action name: value`; a rule in double quotes may hold commas.
/// Errors: kInvalidConfig with Kafka Connect's texts.
Expected<std::vector<HeaderRule>> parse_header_rules(std::string_view config);

void apply_header_rules(const std::vector<HeaderRule>& rules, std::chrono::system_clock::time_point now,
                        RestResponse& response);

}  // namespace millrace
