/// topic.creation.*: the settings with which a source creates the topics it writes to.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/log_client.h"
#include "core/config_def.h"

namespace millrace {

/// Threads: any (immutable).
class TopicCreation {
 public:
  /// Nothing when the connector has no topic.creation. key or the worker forbids it (topic.creation.enable=false): the
  /// log's own automatic creation then applies. Errors: kInvalidConfig with Connect's texts.
  static Expected<std::optional<TopicCreation>> from(const ConfigMap& worker, const ConfigMap& connector);

  /// Creates `topic` as the first group says that includes it; nothing when it is there. Errors: kInternal with
  /// Connect's text, kUnavailable.
  Status ensure(Admin& admin, std::string_view topic) const;
  /// What ensure() would create.
  NewTopic settings_for(std::string_view topic) const;

 private:
  struct Group {
    std::string name;
    std::vector<std::string> include, exclude;
    NewTopic topic;  ///< without a name
    bool matches(std::string_view topic) const;
  };
  std::vector<Group> groups_;  // the default one, which takes every topic, is the last
};

}  // namespace millrace
