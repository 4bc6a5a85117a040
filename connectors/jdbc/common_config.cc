#include "connectors/jdbc/common_config.h"

#include <re2/re2.h>

#include <algorithm>

namespace millrace::jdbc {
namespace {

bool own_connection_key(std::string_view key) {
  return key == "connection.url" || key == "connection.user" || key == "connection.password" ||
         key == "connection.attempts" || key == "connection.backoff.ms";
}

}  // namespace

Result<ConnectionSettings> connection_settings(const sdk::Config& config) {
  auto url = parse_jdbc_url(config.string("connection.url"));
  if (!url.ok()) return url.status();
  ConnectionSettings settings;
  settings.url = std::move(*url);
  for (const auto& [key, value] : config.all()) {
    if (!key.starts_with("connection.") || own_connection_key(key)) continue;
    const std::string name = lower(std::string_view(key).substr(11));
    if (!settings.url.wins_over_settings() || !settings.url.parameters.contains(name))
      settings.url.parameters[name] = value;
  }
  const auto chosen = [&](const std::string& of_url, const char* key) {
    if (settings.url.wins_over_settings() && !of_url.empty()) return of_url;
    return config.get(key).value_or(of_url);
  };
  settings.user = chosen(settings.url.user, "connection.user");
  settings.password = chosen(settings.url.password, "connection.password");
  settings.attempts = static_cast<int>(std::max<int64_t>(config.int64("connection.attempts"), 1));
  settings.backoff_ms = config.int64("connection.backoff.ms");
  return settings;
}

Result<bool> quotes_identifiers(const sdk::Config& config) {
  const std::string given = config.string("quote.sql.identifiers");
  const std::string text = lower(given);
  if (text == "always" || text.empty()) return true;
  if (text == "never") return false;
  return Status(Code::kInvalidConfig, "No matching QuoteMethod found for '" + given + "'");
}

Result<std::unique_ptr<Session>> trial_session(const sdk::Config& config, bool for_writing) {
  auto settings = connection_settings(config);
  if (!settings.ok()) return settings.status();
  if (auto quotes = quotes_identifiers(config); !quotes.ok()) return quotes.status();
  settings->attempts = 1;
  settings->trial = true;
  settings->connect_timeout_s = 5;
  return open_session(*settings, for_writing, [](int64_t) { return true; });
}

Result<WallClock> wall_clock(const sdk::Config& config) {
  auto zone = TimeZone::load(config.string("db.timezone"));
  if (!zone.ok()) return Status(Code::kInvalidConfig, "db.timezone: " + zone.status().message());
  return WallClock{std::move(*zone), config.string("date.calendar.system") == "PROLEPTIC_GREGORIAN"
                                         ? CalendarSystem::kProlepticGregorian
                                         : CalendarSystem::kLegacy};
}

int32_t check_enumerator(mr_str value, std::initializer_list<std::string_view> options, mr_error* error) {
  const std::string_view text = sdk::view(value);
  const std::string low = lower(text);
  std::string up = low;
  for (char& c : up) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (text == low || text == up) {
    for (const std::string_view option : options) {
      if (option == low) return MR_OK;
    }
  }
  return sdk::set_error(error, MR_INVALID_CONFIG, "Invalid enumerator");
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      std::string_view part = text.substr(begin, i - begin);
      while (part.starts_with(' ')) part.remove_prefix(1);
      while (part.ends_with(' ')) part.remove_suffix(1);
      if (!part.empty()) parts.emplace_back(part);
      begin = i + 1;
    } else if (text[i] == '[') {
      ++depth;
    } else if (text[i] == ']') {
      --depth;
    }
  }
  return parts;
}

namespace check {

int32_t time_zone(mr_str value, mr_error* error) {
  const auto zone = TimeZone::load(sdk::view(value));
  return zone.ok() ? MR_OK : sdk::set_error(error, MR_INVALID_CONFIG, zone.status().message());
}

int32_t calendar_system(mr_str value, mr_error* error) {
  const std::string_view text = sdk::view(value);
  if (text == "LEGACY" || text == "PROLEPTIC_GREGORIAN") return MR_OK;
  return sdk::set_error(error, MR_INVALID_CONFIG, "String must be one of: LEGACY, PROLEPTIC_GREGORIAN");
}

int32_t dialect_name(mr_str value, mr_error* error) {
  constexpr std::string_view kNames[] = {"",
                                         "Db2DatabaseDialect",
                                         "DerbyDatabaseDialect",
                                         "GenericDatabaseDialect",
                                         "MySqlDatabaseDialect",
                                         "OracleDatabaseDialect",
                                         "PostgreSqlDatabaseDialect",
                                         "SapHanaDatabaseDialect",
                                         "SqlServerDatabaseDialect",
                                         "SqliteDatabaseDialect",
                                         "SybaseDatabaseDialect",
                                         "VerticaDatabaseDialect"};
  const bool known = std::find(std::begin(kNames), std::end(kNames), sdk::view(value)) != std::end(kNames);
  return known ? MR_OK : sdk::set_error(error, MR_INVALID_CONFIG, "Invalid enumerator");
}

int32_t credentials_provider(mr_str value, mr_error* error) {
  if (sdk::view(value) == kDefaultCredentialsProvider) return MR_OK;
  return sdk::set_error(
      error, MR_INVALID_CONFIG,
      "credentials providers are Java classes and cannot be loaded here; set connection.user and connection.password, "
      "for example from a config provider: ${file:/path:key}");
}

int32_t topic_prefix(mr_str value, mr_error* error) {
  const std::string_view text = sdk::view(value);
  if (text.size() > 249) {
    return sdk::set_error(error, MR_INVALID_CONFIG,
                          "Topic prefix length must not exceed max topic name length, 249 chars");
  }
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '.' || c == '_' || c == '-';
  });
  if (plain) return MR_OK;
  return sdk::set_error(
      error, MR_INVALID_CONFIG,
      "Topic prefix must not contain any character other than ASCII alphanumerics, '.', '_' and '-'.");
}

int32_t regex_list(mr_str value, mr_error* error) {
  // The worker splits lists at every comma, so the expressions are checked in the same pieces.
  const std::string_view text = sdk::view(value);
  for (size_t begin = 0; begin <= text.size() && !text.empty();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    const RE2 expression(std::string(text.substr(begin, comma - begin)), RE2::Quiet);
    if (!expression.ok()) {
      std::string detail = expression.error();
      if (detail.starts_with("missing ]")) detail = "missing closing ]" + detail.substr(9);
      if (const size_t colon = detail.find(": "); colon != std::string::npos)
        detail = detail.substr(0, colon + 2) + "`" + detail.substr(colon + 2) + "`";
      return sdk::set_error(
          error, MR_INVALID_CONFIG,
          "Must be a valid comma-separated list of regular expression patterns: error parsing regexp: " + detail);
    }
    begin = comma + 1;
  }
  return MR_OK;
}

int32_t select_statement(mr_str value, mr_error* error) {
  const std::string_view text = sdk::view(value);
  if (text.empty()) return MR_OK;
  static const RE2* const kSelect = new RE2("(?is)SELECT\\b.*");
  if (RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *kSelect)) return MR_OK;
  return sdk::set_error(
      error, MR_INVALID_CONFIG,
      "Only SELECT statements are supported for 'query'. Please provide a statement that starts with SELECT.");
}

}  // namespace check
}  // namespace millrace::jdbc
