#include "broker/handlers/admin_common.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {

Status check_assignment(const BrokerServices& services, const std::vector<int32_t>& brokers) {
  const auto refused = [](std::string why) {
    return fail(error_of(KafkaError::kInvalidReplicaAssignment,
                         fmt::format("The manual partition assignment includes {}", why)));
  };
  if (brokers.empty()) return refused("an empty replica list.");
  for (const int32_t id : brokers) {
    if (id < 0) return refused(fmt::format("an invalid broker id: {}.", id));
    if (std::ranges::count(brokers, id) > 1) return refused(fmt::format("the broker {} more than once.", id));
    if (id != services.node_id) return refused(fmt::format("broker {}, but no such broker is registered.", id));
  }
  return {};
}

}  // namespace millrace
