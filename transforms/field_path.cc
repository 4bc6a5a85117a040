#include "transforms/field_path.h"

#include "transforms/operand.h"

namespace millrace::smt {
namespace {

constexpr auto npos = std::string_view::npos;

/// The name that starts behind the back-tick at `opened`. It ends at a back-tick before a dot or the path's end; one
/// before another character belongs to the name, and so does an escaped one, without its backslash when a dot follows.
/// Sets `at` behind the dot.
Expected<std::string> quoted_name(std::string_view path, size_t opened, size_t& at) {
  std::string name;
  size_t start = opened + 1;
  for (size_t i = path.find('`', start); i != npos; i = path.find('`', i + 1)) {
    const bool escaped = path[i - 1] == '\\', last = i + 1 == path.size();
    if (last && escaped) break;
    if (!last && path[i + 1] != '.') continue;
    if (escaped) {
      name.append(path.substr(start, i - 1 - start)).append("`");
      start = i + 1;
      continue;
    }
    name.append(path.substr(start, i - start));
    at = i + (last ? 1 : 2);
    return name;
  }
  return bad_config(
      fmt::format("Incomplete backtick pair in path: [{}], consider adding a backslash before backtick at position {} "
                  "to escape it",
                  path, opened));
}

}  // namespace

Expected<std::vector<std::string>> parse_field_path(std::string_view path) {
  std::vector<std::string> names;
  for (size_t at = 0; at < path.size();) {
    if (path[at] == '`') {
      auto name = quoted_name(path, at, at);
      if (!name) return fail(std::move(name.error()));
      names.push_back(std::move(*name));
      continue;
    }
    const size_t dot = path.find('.', at);
    names.emplace_back(path.substr(at, dot - at));
    if (dot == npos) break;
    at = dot + 1;
  }
  if (path.ends_with('.')) names.emplace_back();
  return names;
}

}  // namespace millrace::smt
