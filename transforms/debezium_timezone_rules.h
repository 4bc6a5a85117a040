/// include.list and exclude.list of TimezoneConverter: which fields of which tables and topics are meant.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace millrace::debezium {

/// Which fields of before, after and source change their time zone.
struct TimezoneRule {
  enum class Kind : uint8_t { kAll, kOnly, kAllBut };
  using Names = std::set<std::string, std::less<>>;

  Kind kind = Kind::kAll;
  Names before, after, source;

  bool takes(const Names& names, std::string_view field) const {
    return kind == Kind::kAll || (kind == Kind::kOnly) == names.contains(field);
  }
};

/// Threads: any (immutable once created).
class TimezoneRules {
 public:
  /// One of the lists at most has elements. Errors: kInvalidConfig with Debezium's texts.
  static Expected<TimezoneRules> create(const std::vector<std::string>& include,
                                        const std::vector<std::string>& exclude);

  static constexpr size_t kNone = SIZE_MAX;
  /// Index of the rule for a record; kNone: it stays as it is. `table` may be empty.
  size_t rule_for(std::string_view topic, std::string_view table) const;
  const std::vector<TimezoneRule>& rules() const { return rules_; }

 private:
  using Index = std::map<std::string, size_t, std::less<>>;
  void add(std::map<std::string, TimezoneRule::Names>& fields, TimezoneRule::Kind kind, Index& index);

  bool excludes_ = false, empty_ = true;
  std::vector<TimezoneRule> rules_ = {{}};  // the first: all fields
  Index topics_, tables_, others_;
};

}  // namespace millrace::debezium
