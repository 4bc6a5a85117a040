/// A dump of a Connect cluster's offset topic, for clusters that no worker serves any more.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connect_client/worker_api.h"

namespace millrace::connect {

/// The last offset of each partition of `connector`, in the form that WorkerApi::set_offsets takes. `text` has a record
/// a line, `["connector",{partition}]`, a tab and `{offset}`, as kafka-console-consumer prints with print.key=true.
/// Partitions that were reset in the end (null) are left out. nullopt: the text holds no such line at all.
std::optional<Json> offsets_of_dump(std::string_view text, std::string_view connector);

}  // namespace millrace::connect
