/// Settings of Kafka's Java clients as librdkafka's. Source: Apache Kafka documentation, "Producer Configs", "Consumer
/// Configs"; librdkafka, CONFIGURATION.md.
#pragma once

#include <librdkafka/rdkafka.h>

#include <map>
#include <string>

#include "connectors/mariadb/kafka/topic_io.h"

namespace millrace::mariadb {

/// By librdkafka's names. Key stores must be PEM (or PKCS12 for the client's own key); JKS is refused. kInvalidConfig
/// says what the user must change.
Result<std::map<std::string, std::string>> client_settings(const KafkaOptions& options);

/// Connection, admin and transport handles of librdkafka, which are closed in the right order.
struct RdKafkaDelete {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using RdKafka = std::unique_ptr<rd_kafka_t, RdKafkaDelete>;

/// A client with these settings over those of `options`. Settings that librdkafka does not have are left out, but for
/// ssl.* and sasl.*, which are errors. `delivered` is told of produced records.
using DeliveryCallback = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void*);
Result<RdKafka> make_client(rd_kafka_type_t type, const KafkaOptions& options,
                            const std::map<std::string, std::string>& own, DeliveryCallback delivered = nullptr);

}  // namespace millrace::mariadb
