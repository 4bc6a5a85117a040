#include "connect_client/offsets_dump.h"

#include <algorithm>
#include <vector>

#include "connect_client/config_diff.h"

namespace millrace::connect {
namespace {

bool is_key(const Json& key) { return key.is_array() && key.size() == 2 && key[0].is_string() && key[1].is_object(); }

}  // namespace

std::optional<Json> offsets_of_dump(std::string_view text, std::string_view connector) {
  bool any = false;
  std::vector<Json> last;  // {"partition", "offset"}, in the order in which partitions first came
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) continue;
    const Json key = Json::parse(line.substr(0, tab), nullptr, false);
    Json offset = Json::parse(line.substr(tab + 1), nullptr, false);
    if (!is_key(key) || !(offset.is_object() || offset.is_null())) continue;
    any = true;
    if (key[0] != connector) continue;
    const auto at = std::ranges::find_if(last, [&](const Json& each) { return same_value(each["partition"], key[1]); });
    if (at == last.end()) {
      last.push_back({{"partition", key[1]}, {"offset", std::move(offset)}});
    } else {
      (*at)["offset"] = std::move(offset);
    }
  }
  if (!any) return std::nullopt;
  Json offsets = Json::array();
  for (Json& each : last) {
    if (!each["offset"].is_null()) offsets.push_back(std::move(each));
  }
  return offsets;
}

}  // namespace millrace::connect
