#include <array>

#include "broker/handlers/apis.h"
#include "broker/handlers/data_handlers.h"

namespace millrace {

std::span<const Api> data_apis() {
  static const std::array kApis = {produce_api(),          fetch_api(),
                                   list_offsets_api(),     metadata_api(),
                                   find_coordinator_api(), api_versions_api(),
                                   delete_records_api(),   offset_for_leader_epoch_api(),
                                   describe_cluster_api(), describe_topic_partitions_api()};
  return kApis;
}

const AdvertisedListener& advertised_to(const BrokerServices& services, const Session& session) {
  for (const AdvertisedListener& listener : services.advertised) {
    if (listener.listener == session.listener) return listener;
  }
  static const AdvertisedListener kNowhere;
  return services.advertised.empty() ? kNowhere : services.advertised.front();
}

}  // namespace millrace
