/// Settings that source and sink share: the connection, quoting, time zone, and the checks of single values.
#pragma once

#include "connectors/jdbc/jdbc_parameters.h"
#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

inline constexpr const char* kDefaultCredentialsProvider =
    "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider";

/// connection.url, .user, .password and any other connection.* as a driver parameter.
/// Errors: kInvalidConfig, naming the setting.
Result<ConnectionSettings> connection_settings(const sdk::Config& config);

/// Warns once of driver parameters nobody knows, with what may have been meant.
template <class Context>
void warn_of_ignored_parameters(const Context& context, const ConnectionSettings& settings) {
  const auto ignored = ignored_parameters(settings.url);
  if (ignored.empty()) return;
  std::string names;
  for (const std::string& name : ignored) names += (names.empty() ? "" : ", ") + name;
  context.warn("connection.url: unknown parameters are ignored: " + names);
}

/// quote.sql.identifiers. Errors: kInvalidConfig.
Result<bool> quotes_identifiers(const sdk::Config& config);

/// One attempt of a few seconds to connect with these settings, for validation.
Result<std::unique_ptr<Session>> trial_session(const sdk::Config& config, bool for_writing);

/// db.timezone and date.calendar.system, already validated.
Result<WallClock> wall_clock(const sdk::Config& config);

/// Single-value checks in the ABI's form; messages are Connect's own.
namespace check {
int32_t time_zone(mr_str value, mr_error* error);
int32_t calendar_system(mr_str value, mr_error* error);
int32_t dialect_name(mr_str value, mr_error* error);
int32_t credentials_provider(mr_str value, mr_error* error);
int32_t topic_prefix(mr_str value, mr_error* error);
int32_t regex_list(mr_str value, mr_error* error);
int32_t select_statement(mr_str value, mr_error* error);
}  // namespace check

/// MR_OK if `value` is one of `options`, all lower or all upper case; else "Invalid enumerator".
int32_t check_enumerator(mr_str value, std::initializer_list<std::string_view> options, mr_error* error);

/// The text between [ and ] of a list setting split at commas outside brackets.
std::vector<std::string> split_list(std::string_view text);

}  // namespace millrace::jdbc
