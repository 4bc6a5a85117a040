#include "tools/client_properties.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/properties.h"

namespace millrace {
namespace {

struct Rename {
  std::string_view java;
  std::string_view native;
};

constexpr std::array kRenames = std::to_array<Rename>({
    {"send.buffer.bytes", "socket.send.buffer.bytes"},
    {"receive.buffer.bytes", "socket.receive.buffer.bytes"},
    {"fetch.max.wait.ms", "fetch.wait.max.ms"},
    {"metadata.max.age.ms", "topic.metadata.refresh.interval.ms"},
    {"max.request.size", "message.max.bytes"},
    {"sasl.mechanism", "sasl.mechanisms"},
    {"ssl.truststore.certificates", "ssl.ca.pem"},
    {"ssl.keystore.certificate.chain", "ssl.certificate.pem"},
    {"ssl.keystore.key", "ssl.key.pem"},
});

// Without meaning outside the JVM, or done by the tools themselves.
constexpr std::array kIgnored = std::to_array<std::string_view>({
    "key.serializer",
    "value.serializer",
    "key.deserializer",
    "value.deserializer",
    "interceptor.classes",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.sample.window.ms",
    "metrics.recording.level",
    "auto.include.jmx.reporter",
    "enable.metrics.push",
    "security.providers",
    "max.block.ms",
    "max.poll.records",
    "default.api.timeout.ms",
    "partitioner.class",
    "partitioner.ignore.keys",
    "partitioner.adaptive.partitioning.enable",
    "partitioner.availability.timeout.ms",
    "group.remote.assignor",
    "exclude.internal.topics",
    "ssl.protocol",
    "ssl.enabled.protocols",
    "ssl.provider",
    "ssl.keymanager.algorithm",
    "ssl.trustmanager.algorithm",
    "ssl.secure.random.implementation",
    "sasl.jaas.config",
    "sasl.client.callback.handler.class",
    "sasl.login.callback.handler.class",
    "ssl.truststore.type",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.keystore.type",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "group.protocol",
    "partition.assignment.strategy",
    "buffer.memory",
    "request.timeout.ms",
    "ssl.endpoint.identification.algorithm",
    "metadata.recovery.strategy",
    "metadata.recovery.rebootstrap.trigger.ms",
});

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

const std::string* find(const ClientProperties& properties, const char* name) {
  const auto found = properties.find(name);
  return found == properties.end() ? nullptr : &found->second;
}

tl::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); }

/// `name="value"` or `name=value` in a JAAS line.
std::string jaas_option(std::string_view jaas, std::string_view name) {
  for (size_t at = jaas.find(name); at != std::string_view::npos; at = jaas.find(name, at + 1)) {
    std::string_view rest = jaas.substr(at + name.size());
    const bool starts = at == 0 || jaas[at - 1] == ' ' || jaas[at - 1] == '\t' || jaas[at - 1] == '\n';
    if (!starts || !rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    if (!rest.starts_with('"') && !rest.starts_with('\''))
      return std::string(rest.substr(0, rest.find_first_of(" \t\n;")));
    std::string value;
    for (size_t i = 1; i < rest.size() && rest[i] != rest[0]; ++i) {
      if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
      value += rest[i];
    }
    return value;
  }
  return {};
}

void translate_jaas(const std::string& jaas, ClientProperties& native) {
  const auto put = [&](const char* to, const char* from) {
    if (std::string value = jaas_option(jaas, from); !value.empty()) native[to] = std::move(value);
  };
  if (jaas.find("OAuthBearer") != std::string::npos) {
    native["sasl.oauthbearer.method"] = "oidc";
    put("sasl.oauthbearer.client.id", "clientId");
    put("sasl.oauthbearer.client.secret", "clientSecret");
    put("sasl.oauthbearer.scope", "scope");
  } else if (jaas.find("Krb5") != std::string::npos) {
    put("sasl.kerberos.keytab", "keyTab");
    put("sasl.kerberos.principal", "principal");
  } else {
    put("sasl.username", "username");
    put("sasl.password", "password");
  }
}

std::string store_type(const ClientProperties& properties, const char* type_key, const std::string& path) {
  const std::string* type = find(properties, type_key);
  if (type != nullptr) return lower(*type);
  const std::string extension = lower(Path(path).extension().string());
  if (extension == ".p12" || extension == ".pfx") return "pkcs12";
  return extension == ".pem" || extension == ".crt" ? "pem" : "jks";
}

Status translate_stores(const ClientProperties& properties, ClientProperties& native) {
  if (const std::string* path = find(properties, "ssl.truststore.location")) {
    if (store_type(properties, "ssl.truststore.type", *path) != "pem") {
      return refuse(
          fmt::format("ssl.truststore.location={} is a Java key store, which this native tool cannot read. "
                      "Export the certificates as PEM (keytool -exportcert -rfc -keystore {} -file ca.pem) and "
                      "set ssl.truststore.type=PEM, ssl.truststore.location=ca.pem",
                      *path, *path));
    }
    native["ssl.ca.location"] = *path;
  }
  if (const std::string* path = find(properties, "ssl.keystore.location")) {
    const std::string type = store_type(properties, "ssl.keystore.type", *path);
    if (type == "pem") {
      native["ssl.certificate.location"] = *path;
      native["ssl.key.location"] = *path;
    } else if (type == "pkcs12") {
      native["ssl.keystore.location"] = *path;
      if (const std::string* password = find(properties, "ssl.keystore.password"))
        native["ssl.keystore.password"] = *password;
    } else {
      return refuse(
          fmt::format("ssl.keystore.location={} is a Java key store, which this native tool cannot read. Convert "
                      "it (keytool -importkeystore -srckeystore {} -destkeystore key.p12 -deststoretype PKCS12) "
                      "and set ssl.keystore.type=PKCS12, ssl.keystore.location=key.p12",
                      *path, *path));
    }
  }
  if (const std::string* algorithm = find(properties, "ssl.endpoint.identification.algorithm"))
    native["ssl.endpoint.identification.algorithm"] = algorithm->empty() ? "none" : lower(*algorithm);
  return {};
}

void translate_producer(const ClientProperties& properties, ClientProperties& native) {
  if (const std::string* timeout = find(properties, "request.timeout.ms")) native["request.timeout.ms"] = *timeout;
  native.try_emplace("partitioner", "murmur2_random");
  native.try_emplace("queue.buffering.max.messages", "1000000");
  // librdkafka wants it within the time of a transaction.
  const std::string* transaction = find(properties, "transaction.timeout.ms");
  const char* const delivery = transaction != nullptr ? transaction->c_str() : "60000";
  native.try_emplace("delivery.timeout.ms", properties.contains("transactional.id") ? delivery : "120000");
  if (const std::string* memory = find(properties, "buffer.memory")) {
    int64_t bytes = 0;
    std::from_chars(memory->data(), memory->data() + memory->size(), bytes);
    native["queue.buffering.max.kbytes"] = fmt::format("{}", std::max<int64_t>(bytes / 1024, 1));
  }
  // Java: idempotent unless another setting forbids it.
  const std::string* acks = find(properties, "acks");
  const std::string* retries = find(properties, "retries");
  const std::string* in_flight = find(properties, "max.in.flight.requests.per.connection");
  const bool allowed = (acks == nullptr || *acks == "all" || *acks == "-1") &&
                       (retries == nullptr || *retries != "0") &&
                       (in_flight == nullptr || (in_flight->size() == 1 && *in_flight <= "5"));
  native.try_emplace("enable.idempotence", allowed ? "true" : "false");
}

Status translate_consumer(const ClientProperties& properties, ClientProperties& native) {
  if (const std::string* timeout = find(properties, "request.timeout.ms")) native["socket.timeout.ms"] = *timeout;
  if (const std::string* protocol = find(properties, "group.protocol");
      protocol != nullptr && lower(*protocol) != "classic") {
    return refuse(fmt::format(
        "group.protocol={} is not known to the client library of this tool; use group.protocol=classic", *protocol));
  }
  if (const std::string* strategy = find(properties, "partition.assignment.strategy")) {
    const std::string name = lower(*strategy);
    native["partition.assignment.strategy"] = name.find("cooperative") != std::string::npos  ? "cooperative-sticky"
                                              : name.find("roundrobin") != std::string::npos ? "roundrobin"
                                                                                             : "range";
  }
  if (const auto reset = native.find("auto.offset.reset"); reset != native.end() && reset->second == "none")
    reset->second = "error";
  native.try_emplace("isolation.level", "read_uncommitted");
  native.try_emplace("check.crcs", "true");
  native.try_emplace("allow.auto.create.topics", "true");
  return {};
}

}  // namespace

Expected<ClientProperties> load_client_properties(FileSystem& files, const Path& path) {
  auto text = files.read_file(path);
  if (!text) return fail(std::move(text.error()));
  auto pairs = parse_properties(*text);
  if (!pairs) return fail(std::move(pairs.error()).wrap(fmt::format("cannot read {}", path.string())));
  ClientProperties properties;
  for (auto& [key, value] : *pairs) properties[std::move(key)] = std::move(value);
  return properties;
}

void add_key_values(ClientProperties& properties, std::span<const std::string> words) {
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    properties[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
}

Expected<ClientProperties> to_librdkafka(const ClientProperties& properties, ClientKind kind) {
  ClientProperties native;
  for (const auto& [name, value] : properties) {
    const auto rename = std::ranges::find(kRenames, name, &Rename::java);
    if (rename != kRenames.end()) {
      native[std::string(rename->native)] = value;
    } else if (std::ranges::find(kIgnored, name) == kIgnored.end()) {
      native[name] = value;
    }
  }
  if (const std::string* jaas = find(properties, "sasl.jaas.config")) translate_jaas(*jaas, native);
  if (auto stores = translate_stores(properties, native); !stores) return fail(std::move(stores.error()));
  if (kind == ClientKind::kProducer) {
    translate_producer(properties, native);
  } else if (kind == ClientKind::kConsumer) {
    if (auto done = translate_consumer(properties, native); !done) return fail(std::move(done.error()));
  } else if (const std::string* timeout = find(properties, "request.timeout.ms")) {
    native["socket.timeout.ms"] = *timeout;
  }
  native.try_emplace("log_level", "4");  // warnings, as Kafka's tools log
  native.try_emplace("log.connection.close", "false");
  return native;
}

}  // namespace millrace
