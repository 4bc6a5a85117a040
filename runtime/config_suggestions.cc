#include "runtime/config_suggestions.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace millrace {
namespace {

/// Optimal string alignment distance; anything above `limit` is limit + 1.
size_t distance(std::string_view a, std::string_view b, size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    if (*std::ranges::min_element(now) > limit) return limit + 1;
    std::swap(before, last);
    std::swap(last, now);
  }
  return std::min(last[b.size()], limit + 1);
}

}  // namespace

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known) {
  // A third of a short name is another name.
  constexpr size_t kLettersPerMistake = 5;
  size_t best = std::clamp<size_t>(name.size() / kLettersPerMistake, 1, 3) + 1;
  std::string_view nearest;
  for (const std::string_view each : known) {
    const size_t found = distance(name, each, best - 1);
    if (found < best) {
      best = found;
      nearest = each;
    }
    if (best == 0) break;
  }
  return nearest;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
  const std::string_view nearest = nearest_name(name, known);
  return nearest.empty() ? std::string() : fmt::format(" Did you mean {}?", nearest);
}

}  // namespace millrace
