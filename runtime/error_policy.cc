#include "runtime/error_policy.h"

namespace millrace {

ErrorPolicy ErrorPolicy::from(const ConfigMap& config) {
  const auto text = [&](const char* key) -> std::string {
    const auto at = config.find(key);
    return at == config.end() ? "" : at->second;
  };
  ErrorPolicy policy;
  policy.tolerate_all = text("errors.tolerance") == "all";
  policy.log = text("errors.log.enable") == "true";
  policy.log_messages = text("errors.log.include.messages") == "true";
  policy.dead_letter_topic = text("errors.deadletterqueue.topic.name");
  policy.auto_restart = text("millrace.restart") != "none";
  return policy;
}

}  // namespace millrace
