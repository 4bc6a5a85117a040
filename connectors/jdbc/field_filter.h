/// Which value fields are written: field.include.list and field.exclude.list, entries `field` or `topic:field`, each
/// part a regular expression for the whole name.
/// Threads: any once made.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/common/result.h"

namespace re2 {
class RE2;
}

namespace millrace::jdbc {

class FieldFilter {
 public:
  /// Errors: kInvalidConfig for an expression that is none, or when both lists are given.
  static connectors::Result<FieldFilter> make(const std::vector<std::string>& include,
                                              const std::vector<std::string>& exclude);
  bool takes(std::string_view topic, std::string_view field) const;
  /// Whether two topics may differ.
  bool by_topic() const { return by_topic_; }

 private:
  struct Entry {
    std::shared_ptr<const re2::RE2> topic, field;  // no topic: any
  };
  std::vector<Entry> entries_;
  bool including_ = false, by_topic_ = false;
};

}  // namespace millrace::jdbc
