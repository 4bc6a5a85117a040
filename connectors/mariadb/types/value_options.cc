#include "connectors/mariadb/types/value_options.h"

#include <openssl/evp.h>

#include <charconv>

#include "connectors/mariadb/types/rules.h"
#include "connectors/mariadb/types/temporal.h"

namespace millrace::mariadb {
namespace {

using connectors::Code;
using connectors::Result;
using connectors::Status;
using Rules = ValueOptions::Rules;

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

Status invalid(std::string_view key, std::string_view value, std::string_view why) {
  return {Code::kInvalidConfig, std::string(key) + ": '" + std::string(value) + "' " + std::string(why)};
}

// ---- modes

template <class Mode>
struct Word {
  std::string_view word;
  Mode mode;
};
constexpr Word<DecimalMode> kDecimal[] = {
    {"precise", DecimalMode::kPrecise}, {"double", DecimalMode::kDouble}, {"string", DecimalMode::kString}};
constexpr Word<BigintUnsignedMode> kBigint[] = {{"long", BigintUnsignedMode::kLong},
                                                {"precise", BigintUnsignedMode::kPrecise}};
constexpr Word<TimePrecisionMode> kTime[] = {
    {"adaptive_time_microseconds", TimePrecisionMode::kAdaptiveTimeMicroseconds},
    {"connect", TimePrecisionMode::kConnect},
    {"isostring", TimePrecisionMode::kIsoString},
    {"microseconds", TimePrecisionMode::kMicroseconds},
    {"nanoseconds", TimePrecisionMode::kNanoseconds},
    {"structured", TimePrecisionMode::kStructured}};
constexpr Word<BinaryMode> kBinary[] = {{"bytes", BinaryMode::kBytes},
                                        {"base64", BinaryMode::kBase64},
                                        {"base64-url-safe", BinaryMode::kBase64UrlSafe},
                                        {"hex", BinaryMode::kHex}};

template <class Mode, size_t kCount>
Status read_mode(const sdk::Config& config, std::string_view key, const Word<Mode> (&words)[kCount], Mode& mode) {
  const auto text = config.get(key);
  if (!text || text->empty()) return {};
  std::string all;
  for (const Word<Mode>& word : words) {
    if (lower_case(*text) == word.word) {
      mode = word.mode;
      return {};
    }
    all += (all.empty() ? "" : ", ") + std::string(word.word);
  }
  return invalid(key, *text, "is none of " + all);
}

// ---- keys with a number or an algorithm in them

/// What stands between `prefix` and `suffix` in `key`, if it has them.
std::optional<std::string_view> middle(std::string_view key, std::string_view prefix, std::string_view suffix) {
  if (!key.starts_with(prefix) || !key.ends_with(suffix) || key.size() <= prefix.size() + suffix.size())
    return std::nullopt;
  return key.substr(prefix.size(), key.size() - prefix.size() - suffix.size());
}

Status read_list(std::string_view key, std::string_view text, RegexList& list) {
  Result<RegexList> parsed = RegexList::parse(key, text);
  if (!parsed.ok()) return parsed.status();
  list = std::move(parsed.value());
  return {};
}

template <class Rule>
Status read_counted(std::string_view key, std::string_view value, std::string_view digits, std::vector<Rule>& rules) {
  Rule rule;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), rule.chars);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size())
    return invalid(key, digits, "in the name of the setting is not a number of characters");
  if (Status s = read_list(key, value, rule.columns); !s.ok()) return s;
  rules.push_back(std::move(rule));
  return {};
}

Status read_hash(std::string_view key, std::string_view value, std::string_view rest, std::vector<Rules::Hash>& rules) {
  constexpr std::string_view kSalt = ".with.salt.";
  Rules::Hash rule;
  rule.plain = rest.starts_with("v2.");
  if (rule.plain) rest.remove_prefix(3);
  const size_t salt = rest.find(kSalt);
  if (salt == rest.npos || salt == 0 || salt + kSalt.size() == rest.size())
    return invalid(key, rest, "is not <algorithm>.with.salt.<salt>");
  rule.algorithm = rest.substr(0, salt);
  rule.salt = rest.substr(salt + kSalt.size());
  EVP_MD* known = EVP_MD_fetch(nullptr, rule.algorithm.c_str(), nullptr);
  if (known == nullptr) return invalid(key, rule.algorithm, "is no known hash algorithm; SHA-256 and SHA-512 are");
  EVP_MD_free(known);
  if (Status s = read_list(key, value, rule.columns); !s.ok()) return s;
  rules.push_back(std::move(rule));
  return {};
}

Status read_column_rules(const sdk::Config& config, Rules& rules) {
  for (const auto& [key, value] : config.all()) {
    Status status;
    if (const auto digits = middle(key, "column.truncate.to.", ".chars")) {
      status = read_counted(key, value, *digits, rules.truncates);
    } else if (const auto count = middle(key, "column.mask.with.", ".chars")) {
      status = read_counted(key, value, *count, rules.masks);
    } else if (const auto rest = middle(key, "column.mask.hash.", "")) {
      status = read_hash(key, value, *rest, rules.hashes);
    }
    if (!status.ok()) return status;
  }
  constexpr std::string_view kColumns = "column.propagate.source.type", kTypes = "datatype.propagate.source.type";
  if (Status s = read_list(kColumns, config.string(kColumns), rules.propagate_columns); !s.ok()) return s;
  return read_list(kTypes, config.string(kTypes), rules.propagate_types);
}

// ---- converters

/// `<name>.<option>` of one converter.
struct ConverterConfig {
  const sdk::Config& config;
  std::string name;

  std::string key(std::string_view option) const { return name + "." + std::string(option); }
  std::string text(std::string_view option) const { return config.string(key(option)); }
  bool boolean(std::string_view option, bool otherwise) const {
    const std::string value = lower_case(text(option));
    return value.empty() ? otherwise : value == "true";
  }
  Status list(std::string_view option, RegexList& out) const { return read_list(key(option), text(option), out); }
  Status selector(std::optional<RegexList>& out) const {
    if (text("selector").empty()) return {};
    return list("selector", out.emplace());
  }
};

Status read_boolean_converter(const ConverterConfig& config, Rules& rules) {
  BooleanConverter rule;
  rule.length_checker = config.boolean("length.checker", true);
  if (Status s = config.selector(rule.selector); !s.ok()) return s;
  rules.converters.emplace_back(std::move(rule));
  return {};
}

Status read_jdbc_sink_converter(const ConverterConfig& config, Rules& rules) {
  JdbcSinkConverter rule;
  rule.real_as_double = config.boolean("treat.real.as.double", true);
  if (Status s = config.list("selector.boolean", rule.boolean); !s.ok()) return s;
  if (Status s = config.list("selector.real", rule.real); !s.ok()) return s;
  if (Status s = config.list("selector.string", rule.string); !s.ok()) return s;
  rules.converters.emplace_back(std::move(rule));
  return {};
}

Status read_zero_date_converter(const ConverterConfig& config, Rules& rules) {
  constexpr std::string_view kNames[] = {"date", "datetime", "timestamp"};
  ZeroDateConverter rule;
  if (Status s = config.selector(rule.selector); !s.ok()) return s;
  const std::vector<std::string> targets = config.config.list(config.key("target.types"));
  for (int type = 0; type < ZeroDateConverter::kTypes; ++type) {
    if (!targets.empty()) rule.applies[type] = false;
    for (const std::string& target : targets) rule.applies[type] |= lower_case(target) == kNames[type];
    const std::string option = "fallback." + std::string(kNames[type]);
    auto fallback =
        parse_zero_date_fallback(config.key(option), config.text(option), static_cast<ZeroDateConverter::Type>(type));
    if (!fallback.ok()) return fallback.status();
    rule.fallback[type] = *fallback;
  }
  for (const auto& [key, value] : config.config.all())
    if (const auto column = middle(key, config.key("column."), ".fallback"))
      rule.of_column.emplace_back(*column, value);
  rules.converters.emplace_back(std::move(rule));
  return {};
}

Status read_converter(const ConverterConfig& config, Rules& rules) {
  constexpr std::string_view kPackages[] = {"io.debezium.connector.binlog.converters.",
                                            "io.debezium.connector.mysql.converters.",
                                            "io.debezium.connector.mariadb.converters."};
  const std::string type = config.text("type");
  if (type.empty())
    return {Code::kInvalidConfig, config.key("type") + ": the converter '" + config.name + "' needs its class name"};
  std::string_view name;
  for (const std::string_view package : kPackages)
    if (type.starts_with(package)) name = std::string_view(type).substr(package.size());
  if (name == "TinyIntOneToBooleanConverter") return read_boolean_converter(config, rules);
  if (name == "JdbcSinkDataTypesConverter") return read_jdbc_sink_converter(config, rules);
  if (name == "ZeroDateFallbackConverter") return read_zero_date_converter(config, rules);
  return invalid(config.key("type"), type,
                 "is Java code, which cannot run here. Built in, under io.debezium.connector.binlog.converters, are "
                 "TinyIntOneToBooleanConverter, JdbcSinkDataTypesConverter and ZeroDateFallbackConverter");
}

}  // namespace

Result<std::optional<WallTime>> parse_zero_date_fallback(std::string_view key, std::string_view text,
                                                         ZeroDateConverter::Type type) {
  if (text.empty() || lower_case(text) == "null") return std::optional<WallTime>();
  constexpr std::string_view kForms[] = {"a date (yyyy-MM-dd)", "a reading (yyyy-MM-dd HH:mm:ss)",
                                         "a time in UTC (yyyy-MM-ddTHH:mm:ssZ)"};
  WallTime time{};
  const bool form = type == ZeroDateConverter::kDate       ? text.size() == 10
                    : type == ZeroDateConverter::kDateTime ? text.size() >= 19 && text[10] == ' '
                                                           : text.size() >= 17 && text[10] == 'T' && text.back() == 'Z';
  if (!form || !parse_date_time(text, time) || !is_calendar_date(time))
    return invalid(key, text, "is not " + std::string(kForms[type]) + " or NULL");
  return std::optional<WallTime>(time);
}

Result<ValueOptions> ValueOptions::parse(const sdk::Config& config) {
  ValueOptions options;
  if (Status s = read_mode(config, "decimal.handling.mode", kDecimal, options.decimal); !s.ok()) return s;
  if (Status s = read_mode(config, "bigint.unsigned.handling.mode", kBigint, options.bigint_unsigned); !s.ok())
    return s;
  if (Status s = read_mode(config, "time.precision.mode", kTime, options.time_precision); !s.ok()) return s;
  if (Status s = read_mode(config, "binary.handling.mode", kBinary, options.binary); !s.ok()) return s;
  if (config.get("enable.time.adjuster")) options.time_adjuster = config.boolean("enable.time.adjuster");
  options.include_comments = config.boolean("include.schema.comments");
  if (const auto text = config.get("unavailable.value.placeholder")) options.unavailable_placeholder = *text;

  auto rules = std::make_shared<Rules>();
  if (Status s = read_column_rules(config, *rules); !s.ok()) return s;
  for (const std::string& name : config.list("converters"))
    if (Status s = read_converter({config, name}, *rules); !s.ok()) return s;
  options.rules = std::move(rules);
  return options;
}

}  // namespace millrace::mariadb
