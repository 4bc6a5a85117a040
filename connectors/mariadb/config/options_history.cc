/// Where the history of table definitions is kept.
#include "connectors/mariadb/config/option_tables.h"

#include <array>

namespace millrace::mariadb {
namespace {

using sdk::Importance;
using sdk::kNull;
using sdk::Type;
using sdk::Width;

constexpr std::string_view kHistoryGroup = "History Storage";

constexpr std::array kKeys = std::to_array<sdk::ConfigKey>({
    {"schema.history.internal", Type::kClass, "io.debezium.storage.kafka.history.KafkaSchemaHistory", Importance::kLow,
     "Where table definitions are kept: KafkaSchemaHistory, FileSchemaHistory or MemorySchemaHistory.", kHistoryGroup,
     1, Width::kLong, "Database schema history class"},
    {"schema.history.internal.skip.unparseable.ddl", Type::kBoolean, "false", Importance::kLow,
     "Accepted; statements that are not understood never stop the connector.", kHistoryGroup, 2, Width::kShort,
     "Skip DDL statements that cannot be parsed"},
    {"schema.history.internal.store.only.captured.tables.ddl", Type::kBoolean, "false", Importance::kLow,
     "Keeps the definitions of captured tables only.", kHistoryGroup, 3, Width::kShort,
     "Store only DDL that modifies tables that are captured based on include/exclude lists"},
    {"schema.history.internal.store.only.captured.databases.ddl", Type::kBoolean, "false", Importance::kLow,
     "Keeps the definitions of captured databases only.", kHistoryGroup, 4, Width::kShort,
     "Store only DDL that modifies tables of databases that are captured based on include/exclude lists"},
    {"schema.history.internal.kafka.topic", Type::kString, kNull, Importance::kHigh,
     "The topic of the history; one partition, kept for ever.", kHistoryGroup, 5, Width::kLong,
     "Database schema history topic"},
    {"schema.history.internal.kafka.bootstrap.servers", Type::kString, kNull, Importance::kHigh,
     "The Kafka cluster, or the worker's own log, of the history topic.", kHistoryGroup, 6, Width::kLong,
     "Kafka broker addresses"},
    {"schema.history.internal.kafka.recovery.poll.interval.ms", Type::kInt, "100", Importance::kLow,
     "Accepted; the topic is read to its end as fast as it comes.", kHistoryGroup, 7, Width::kShort,
     "Poll interval of recovery (ms)"},
    {"schema.history.internal.kafka.recovery.attempts", Type::kInt, "100", Importance::kLow,
     "Accepted; see schema.history.internal.kafka.recovery.poll.interval.ms.", kHistoryGroup, 8, Width::kShort,
     "Attempts of recovery"},
    {"schema.history.internal.kafka.query.timeout.ms", Type::kInt, "3000", Importance::kLow,
     "Accepted; requests have the client's own limits.", kHistoryGroup, 9, Width::kShort, "Kafka query timeout (ms)"},
    {"schema.history.internal.kafka.create.timeout.ms", Type::kInt, "30000", Importance::kLow,
     "Accepted; requests have the client's own limits.", kHistoryGroup, 10, Width::kShort, "Kafka create timeout (ms)"},
    {"schema.history.internal.kafka.buffer.batch.size", Type::kInt, "1024", Importance::kLow,
     "Accepted without effect.", kHistoryGroup, 11, Width::kShort, "Records of a batch"},
    {"schema.history.internal.file.filename", Type::kString, kNull, Importance::kHigh, "The file of FileSchemaHistory.",
     kHistoryGroup, 12, Width::kLong, "File of the history"},
    {"schema.history.internal.memory.optimization", Type::kString, "off", Importance::kLow,
     "Accepted; definitions are always kept once.", kHistoryGroup, 13, Width::kShort, "Memory optimization"},
});

}  // namespace

std::span<const sdk::ConfigKey> history_options() { return kKeys; }

}  // namespace millrace::mariadb
