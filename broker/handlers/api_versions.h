/// Features that this broker tells clients of in ApiVersions (KIP-584): clients choose behaviour by them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace millrace {

struct BrokerFeature {
  std::string_view name;
  int16_t supported_max;
  int16_t finalized;  ///< 0 = supported, but not in use
};

/// By name.
inline constexpr std::array kBrokerFeatures = {
    BrokerFeature{"group.version", 1, 1},        ///< 1: the consumer group protocol of KIP-848, told where it is served
    BrokerFeature{"metadata.version", 25, 25},   ///< tools print it; 25 is 4.0-IV3
    BrokerFeature{"transaction.version", 2, 2},  ///< 2: transactions of KIP-890
};

}  // namespace millrace
