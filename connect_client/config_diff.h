/// What differs between two configurations of a connector, with secrets kept from the screen.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connect_client/connector_model.h"

namespace millrace::connect {

struct ConfigChange {
  std::string key;
  std::optional<std::string> before;  ///< nothing: the key is new
  std::optional<std::string> after;   ///< nothing: the key goes
};

/// By key.
std::vector<ConfigChange> diff(const Config& before, const Config& after);

/// `value` as it may be shown: [hidden] for passwords (keys in `passwords`, and keys that sound like one), and the
/// password inside a URL masked. Variables such as ${file:/etc/secrets:password} are no secret and are shown.
std::string shown_value(const std::string& key, const std::string& value, const std::set<std::string>& passwords = {});

/// Lines `+ key = value`, `- key = value`, `~ key = before → after`. A changed secret shows as [hidden] → [hidden].
std::vector<std::string> diff_lines(const std::vector<ConfigChange>& changes, const std::set<std::string>& passwords);

/// Names of the configuration providers that `config`'s ${provider:…} variables need.
std::set<std::string> providers_of(const Config& config);

}  // namespace millrace::connect
