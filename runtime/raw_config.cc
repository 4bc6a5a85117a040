#include "runtime/raw_config.h"

#include <algorithm>

#include "core/java_text.h"

namespace millrace {

const std::string* given(const RawConfig& config, std::string_view name) {
  const auto found = config.find(std::string(name));
  return found == config.end() || !found->second ? nullptr : &*found->second;
}

bool is_blank(std::string_view text) { return java_trim(text).empty(); }

std::vector<std::string> distinct_elements(std::string_view list) {
  std::vector<std::string> elements;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string element(java_trim(list.substr(0, comma)));
    list = comma == list.npos ? std::string_view() : list.substr(comma + 1);
    if (!element.empty() && std::ranges::find(elements, element) == elements.end()) elements.push_back(element);
  }
  return elements;
}

RawConfig with_prefix(const RawConfig& config, std::string_view prefix) {
  RawConfig found;
  for (auto entry = config.lower_bound(std::string(prefix)); entry != config.end() && entry->first.starts_with(prefix);
       ++entry) {
    found.emplace(entry->first.substr(prefix.size()), entry->second);
  }
  return found;
}

}  // namespace millrace
