/// `producer.override.*`, `consumer.override.*` and `admin.override.*`: which a connector may set, and what they are.
#pragma once

#include <string_view>
#include <vector>

#include "core/config_def.h"
#include "runtime/config_infos.h"

namespace millrace {

/// The worker's connector.client.config.override.policy.
enum class OverridePolicy { kAll, kPrincipal, kNone };

enum class ClientKind { kProducer, kConsumer, kAdmin };

/// An entry for each override of one client that the settings have, in their order. A setting that the client does not
/// know has no definition; passwords are hidden.
/// Errors: kInternal (Kafka Connect answers 500) for a value that is not of the setting's type.
Expected<std::vector<ConfigInfo>> check_client_overrides(ClientKind client, OverridePolicy policy,
                                                         const RawConfig& settings);

/// producer.override. and so on.
std::string_view client_override_prefix(ClientKind client);
/// Settings that are checked, for suggestions. A client has more.
std::vector<std::string_view> client_setting_names(ClientKind client);

}  // namespace millrace
