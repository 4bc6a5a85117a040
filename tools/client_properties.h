/// Client settings in Java's names, as users have them in --command-config files, and their translation for librdkafka.
#pragma once

#include <map>
#include <span>
#include <string>

#include "core/error.h"
#include "core/file_system.h"

namespace millrace {

using ClientProperties = std::map<std::string, std::string>;

enum class ClientKind { kProducer, kConsumer, kAdmin };

/// A .properties file; of equal keys the last counts. Errors: kUnavailable, kInvalidConfig, naming the file.
Expected<ClientProperties> load_client_properties(FileSystem& files, const Path& path);

/// Adds `key=value` words; a word without "=" gives an empty value, as in Kafka's tools.
void add_key_values(ClientProperties& properties, std::span<const std::string> words);

/// librdkafka's settings for what the Java client would do with `properties`: other names and units, the defaults in
/// which the two differ (isolation level, partitioner, idempotence, CRC checks), and JAAS and key store settings.
/// Settings without effect in a native client (serializers, interceptors, metrics) are left out; names that neither
/// knows stay in, and KafkaClient reports them. Errors: kInvalidConfig for what librdkafka cannot do, saying what to
/// set instead.
Expected<ClientProperties> to_librdkafka(const ClientProperties& properties, ClientKind kind);

}  // namespace millrace
