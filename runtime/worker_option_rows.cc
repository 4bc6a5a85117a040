#include "runtime/worker_option_rows.h"

#include <array>
#include <limits>

namespace millrace {
namespace {

using enum ConfigType;
using enum ConfigImportance;

constexpr const char* kWorker = "Worker";
constexpr const char* kEmbedded = "Embedded log";
constexpr const char* kRest = "REST";
constexpr const char* kTopics = "Topics of connectors";
constexpr const char* kStorage = "Internal topics";
constexpr const char* kMembership = "Group of workers";
constexpr const char* kMetrics = "Metrics";
constexpr const char* kClient = "Connection to a Kafka cluster";
constexpr const char* kSecurity = "TLS and SASL";

constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();

ConfigValidator not_negative() { return validators::at_least(int64_t{0}); }
ConfigValidator positive() { return validators::at_least(int64_t{1}); }
ConfigValidator int_from_0() { return validators::between(int64_t{0}, kIntMax); }

ConfigValidator number_check(bool (*fine)(int64_t), const char* why) {
  return [fine, why](std::string_view key, const ConfigValue& value) -> std::optional<std::string> {
    const auto* number = std::get_if<int64_t>(&value);
    if (number != nullptr && fine(*number)) return {};
    return invalid_config_value(key, value, why);
  };
}
bool is_count_or_default(int64_t number) { return number > 0 || number == -1; }
ConfigValidator partitions() {
  return number_check(is_count_or_default, "Number of partitions must be positive, or -1 to use the broker's default");
}
ConfigValidator replication() {
  return number_check(is_count_or_default,
                      "Replication factor must be positive and not larger than the number of brokers in the Kafka "
                      "cluster, or -1 to use the broker's default");
}
ConfigValidator dns_lookup() {
  return validators::one_of({"use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"});
}
ConfigValidator client_auth() { return validators::one_of({"required", "requested", "none"}); }
ConfigValidator recording_level() { return validators::one_of({"INFO", "DEBUG", "TRACE"}); }
ConfigValidator exactly_once() { return validators::one_of_ignoring_case({"disabled", "preparing", "enabled"}); }
ConfigValidator security_protocol() {
  return validators::one_of_ignoring_case({"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"});
}
ConfigValidator recovery_strategy() { return validators::one_of_ignoring_case({"none", "rebootstrap"}); }
ConfigValidator connect_protocol() {
  const auto known = validators::one_of_ignoring_case({"eager", "compatible", "sessioned"});
  return [known](std::string_view key, const ConfigValue& value) -> std::optional<std::string> {
    if (!known(key, value)) return {};
    return invalid_config_value(key, value, "Invalid Connect protocol compatibility");
  };
}
ConfigValidator override_policy() {
  return validators::text_check([](std::string_view text) -> std::optional<std::string> {
    constexpr std::string_view kPackage = "org.apache.kafka.connect.connector.policy.";
    constexpr std::string_view kSuffix = "ConnectorClientConfigOverridePolicy";
    if (text.starts_with(kPackage)) text.remove_prefix(kPackage.size());
    if (text.ends_with(kSuffix)) text.remove_suffix(kSuffix.size());
    if (text == "None" || text == "Principal" || text == "All") return {};
    return "The policy must be None, Principal or All; policies written in Java cannot be loaded";
  });
}

using Scope = OptionScope;

constexpr auto kRows = std::to_array<WorkerOptionRow>({
    {"key.converter", kClass, nullptr, kHigh, kWorker,
     "How record keys are written to and read from topics, where a connector does not say.", nullptr, Scope::kRequired},
    {"value.converter", kClass, nullptr, kHigh, kWorker,
     "How record values are written to and read from topics, where a connector does not say.", nullptr,
     Scope::kRequired},
    {"header.converter", kClass, "org.apache.kafka.connect.storage.SimpleHeaderConverter", kLow, kWorker,
     "How header values are written to and read from topics, where a connector does not say."},
    {"plugin.path", kList, nullptr, kLow, kWorker,
     "Folders with connector libraries, besides those that come with millrace."},
    {"offset.flush.interval.ms", kLong, "60000", kLow, kWorker,
     "How often offsets are stored at the latest. On the embedded log they are stored within 250 ms.", not_negative},
    {"offset.flush.timeout.ms", kLong, "5000", kLow, kWorker, "How long one storing of offsets may take.",
     not_negative},
    {"task.shutdown.graceful.timeout.ms", kLong, "5000", kLow, kWorker,
     "How long all tasks together may take to end before they are given up.", not_negative},
    {"config.providers", kList, "", kLow, kWorker,
     "Names of providers for variables such as ${file:/etc/secrets.properties:password}. Classes: FileConfigProvider, "
     "DirectoryConfigProvider, EnvVarConfigProvider."},
    {"connector.client.config.override.policy", kString, "All", kMedium, kWorker,
     "Which client settings connectors may override with producer.override.*, consumer.override.*, admin.override.*: "
     "All, Principal (who they are) or None.",
     override_policy},

    {"log.dirs", kString, "./millrace-data", kHigh, kEmbedded,
     "The folder of the embedded log. Where it is absent and ./data holds a log, as earlier versions made it, that one "
     "is used."},
    {"log.listeners", kString, "PLAINTEXT://127.0.0.1:9092", kMedium, kEmbedded,
     "Where Kafka clients reach the embedded log, as `listeners` of server.properties; none for nowhere."},
    {"log.advertised.listeners", kString, nullptr, kLow, kEmbedded,
     "The addresses told to Kafka clients, as `advertised.listeners` of server.properties."},
    {"num.partitions", kInt, "1", kMedium, kEmbedded, "Partitions of topics that are created without a number.",
     positive},
    {"auto.create.topics.enable", kBoolean, "true", kMedium, kEmbedded,
     "Whether a topic is created when a client first asks for it."},
    {"message.max.bytes", kInt, "1048588", kMedium, kEmbedded, "The largest record batch that the embedded log takes.",
     not_negative},

    {"listeners", kList, "http://:8083", kLow, kRest,
     "Where the REST API listens: http:// or https:// addresses. An empty host is every interface."},
    {"rest.advertised.host.name", kString, nullptr, kLow, kRest,
     "The host name that other workers and clients are told."},
    {"rest.advertised.port", kInt, nullptr, kLow, kRest, "The port that other workers and clients are told."},
    {"rest.advertised.listener", kString, nullptr, kLow, kRest, "Which listener is advertised: http or https."},
    {"admin.listeners", kList, nullptr, kLow, kRest,
     "Listeners of their own for /admin; empty for none. Without the setting, /admin is on all listeners."},
    {"access.control.allow.origin", kString, "", kLow, kRest,
     "Origins whose browsers may call the API (CORS); empty for none."},
    {"access.control.allow.methods", kString, "", kLow, kRest,
     "Methods allowed to them; empty for GET, POST and HEAD."},
    {"response.http.headers.config", kString, "", kLow, kRest,
     "Headers added to every answer, such as \"set X-Frame-Options: DENY\"."},
    {"rest.extension.classes", kList, "", kLow, kRest,
     "Extensions by Kafka's names; BasicAuthSecurityRestExtension asks for user and password."},
    {"ssl.client.auth", kString, "none", kLow, kRest,
     "Whether REST clients show a certificate: required, requested or none.", client_auth},

    {"topic.creation.enable", kBoolean, "true", kLow, kTopics,
     "Whether source connectors may create topics as their topic.creation.* settings say."},
    {"topic.tracking.enable", kBoolean, "true", kLow, kTopics,
     "Whether GET /connectors/<name>/topics knows the topics that a connector has used."},
    {"topic.tracking.allow.reset", kBoolean, "true", kLow, kTopics, "Whether that list may be reset."},

    {"config.storage.topic", kString, nullptr, kHigh, kStorage,
     "The topic that keeps the connectors. Standalone: connect-configs.", nullptr, Scope::kRequiredInGroup,
     OnlyIn::kBoth, "connect-configs"},
    {"offset.storage.topic", kString, nullptr, kHigh, kStorage,
     "The topic that keeps source offsets. Standalone: connect-offsets.", nullptr, Scope::kRequiredInGroup,
     OnlyIn::kBoth, "connect-offsets"},
    {"status.storage.topic", kString, nullptr, kHigh, kStorage,
     "The topic that keeps the states of connectors and tasks. Standalone: connect-status.", nullptr,
     Scope::kRequiredInGroup, OnlyIn::kBoth, "connect-status"},
    {"config.storage.replication.factor", kShort, "3", kLow, kStorage,
     "Replicas of that topic when it is created; -1 for the cluster's default. Standalone: 1.", replication,
     Scope::kOptional, OnlyIn::kBoth, "1"},
    {"offset.storage.replication.factor", kShort, "3", kLow, kStorage,
     "Replicas of that topic when it is created; -1 for the cluster's default. Standalone: 1.", replication,
     Scope::kOptional, OnlyIn::kBoth, "1"},
    {"status.storage.replication.factor", kShort, "3", kLow, kStorage,
     "Replicas of that topic when it is created; -1 for the cluster's default. Standalone: 1.", replication,
     Scope::kOptional, OnlyIn::kBoth, "1"},
    {"offset.storage.partitions", kInt, "25", kLow, kStorage,
     "Partitions of that topic when it is created; -1 for the cluster's default. Standalone: 1.", partitions,
     Scope::kOptional, OnlyIn::kBoth, "1"},
    {"status.storage.partitions", kInt, "5", kLow, kStorage,
     "Partitions of that topic when it is created; -1 for the cluster's default. Standalone: 1.", partitions,
     Scope::kOptional, OnlyIn::kBoth, "1"},
    {"offset.storage.file.filename", kString, nullptr, kLow, kStorage,
     "Kafka's offset file of standalone mode; offsets are in a topic here.", nullptr, Scope::kOptional, OnlyIn::kAlone},

    {"group.id", kString, nullptr, kHigh, kMembership,
     "The name of the group of workers; no sink's consumer group may have it.", nullptr, Scope::kRequiredInGroup,
     OnlyIn::kGroup},
    {"session.timeout.ms", kInt, "10000", kHigh, kMembership,
     "A worker that has not been heard of for so long has left.", nullptr, Scope::kOptional, OnlyIn::kGroup},
    {"heartbeat.interval.ms", kInt, "3000", kHigh, kMembership,
     "How often a worker is heard of; a third of session.timeout.ms at most.", nullptr, Scope::kOptional,
     OnlyIn::kGroup},
    {"rebalance.timeout.ms", kInt, "60000", kHigh, kMembership, "How long workers may take to join a new round.",
     nullptr, Scope::kOptional, OnlyIn::kGroup},
    {"scheduled.rebalance.max.delay.ms", kInt, "300000", kLow, kMembership,
     "How long the work of a lost worker waits for its return.", int_from_0, Scope::kOptional, OnlyIn::kGroup},
    {"connect.protocol", kString, "sessioned", kLow, kMembership,
     "How work is handed out: eager, compatible or sessioned.", connect_protocol, Scope::kOptional, OnlyIn::kGroup},
    {"worker.sync.timeout.ms", kInt, "3000", kMedium, kMembership,
     "How long a worker reads the config topic before it joins.", nullptr, Scope::kOptional, OnlyIn::kGroup},
    {"worker.unsync.backoff.ms", kInt, "300000", kMedium, kMembership,
     "How long a worker that could not catch up stays away.", nullptr, Scope::kOptional, OnlyIn::kGroup},
    {"exactly.once.source.support", kString, "disabled", kHigh, kMembership,
     "Whether sources write with transactions: disabled, preparing (the step before, on all workers) or enabled.",
     exactly_once, Scope::kOptional, OnlyIn::kGroup},
    {"inter.worker.key.generation.algorithm", kString, "HmacSHA256", kLow, kMembership,
     "The kind of the key that signs requests between workers.", nullptr, Scope::kOptional, OnlyIn::kGroup},
    {"inter.worker.key.size", kInt, nullptr, kLow, kMembership,
     "Bits of that key; without it as the algorithm suggests.", nullptr, Scope::kOptional, OnlyIn::kGroup},
    {"inter.worker.key.ttl.ms", kInt, "3600000", kLow, kMembership, "How long that key is used.", int_from_0,
     Scope::kOptional, OnlyIn::kGroup},
    {"inter.worker.signature.algorithm", kString, "HmacSHA256", kLow, kMembership,
     "How requests between workers are signed.", nullptr, Scope::kOptional, OnlyIn::kGroup},
    {"inter.worker.verification.algorithms", kList, "HmacSHA256", kLow, kMembership, "Which signatures are accepted.",
     nullptr, Scope::kOptional, OnlyIn::kGroup},

    {"metrics.sample.window.ms", kLong, "30000", kLow, kMetrics, "The window over which a metric is computed.",
     not_negative},
    {"metrics.num.samples", kInt, "2", kLow, kMetrics, "How many windows are kept.", positive},
    {"metrics.recording.level", kString, "INFO", kLow, kMetrics, "INFO, DEBUG or TRACE.", recording_level},

    {"bootstrap.servers", kList, "", kHigh, kClient,
     "Brokers of a Kafka cluster to keep topics in; empty for the embedded log. (Kafka's default is localhost:9092.)"},
    {"client.id", kString, "", kLow, kClient, "The name in the brokers' logs."},
    {"client.dns.lookup", kString, "use_all_dns_ips", kMedium, kClient, "How host names are looked up.", dns_lookup},
    {"metadata.max.age.ms", kLong, "300000", kLow, kClient, "How long what is known of the cluster is believed.",
     not_negative},
    {"metadata.recovery.strategy", kString, "none", kLow, kClient,
     "What to do when no known broker answers: none or rebootstrap.", recovery_strategy},
    {"metadata.recovery.rebootstrap.trigger.ms", kLong, "300000", kLow, kClient, "After how long that is done.",
     not_negative},
    {"send.buffer.bytes", kInt, "131072", kLow, kClient, "The socket's send buffer; -1 for the system's.",
     [] { return validators::at_least(int64_t{-1}); }},
    {"receive.buffer.bytes", kInt, "32768", kLow, kClient, "The socket's receive buffer; -1 for the system's.",
     [] { return validators::at_least(int64_t{-1}); }},
    {"request.timeout.ms", kInt, "40000", kMedium, kClient, "How long an answer is waited for.", not_negative},
    {"connections.max.idle.ms", kLong, "540000", kLow, kClient, "When an idle connection is closed."},
    {"reconnect.backoff.ms", kLong, "50", kLow, kClient, "The first pause before another try to connect.",
     not_negative},
    {"reconnect.backoff.max.ms", kLong, "1000", kLow, kClient, "The longest such pause.", not_negative},
    {"retry.backoff.ms", kLong, "100", kLow, kClient, "The first pause before a request is repeated.", not_negative},
    {"retry.backoff.max.ms", kLong, "1000", kLow, kClient, "The longest such pause.", not_negative},
    {"socket.connection.setup.timeout.ms", kLong, "10000", kLow, kClient,
     "How long the first try to connect may take."},
    {"socket.connection.setup.timeout.max.ms", kLong, "30000", kLow, kClient, "How long a later one may take."},

    {"security.protocol", kString, "PLAINTEXT", kMedium, kSecurity,
     "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, towards the cluster.", security_protocol},
    {"sasl.mechanism", kString, "GSSAPI", kMedium, kSecurity, "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER."},
    {"sasl.jaas.config", kPassword, nullptr, kMedium, kSecurity,
     "User and password in Java's form: …LoginModule required username=\"u\" password=\"p\";"},
    {"ssl.protocol", kString, "TLSv1.3", kMedium, kSecurity, "The newest TLS version that is used."},
    {"ssl.enabled.protocols", kList, "TLSv1.2,TLSv1.3", kMedium, kSecurity, "TLS versions that may be used."},
    {"ssl.cipher.suites", kList, nullptr, kLow, kSecurity, "Ciphers that may be used; without it the TLS library's."},
    {"ssl.keystore.type", kString, "JKS", kMedium, kSecurity, "PEM or PKCS12; JKS stores must be converted."},
    {"ssl.keystore.location", kString, nullptr, kHigh, kSecurity, "The file with our key and certificates."},
    {"ssl.keystore.password", kPassword, nullptr, kHigh, kSecurity, "Its password."},
    {"ssl.key.password", kPassword, nullptr, kHigh, kSecurity, "The password of the key in it."},
    {"ssl.keystore.key", kPassword, nullptr, kHigh, kSecurity, "Our key in PEM form, in place of a file."},
    {"ssl.keystore.certificate.chain", kPassword, nullptr, kHigh, kSecurity,
     "Our certificates in PEM form, in place of a file."},
    {"ssl.truststore.type", kString, "JKS", kMedium, kSecurity, "PEM or PKCS12; JKS stores must be converted."},
    {"ssl.truststore.location", kString, nullptr, kHigh, kSecurity, "The file with the certificates we trust."},
    {"ssl.truststore.password", kPassword, nullptr, kHigh, kSecurity, "Its password."},
    {"ssl.truststore.certificates", kPassword, nullptr, kHigh, kSecurity,
     "The certificates we trust in PEM form, in place of a file."},
    {"ssl.endpoint.identification.algorithm", kString, "https", kLow, kSecurity,
     "https compares the host's name with its certificate; empty does not."},
});

}  // namespace

std::span<const WorkerOptionRow> worker_option_rows() { return kRows; }

}  // namespace millrace
