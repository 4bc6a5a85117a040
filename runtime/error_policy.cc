#include "runtime/error_policy.h"

#include <algorithm>
#include <charconv>

namespace millrace {
namespace {

std::string text_of(const ConfigMap& config, const char* key) {
  const auto at = config.find(key);
  return at == config.end() ? "" : at->second;
}

bool is_true(const ConfigMap& config, const char* key) {
  std::string text = text_of(config, key);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text == "true";
}

int64_t number_of(const ConfigMap& config, const char* key, int64_t fallback) {
  const std::string text = text_of(config, key);
  int64_t number = fallback;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() ? number : fallback;
}

}  // namespace

ErrorPolicy ErrorPolicy::from(const ConfigMap& config) {
  ErrorPolicy policy;
  policy.tolerate_all = text_of(config, "errors.tolerance") == "all";
  policy.log = is_true(config, "errors.log.enable");
  policy.log_messages = is_true(config, "errors.log.include.messages");
  policy.retry_timeout = std::chrono::milliseconds(number_of(config, "errors.retry.timeout", 0));
  policy.retry_delay_max = std::chrono::milliseconds(number_of(config, "errors.retry.delay.max.ms", 60'000));
  policy.dead_letter_topic = text_of(config, "errors.deadletterqueue.topic.name");
  policy.dead_letter_replication =
      static_cast<int16_t>(number_of(config, "errors.deadletterqueue.topic.replication.factor", 3));
  policy.dead_letter_context = is_true(config, "errors.deadletterqueue.context.headers.enable");
  policy.auto_restart = text_of(config, "millrace.restart") != "none";
  return policy;
}

}  // namespace millrace
