// The tables behind config_catalogue.h. Names, types and defaults are Kafka's (reference of broker configs).
#include <algorithm>
#include <array>
#include <charconv>

#include "broker/config_catalogue.h"

namespace millrace {
namespace {

using enum ConfigType;
constexpr bool kDynamic = true;

constexpr auto kBrokerConfigs = std::to_array<ConfigDefinition>({
    {"accept.replication.factor", kBoolean, "true",
     "millrace's own: topics may ask for any replication factor and get 1, so that the stock settings of Kafka Connect "
     "and Kafka Streams work. false refuses what a single broker cannot give, as Kafka does."},
    {"advertised.listeners", kString, nullptr, "Where clients are told to connect; the listeners when absent."},
    {"allow.everyone.if.no.acl.found", kBoolean, "false",
     "With an authorizer: resources without any ACL are open to everyone."},
    {"authorizer.class.name", kString, "", "Any of Kafka's authorizer classes turns access control lists on."},
    {"auto.create.topics.enable", kBoolean, "true", "Topics are created when a client first asks for them."},
    {"auto.include.jmx.reporter", kBoolean, "true", "Without effect: there is no JMX."},
    {"background.threads", kInt, "10", "Without effect."},
    {"broker.id", kInt, "-1", "The number of this broker; node.id when absent."},
    {"broker.rack", kString, nullptr, "The rack of this broker; without effect with a single broker."},
    {"compression.gzip.level", kInt, "-1", "Level of gzip where compression.type makes the broker compress.", kDynamic},
    {"compression.lz4.level", kInt, "9", "Level of lz4 where compression.type makes the broker compress.", kDynamic},
    {"compression.type", kString, "producer", "How batches are stored; producer: as they came.", kDynamic},
    {"compression.zstd.level", kInt, "3", "Level of zstd where compression.type makes the broker compress.", kDynamic},
    {"connection.failed.authentication.delay.ms", kInt, "100",
     "How long a failed authentication waits for its answer."},
    {"connections.max.idle.ms", kLong, "600000", "Connections without a request for that long are closed."},
    {"connections.max.reauth.ms", kLong, "0", "Without effect: sessions do not end before their connection."},
    {"controlled.shutdown.enable", kBoolean, "true", "Without effect: there is no other broker to take over."},
    {"controller.listener.names", kString, nullptr, "Without effect: there is no controller quorum."},
    {"controller.quorum.voters", kList, "", "Without effect: there is no controller quorum."},
    {"default.replication.factor", kInt, "1", "Replication factor of topics that do not ask for one."},
    {"delegation.token.master.key", kPassword, nullptr, "Without effect: delegation tokens are not served."},
    {"delete.records.purgatory.purge.interval.requests", kInt, "1", "Without effect."},
    {"delete.topic.enable", kBoolean, "true", "Whether topics may be deleted."},
    {"fetch.max.bytes", kInt, "57671680", "The most bytes that one fetch answers."},
    {"fetch.purgatory.purge.interval.requests", kInt, "1000", "Without effect."},
    {"follower.replication.throttled.rate", kLong, "9223372036854775807", "Without effect: nothing is replicated.",
     kDynamic},
    {"group.consumer.assignors", kList, "uniform,range", "Assignors of groups of the consumer protocol."},
    {"group.consumer.heartbeat.interval.ms", kInt, "5000", "Heartbeat interval of the consumer protocol."},
    {"group.consumer.max.heartbeat.interval.ms", kInt, "15000", "The longest heartbeat interval of a group."},
    {"group.consumer.max.session.timeout.ms", kInt, "60000", "The longest session timeout of a group."},
    {"group.consumer.max.size", kInt, "2147483647", "The most members of a group."},
    {"group.consumer.migration.policy", kString, "bidirectional",
     "Whether groups may change between the classic and the consumer protocol."},
    {"group.consumer.min.heartbeat.interval.ms", kInt, "5000", "The shortest heartbeat interval of a group."},
    {"group.consumer.min.session.timeout.ms", kInt, "45000", "The shortest session timeout of a group."},
    {"group.consumer.session.timeout.ms", kInt, "45000", "Session timeout of the consumer protocol."},
    {"group.coordinator.rebalance.protocols", kList, "classic,consumer", "The group protocols that are served."},
    {"group.coordinator.threads", kInt, "1", "Without effect."},
    {"group.initial.rebalance.delay.ms", kInt, "3000",
     "How long a new group waits for further members before its first rebalance."},
    {"group.max.session.timeout.ms", kInt, "1800000", "The longest session timeout that a member may ask for."},
    {"group.max.size", kInt, "2147483647", "The most members of a group."},
    {"group.min.session.timeout.ms", kInt, "6000", "The shortest session timeout that a member may ask for."},
    {"inter.broker.listener.name", kString, nullptr, "Without effect: there is no other broker."},
    {"leader.imbalance.check.interval.seconds", kLong, "300", "Without effect."},
    {"leader.replication.throttled.rate", kLong, "9223372036854775807", "Without effect: nothing is replicated.",
     kDynamic},
    {"listener.security.protocol.map", kString,
     "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
     "Which security protocol a listener name means."},
    {"listeners", kString, "PLAINTEXT://:9092", "Where the broker listens: name://host:port, separated by commas."},
    {"log.cleaner.backoff.ms", kLong, "15000", "How long the cleaner rests when there is nothing to compact."},
    {"log.cleaner.dedupe.buffer.size", kLong, "134217728", "Memory for the keys of one compaction."},
    {"log.cleaner.delete.retention.ms", kLong, "86400000", "Default of delete.retention.ms.", kDynamic},
    {"log.cleaner.enable", kBoolean, "true", "Whether compacted topics are compacted."},
    {"log.cleaner.io.buffer.load.factor", kDouble, "0.9", "Without effect."},
    {"log.cleaner.io.buffer.size", kInt, "524288", "Buffer for reading and writing while compacting."},
    {"log.cleaner.io.max.bytes.per.second", kDouble, "1.7976931348623157E308", "Without effect."},
    {"log.cleaner.max.compaction.lag.ms", kLong, "9223372036854775807", "Default of max.compaction.lag.ms.", kDynamic},
    {"log.cleaner.min.cleanable.ratio", kDouble, "0.5", "Default of min.cleanable.dirty.ratio.", kDynamic},
    {"log.cleaner.min.compaction.lag.ms", kLong, "0", "Default of min.compaction.lag.ms.", kDynamic},
    {"log.cleaner.threads", kInt, "1", "One thread compacts all topics."},
    {"log.cleanup.policy", kList, "delete", "Default of cleanup.policy.", kDynamic},
    {"log.dir", kString, "/tmp/kafka-logs", "The data folder where log.dirs is absent."},
    {"log.dirs", kString, nullptr, "The data folder."},
    {"log.flush.interval.messages", kLong, "9223372036854775807",
     "Default of flush.messages. Where it is not set, acknowledged records are on the disk; setting it above 1 leaves "
     "them to the operating system, as Kafka does.",
     kDynamic},
    {"log.flush.interval.ms", kLong, nullptr, "Default of flush.ms.", kDynamic},
    {"log.flush.offset.checkpoint.interval.ms", kInt, "60000", "How often recovery points are written."},
    {"log.flush.scheduler.interval.ms", kLong, "9223372036854775807", "Without effect."},
    {"log.flush.start.offset.checkpoint.interval.ms", kInt, "60000", "How often log start offsets are written."},
    {"log.index.interval.bytes", kInt, "4096", "Default of index.interval.bytes.", kDynamic},
    {"log.index.size.max.bytes", kInt, "10485760", "Default of segment.index.bytes.", kDynamic},
    {"log.local.retention.bytes", kLong, "-2", "Without effect: there is no tiered storage."},
    {"log.local.retention.ms", kLong, "-2", "Without effect: there is no tiered storage."},
    {"log.message.downconversion.enable", kBoolean, "true", "Default of message.downconversion.enable.", kDynamic},
    {"log.message.format.version", kString, "3.0-IV1", "Without effect: the format is always that of Kafka 3.0."},
    {"log.message.timestamp.after.max.ms", kLong, "9223372036854775807", "Default of message.timestamp.after.max.ms.",
     kDynamic},
    {"log.message.timestamp.before.max.ms", kLong, "9223372036854775807", "Default of message.timestamp.before.max.ms.",
     kDynamic},
    {"log.message.timestamp.difference.max.ms", kLong, "9223372036854775807",
     "Default of message.timestamp.difference.max.ms."},
    {"log.message.timestamp.type", kString, "CreateTime", "Default of message.timestamp.type.", kDynamic},
    {"log.preallocate", kBoolean, "false", "Default of preallocate.", kDynamic},
    {"log.retention.bytes", kLong, "-1", "Default of retention.bytes.", kDynamic},
    {"log.retention.check.interval.ms", kLong, "300000", "How often old segments are looked for."},
    {"log.retention.hours", kInt, "168", "Default of retention.ms, in hours; log.retention.minutes and .ms go before."},
    {"log.retention.minutes", kInt, nullptr, "Default of retention.ms, in minutes; log.retention.ms goes before."},
    {"log.retention.ms", kLong, nullptr, "Default of retention.ms.", kDynamic},
    {"log.roll.hours", kInt, "168", "Default of segment.ms, in hours; log.roll.ms goes before."},
    {"log.roll.jitter.hours", kInt, "0", "Default of segment.jitter.ms, in hours; log.roll.jitter.ms goes before."},
    {"log.roll.jitter.ms", kLong, nullptr, "Default of segment.jitter.ms.", kDynamic},
    {"log.roll.ms", kLong, nullptr, "Default of segment.ms.", kDynamic},
    {"log.segment.bytes", kInt, "1073741824", "Default of segment.bytes.", kDynamic},
    {"log.segment.delete.delay.ms", kLong, "60000", "Default of file.delete.delay.ms.", kDynamic},
    {"max.connection.creation.rate", kInt, "2147483647", "Without effect."},
    {"max.connections", kInt, "2147483647", "The most connections at a time."},
    {"max.connections.per.ip", kInt, "2147483647", "The most connections of one address at a time."},
    {"max.connections.per.ip.overrides", kString, "", "Other limits for some addresses."},
    {"max.incremental.fetch.session.cache.slots", kInt, "1000", "The most incremental fetch sessions at a time."},
    {"message.max.bytes", kInt, "1048588", "Default of max.message.bytes.", kDynamic},
    {"metadata.log.dir", kString, nullptr, "Without effect: metadata lie in the data folder."},
    {"min.insync.replicas", kInt, "1", "Default of min.insync.replicas.", kDynamic},
    {"node.id", kInt, "-1", "The number of this broker; broker.id when absent."},
    {"num.io.threads", kInt, "8", "Without effect: requests are handled where they arrive."},
    {"num.network.threads", kInt, "3", "Threads that serve connections; at most the number of cores."},
    {"num.partitions", kInt, "1", "Partitions of topics that do not ask for a number."},
    {"num.recovery.threads.per.data.dir", kInt, "2", "Threads that open the data folder at start."},
    {"num.replica.fetchers", kInt, "1", "Without effect: nothing is replicated."},
    {"offset.metadata.max.bytes", kInt, "4096", "The longest text that a committed offset may carry."},
    {"offsets.commit.timeout.ms", kInt, "5000", "Without effect: commits do not wait for replicas."},
    {"offsets.retention.check.interval.ms", kLong, "600000", "How often expired offsets are looked for."},
    {"offsets.retention.minutes", kInt, "10080", "How long the offsets of an empty group are kept."},
    {"offsets.topic.compression.codec", kInt, "0", "Compression of committed offsets."},
    {"offsets.topic.num.partitions", kInt, "50", "Partitions of __consumer_offsets in a new data folder."},
    {"offsets.topic.replication.factor", kShort, "3", "Taken as 1: there is a single broker."},
    {"offsets.topic.segment.bytes", kInt, "104857600", "Segment size of __consumer_offsets."},
    {"principal.builder.class", kClass, "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
     "Without effect: principals are built as Kafka's default does."},
    {"process.roles", kList, "", "Taken as broker and controller in one."},
    {"producer.id.expiration.ms", kInt, "86400000", "How long an idle producer id is remembered."},
    {"producer.purgatory.purge.interval.requests", kInt, "1000", "Without effect."},
    {"queued.max.request.bytes", kLong, "-1", "Without effect."},
    {"queued.max.requests", kInt, "500", "Without effect: a connection has one request at a time in work."},
    {"replica.lag.time.max.ms", kLong, "30000", "Without effect: nothing is replicated."},
    {"request.timeout.ms", kInt, "30000", "Without effect."},
    {"sasl.enabled.mechanisms", kList, "GSSAPI", "PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are known."},
    {"security.inter.broker.protocol", kString, "PLAINTEXT", "Without effect: there is no other broker."},
    {"socket.listen.backlog.size", kInt, "50", "Connections that wait to be accepted."},
    {"socket.receive.buffer.bytes", kInt, "102400", "SO_RCVBUF; -1 leaves it to the system."},
    {"socket.request.max.bytes", kInt, "104857600", "The longest request; a longer one closes its connection."},
    {"socket.send.buffer.bytes", kInt, "102400", "SO_SNDBUF; -1 leaves it to the system."},
    {"ssl.client.auth", kString, "none", "Whether clients must show a certificate: none, requested, required."},
    {"ssl.key.password", kPassword, nullptr, "Password of the private key."},
    {"ssl.keystore.location", kString, nullptr, "The key store, PEM or PKCS12."},
    {"ssl.keystore.password", kPassword, nullptr, "Password of the key store."},
    {"ssl.keystore.type", kString, "JKS", "PEM and PKCS12 can be read."},
    {"ssl.truststore.location", kString, nullptr, "Certificates of the authorities that sign clients' certificates."},
    {"ssl.truststore.password", kPassword, nullptr, "Password of the trust store."},
    {"ssl.truststore.type", kString, "JKS", "PEM and PKCS12 can be read."},
    {"super.users", kString, "", "Principals that may do everything, separated by semicolons."},
    {"transaction.abort.timed.out.transaction.cleanup.interval.ms", kInt, "10000",
     "How often transactions that are open for too long are looked for."},
    {"transaction.max.timeout.ms", kInt, "900000", "The longest timeout that a transactional producer may ask for."},
    {"transaction.partition.verification.enable", kBoolean, "true",
     "Produced partitions must belong to the transaction."},
    {"transaction.remove.expired.transaction.cleanup.interval.ms", kInt, "3600000",
     "How often expired transactional ids are looked for."},
    {"transaction.state.log.min.isr", kInt, "2", "Taken as 1: there is a single broker."},
    {"transaction.state.log.num.partitions", kInt, "50", "Partitions of __transaction_state in a new data folder."},
    {"transaction.state.log.replication.factor", kShort, "3", "Taken as 1: there is a single broker."},
    {"transaction.state.log.segment.bytes", kInt, "104857600", "Segment size of __transaction_state."},
    {"transactional.id.expiration.ms", kInt, "604800000", "How long an idle transactional id is remembered."},
    {"unclean.leader.election.enable", kBoolean, "false", "Without effect: there is a single broker.", kDynamic},
    {"zookeeper.connect", kString, nullptr, "Without effect: no ZooKeeper is needed."},
});
static_assert(std::ranges::is_sorted(kBrokerConfigs, {}, &ConfigDefinition::name));

constexpr auto kGroupConfigs = std::to_array<ConfigDefinition>({
    {"consumer.heartbeat.interval.ms", kInt, "5000", "Heartbeat interval of the group's members.", kDynamic},
    {"consumer.session.timeout.ms", kInt, "45000", "How long a silent member stays in the group.", kDynamic},
});

// What Kafka 4 has dropped and clients and tools of Kafka 3 still ask for.
constexpr auto kFormerTopicConfigs = std::to_array<TopicConfigDefinition>({
    {"message.downconversion.enable",
     TopicConfigType::kBoolean,
     "true",
     {"log.message.downconversion.enable"},
     "Accepted without effect."},
    {"message.format.version",
     TopicConfigType::kString,
     "3.0-IV1",
     {"log.message.format.version"},
     "Without effect: the format is always that of Kafka 3.0."},
    {"message.timestamp.difference.max.ms",
     TopicConfigType::kLong,
     "9223372036854775807",
     {"log.message.timestamp.difference.max.ms"},
     "Accepted without effect: set message.timestamp.before.max.ms and message.timestamp.after.max.ms."},
});

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;

/// What a broker setting in hours or minutes is to be multiplied with.
int64_t factor_of(std::string_view setting) {
  if (setting.ends_with(".hours")) return kHour;
  return setting.ends_with(".minutes") ? kMinute : 1;
}

/// The topic config's value that `setting=value` means.
Expected<std::string> scaled(std::string_view setting, const std::string& value) {
  const int64_t factor = factor_of(setting);
  if (factor == 1) return value;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    return fail(ErrorCode::kInvalidConfig,
                invalid_config_value(setting, ConfigValue(value), "Not a number of type INT"));
  }
  return std::to_string(number < 0 ? -1 : number * factor);
}

}  // namespace

std::span<const ConfigDefinition> broker_config_definitions() { return kBrokerConfigs; }
std::span<const ConfigDefinition> group_config_definitions() { return kGroupConfigs; }

std::span<const TopicConfigDefinition> listed_topic_configs() {
  static const std::vector<TopicConfigDefinition> all = [] {
    std::vector<TopicConfigDefinition> merged;
    std::ranges::merge(topic_config_definitions(), kFormerTopicConfigs, std::back_inserter(merged), {},
                       &TopicConfigDefinition::name, &TopicConfigDefinition::name);
    return merged;
  }();
  return all;
}

const ConfigDefinition* broker_config(std::string_view name) {
  const auto found = std::ranges::lower_bound(kBrokerConfigs, name, {}, &ConfigDefinition::name);
  return found != kBrokerConfigs.end() && found->name == name ? &*found : nullptr;
}

std::vector<std::string_view> broker_config_names(std::string_view name) {
  for (const TopicConfigDefinition& topic : listed_topic_configs()) {
    const auto end = std::ranges::find(topic.synonyms, std::string_view());
    const std::vector<std::string_view> names(topic.synonyms.begin(), end);
    if (names.size() > 1 && std::ranges::find(names, name) != names.end()) return names;
  }
  return {name};
}

Expected<TopicConfigs> topic_defaults(const ConfigMap& settings) {
  TopicConfigs configs;
  for (const TopicConfigDefinition& topic : listed_topic_configs()) {
    for (const std::string_view name : topic.synonyms) {
      const auto found = settings.find(std::string(name));
      if (name.empty() || found == settings.end()) continue;
      auto value = scaled(name, found->second);
      if (!value) return fail(std::move(value.error()));
      configs.emplace(topic.name, std::move(*value));
      break;
    }
  }
  return configs;
}

}  // namespace millrace
