/// `--print-metrics` of the performance tools: the client's counters as Kafka's tools list metrics.
#pragma once

#include <string>
#include <string_view>

#include "tools/client_properties.h"

namespace millrace {

/// Makes the client of these settings report its statistics (see open_kafka_client's callbacks).
void enable_statistics(ClientProperties& properties);

/// "Metric Name … Value" lines for librdkafka's statistics JSON, sorted by name: first under Kafka's names what those
/// stand for, then all of librdkafka's own.
std::string metrics_text(std::string_view statistics, std::string_view client_id, ClientKind kind);

}  // namespace millrace
