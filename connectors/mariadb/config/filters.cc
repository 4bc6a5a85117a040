#include "connectors/mariadb/config/filters.h"

#include <re2/re2.h>

#include <algorithm>

namespace millrace::mariadb {
namespace {

using connectors::Code;
using connectors::Result;
using connectors::Status;

constexpr int64_t kMostRegexMemory = int64_t{64} << 20;  // lists of thousands of tables

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

RE2::Options regex_options() {
  RE2::Options options(RE2::Quiet);
  options.set_case_sensitive(false);
  options.set_max_mem(kMostRegexMemory);
  return options;
}

/// Java's named groups in RE2's spelling; groups capture nothing here.
std::string translated(const std::string& expression) {
  std::string out;
  bool quoted = false, in_class = false;
  for (size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c == '\\' && i + 1 < expression.size()) {
      if (expression[i + 1] == 'Q') quoted = true;
      if (expression[i + 1] == 'E') quoted = false;
      out.append(expression, i++, 2);
      continue;
    }
    if (!quoted && c == '[') in_class = true;
    if (!quoted && c == ']') in_class = false;
    const bool named = !quoted && !in_class && expression.compare(i, 3, "(?<") == 0 && i + 3 < expression.size() &&
                       expression[i + 3] != '=' && expression[i + 3] != '!';
    const size_t end = named ? expression.find('>', i) : std::string::npos;
    if (end != std::string::npos) {
      out += "(?:";
      i = end;
    } else {
      out += c;
    }
  }
  return out;
}

/// Java reads these otherwise than RE2, which would not complain.
std::string silent_difference(const std::string& expression) {
  bool in_class = false;
  for (size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c == '\\') {
      if (expression.compare(i, 2, "\\Q") == 0) i = std::min(expression.find("\\E", i), expression.size());
      ++i;
    } else if (in_class) {
      if (c == ']') in_class = false;
      if (c == '[') return "a character class within a character class cannot be used here";
      if (expression.compare(i, 2, "&&") == 0) return "an intersection (&&) of character classes cannot be used here";
    } else if (c == '[') {
      in_class = true;
      if (i + 1 < expression.size() && expression[i + 1] == '^') ++i;
      if (i + 1 < expression.size() && expression[i + 1] == ']') ++i;
    } else if (c == '{' && expression.find('}', i) == std::string::npos) {
      return "Unclosed counted closure (a comma within an expression is written \\,)";
    }
  }
  return {};
}

/// Java's words, which users know from Debezium, where it is simple.
std::string complaint(const std::string& expression, const RE2& compiled) {
  const auto java = [&](std::string_view what, size_t index) {
    return std::string(what) + " near index " + std::to_string(index) + "\n" + expression + "\n" +
           std::string(index, ' ') + "^";
  };
  const std::string& at = compiled.error_arg();
  switch (compiled.error_code()) {
    case RE2::ErrorMissingBracket:
      return java("Unclosed character class", expression.size() - 1);
    case RE2::ErrorMissingParen:
      return "Unclosed group near index " + std::to_string(expression.size()) + "\n" + expression;
    case RE2::ErrorRepeatArgument:
      return java("Dangling meta character '" + at.substr(0, 1) + "'",
                  std::min(expression.find(at), expression.size()));
    case RE2::ErrorBadPerlOp:
      return "`" + expression + "` uses " + at +
             ", which is not supported here: expressions have no look-around; use the exclude list of the same name, "
             "or "
             "spell out what is to match";
    case RE2::ErrorRepeatOp:
      return "`" + expression + "` uses " + at + ", which is not supported here: leave out the second sign";
    case RE2::ErrorBadEscape:
      return "`" + expression + "` uses " + at + ", which is not supported here (back references are not, either)";
    default:
      return "`" + expression + "` is refused: " + compiled.error();
  }
}

}  // namespace

std::vector<std::string> split_regex_list(std::string_view text) {
  std::vector<std::string> elements(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      if (text[i + 1] != ',') elements.back() += text[i];
      elements.back() += text[++i];
    } else if (text[i] == ',') {
      elements.emplace_back();
    } else {
      elements.back() += text[i];
    }
  }
  for (std::string& element : elements) element = trimmed(element);
  std::erase(elements, "");
  return elements;
}

std::string regex_fault(const std::string& expression) {
  const RE2 compiled(translated(expression), regex_options());
  if (!compiled.ok()) return complaint(expression, compiled);
  const std::string why = silent_difference(expression);
  return why.empty() ? why : why + ": `" + expression + "`";
}

struct RegexList::Impl {
  std::vector<std::unique_ptr<RE2>> each;
  std::unique_ptr<RE2> any;  ///< all in one automaton; null if it would be too big
};

Result<RegexList> RegexList::of(std::string_view key, const std::vector<std::string>& elements) {
  RegexList list;
  if (elements.empty()) return list;
  auto impl = std::make_shared<Impl>();
  std::string all;
  for (const std::string& expression : elements) {
    if (const std::string why = regex_fault(expression); !why.empty()) {
      return Status(Code::kInvalidConfig,
                    "The '" + std::string(key) +
                        "' value is invalid: A comma-separated list of valid regular expressions is expected, but " +
                        why);
    }
    const std::string pattern = translated(expression);
    impl->each.push_back(std::make_unique<RE2>(pattern, regex_options()));
    // A quotation that is not closed would swallow the bracket.
    const bool open = pattern.rfind("\\Q") != std::string::npos &&
                      (pattern.rfind("\\E") == std::string::npos || pattern.rfind("\\E") < pattern.rfind("\\Q"));
    all += (all.empty() ? "(?:" : "|(?:") + pattern + (open ? "\\E)" : ")");
  }
  if (impl->each.size() > 1) {
    impl->any = std::make_unique<RE2>(all, regex_options());
    if (!impl->any->ok()) impl->any.reset();
  }
  list.impl_ = std::move(impl);
  return list;
}

Result<RegexList> RegexList::parse(std::string_view key, std::string_view text) {
  return of(key, split_regex_list(text));
}

bool RegexList::empty() const { return impl_ == nullptr; }

bool RegexList::matches(std::string_view name) const {
  if (impl_ == nullptr) return false;
  if (impl_->any != nullptr) return RE2::FullMatch(piece(name), *impl_->any);
  return first_match(name) >= 0;
}

int RegexList::first_match(std::string_view name) const {
  if (impl_ == nullptr) return -1;
  const auto& each = impl_->each;
  const auto at =
      std::find_if(each.begin(), each.end(), [&](const auto& regex) { return RE2::FullMatch(piece(name), *regex); });
  return at == each.end() ? -1 : static_cast<int>(at - each.begin());
}

bool is_builtin_database(std::string_view database) {
  constexpr std::string_view kBuiltin[] = {"mysql", "information_schema", "performance_schema", "sys"};
  return std::any_of(std::begin(kBuiltin), std::end(kBuiltin),
                     [&](std::string_view name) { return same_letters(name, database); });
}

Result<TableFilter> TableFilter::parse(const sdk::Config& config) {
  TableFilter filter;
  for (const auto& [key, list] : {std::pair{"database.include.list", &filter.databases_include_},
                                  {"database.exclude.list", &filter.databases_exclude_},
                                  {"table.include.list", &filter.tables_include_},
                                  {"table.exclude.list", &filter.tables_exclude_}}) {
    auto parsed = RegexList::parse(key, config.string(key));
    if (!parsed.ok()) return parsed.status();
    *list = std::move(*parsed);
  }
  filter.ignore_builtin_ = !same_letters(config.string("table.ignore.builtin"), "false");
  for (std::string name : config.list("signal.data.collection")) {
    std::erase(name, '`');
    const size_t dot = name.find('.');
    if (dot != std::string::npos) filter.signal_tables_.push_back({name.substr(0, dot), name.substr(dot + 1)});
  }
  return filter;
}

bool TableFilter::database_listed(std::string_view database) const {
  if (ignore_builtin_ && is_builtin_database(database)) return false;
  if (!databases_include_.empty()) return databases_include_.matches(database);
  return !databases_exclude_.matches(database);
}

int TableFilter::include_rank(const TableId& table) const {
  return tables_include_.empty() ? 0 : tables_include_.first_match(table.full());
}

bool TableFilter::is_signal_table(const TableId& table) const {
  return std::find(signal_tables_.begin(), signal_tables_.end(), table) != signal_tables_.end();
}

bool TableFilter::captures(const TableId& table) const {
  if (is_signal_table(table)) return true;
  if (!database_listed(table.database)) return false;
  const std::string name = table.full();
  if (!tables_include_.empty()) return tables_include_.matches(name);
  return !tables_exclude_.matches(name);
}

bool TableFilter::captures_database(std::string_view database) const {
  return database_listed(database) || std::any_of(signal_tables_.begin(), signal_tables_.end(),
                                                  [&](const TableId& table) { return table.database == database; });
}

Result<ColumnFilter> ColumnFilter::parse(const sdk::Config& config) {
  ColumnFilter filter;
  auto include = RegexList::parse("column.include.list", config.string("column.include.list"));
  if (!include.ok()) return include.status();
  auto exclude = RegexList::parse("column.exclude.list", config.string("column.exclude.list"));
  if (!exclude.ok()) return exclude.status();
  filter.include_ = std::move(*include);
  filter.exclude_ = std::move(*exclude);
  return filter;
}

bool ColumnFilter::includes(const TableId& table, std::string_view column) const {
  if (include_.empty() && exclude_.empty()) return true;
  const std::string name = table.full() + "." + std::string(column);
  if (!include_.empty()) return include_.matches(name);
  return !exclude_.matches(name);
}

}  // namespace millrace::mariadb
