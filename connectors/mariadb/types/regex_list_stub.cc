/// Stands in for config/filters.cc until that is there (tests.cmake).
#include <regex>

#include "connectors/mariadb/config/filters.h"

namespace millrace::mariadb {

struct RegexList::Impl {
  std::vector<std::regex> expressions;
};

connectors::Result<RegexList> RegexList::parse(std::string_view, std::string_view text) {
  auto impl = std::make_shared<Impl>();
  std::string part;
  for (size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && text[at] != ',') {
      part += text[at];
    } else if (!part.empty()) {
      impl->expressions.emplace_back(part, std::regex::icase);
      part.clear();
    }
  }
  RegexList list;
  if (!impl->expressions.empty()) list.impl_ = std::move(impl);
  return list;
}

bool RegexList::empty() const { return impl_ == nullptr; }
bool RegexList::matches(std::string_view name) const { return first_match(name) >= 0; }
int RegexList::first_match(std::string_view name) const {
  if (impl_ == nullptr) return -1;
  for (size_t i = 0; i < impl_->expressions.size(); ++i)
    if (std::regex_match(name.begin(), name.end(), impl_->expressions[i])) return static_cast<int>(i);
  return -1;
}

}  // namespace millrace::mariadb
