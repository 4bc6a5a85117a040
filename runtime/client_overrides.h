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

}  // namespace millrace
