/// "Did you mean …?" for misspelt settings.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace millrace {

/// A remark about a setting that is no error.
struct SettingRemark {
  std::string key;
  std::string message;  ///< sentences: what is the matter, what to do
};

/// The known name that is nearest to a misspelt one, by letters changed, left out, added or swapped; empty when none is
/// near.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known);

/// " Did you mean <nearest>?" or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);

}  // namespace millrace
