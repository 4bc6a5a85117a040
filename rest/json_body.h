/// Request bodies. Kafka Connect takes scalars of any JSON type for text, spelled as they were sent: 1.50 is "1.50".
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "runtime/herder.h"

namespace millrace {

using Json = nlohmann::ordered_json;

enum class Scalars { kAsText, kTyped };

/// Parses a whole body. kAsText turns numbers and booleans into strings. An empty body is JSON null.
/// Errors: kInternal (REST 500, as Kafka Connect has it) saying where the text stops being JSON.
Expected<Json> parse_json(std::string_view text, Scalars scalars);

/// A flat object of scalars; null values stay apart. Errors: kInternal naming the key whose value is nested.
Expected<RawConfig> parse_config_body(std::string_view text);

struct CreateRequest {
  std::string name;  ///< trimmed; empty if it was absent
  RawConfig config;
  TargetState initial = TargetState::kStarted;
};
/// Body of POST /connectors. Errors: kInternal for unknown members, an unknown initial_state and a missing config.
Expected<CreateRequest> parse_create_body(std::string_view text);

/// Body of POST /connectors/{c}/tasks: an array of flat objects; null values are left out. Errors: kInternal.
Expected<std::vector<ConfigMap>> parse_task_configs_body(std::string_view text);

/// Body of PATCH /connectors/{c}/offsets. A null or absent partition becomes an empty text.
/// Errors: kInvalidConfig if there are none; kInternal for other shapes.
Expected<std::vector<ConnectorOffset>> parse_offsets_body(std::string_view text);

/// {"type": text, "id": text, "data": {…}} as text, with an id made up when there is none. `data` may be an object in a
/// text, too, as rows of a signal table hold it.
Expected<std::string> parse_signal_body(std::string_view text);

}  // namespace millrace
