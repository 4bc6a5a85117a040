#include "transforms/debezium_timezone_rules.h"

#include <re2/re2.h>

#include "transforms/debezium_config.h"
#include "transforms/debezium_java.h"
#include "transforms/debezium_records.h"

namespace millrace::debezium {
namespace {

/// Debezium's own check, over the list as Java prints it. It refuses more than its documentation says.
bool well_formed(const std::vector<std::string>& list) {
  static const RE2 pattern(R"re(\[(source|topic|[".\w\s_]+):([".\w\s_]+(?::[".\w\s_]+)?(?:,|]$))+)re");
  std::string text;
  for (const std::string& element : list) text += (text.empty() ? "[" : ", ") + element;
  return RE2::FullMatch(text + "]", pattern);
}

tl::unexpected<Error> refuse(std::string_view which) {
  return config_error("Invalid " + std::string(which) +
                          " list format. Please specify a list of rules in the format of "
                          "\"source:<tablename>:<fieldnames>\", \"topic:<topicname>:<fieldnames>\", "
                          "\"<matchname>:<fieldnames>\"",
                      std::string(kDebezium));
}

/// source., before. and after. say where a field is; others are in both rows.
TimezoneRule rule_of(TimezoneRule::Kind kind, const TimezoneRule::Names& fields) {
  TimezoneRule rule{kind, {}, {}, {}};
  for (const std::string& field : fields) {
    if (field.starts_with("source.")) {
      rule.source.insert(field.substr(7));
    } else if (field.starts_with("before.")) {
      rule.before.insert(field.substr(7));
    } else if (field.starts_with("after.")) {
      rule.after.insert(field.substr(6));
    } else {
      rule.before.insert(field);
      rule.after.insert(field);
    }
  }
  return rule;
}

}  // namespace

void TimezoneRules::add(std::map<std::string, TimezoneRule::Names>& fields, TimezoneRule::Kind kind, Index& index) {
  for (const auto& [name, names] : fields) {
    if (names.empty()) {
      index[name] = excludes_ ? kNone : 0;
      continue;
    }
    index[name] = rules_.size();
    rules_.push_back(rule_of(kind, names));
  }
}

Expected<TimezoneRules> TimezoneRules::create(const std::vector<std::string>& include,
                                              const std::vector<std::string>& exclude) {
  if (!include.empty() && !well_formed(include)) return refuse("include");
  if (include.empty() && !exclude.empty() && !well_formed(exclude)) return refuse("exclude");
  TimezoneRules rules;
  rules.excludes_ = include.empty();
  rules.empty_ = include.empty() && exclude.empty();
  std::map<std::string, TimezoneRule::Names> topics, tables, others;
  std::string prefix;  // holds for the elements behind it too: topic:a,b
  for (const std::string& element : exclude.empty() ? include : exclude) {
    const std::vector<std::string> parts = java_split(element, ':');
    std::string match = parts[0], field = parts.size() == 2 ? parts[1] : "";
    if (parts.size() > 1 && (equals_ignoring_case(parts[0], kSource) || equals_ignoring_case(parts[0], "topic"))) {
      prefix = parts[0];
      match = parts[1];
      field = parts.size() == 3 ? parts[2] : "";
    }
    TimezoneRule::Names& names = (prefix == "topic" ? topics : prefix == kSource ? tables : others)[match];
    if (!field.empty()) names.insert(field);
  }
  const auto kind = rules.excludes_ ? TimezoneRule::Kind::kAllBut : TimezoneRule::Kind::kOnly;
  rules.add(topics, kind, rules.topics_);
  rules.add(tables, kind, rules.tables_);
  rules.add(others, kind, rules.others_);
  return rules;
}

size_t TimezoneRules::rule_for(std::string_view topic, std::string_view table) const {
  if (empty_) return 0;
  const std::pair<const Index*, std::string_view> lookups[] = {
      {&topics_, topic}, {&tables_, table}, {&others_, topic}, {&others_, table}};
  for (const auto& [index, name] : lookups) {
    if (const auto found = index->find(name); found != index->end()) return found->second;
  }
  return excludes_ ? 0 : kNone;
}

}  // namespace millrace::debezium
