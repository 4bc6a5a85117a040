#include "connectors/mariadb/kafka/client_settings.h"

#include <array>

namespace millrace::mariadb {
namespace {

using Settings = std::map<std::string, std::string>;

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

Status wrong(const std::string& why) { return Status(Code::kInvalidConfig, why); }

/// What stands for `name` in `Module required name="value" …;`, with \" and \\ read.
std::string jaas_option(const std::string& jaas, const std::string& name) {
  for (size_t at = jaas.find(name); at != std::string::npos; at = jaas.find(name, at + 1)) {
    if (at == 0 || (jaas[at - 1] != ' ' && jaas[at - 1] != '\n' && jaas[at - 1] != '\t')) continue;
    size_t value = at + name.size();
    while (value < jaas.size() && jaas[value] == ' ') ++value;
    if (value >= jaas.size() || jaas[value] != '=') continue;
    do ++value;
    while (value < jaas.size() && jaas[value] == ' ');
    const bool quoted = value < jaas.size() && (jaas[value] == '"' || jaas[value] == '\'');
    const char end = quoted ? jaas[value++] : ' ';
    std::string text;
    for (; value < jaas.size() && jaas[value] != end && (quoted || jaas[value] != ';'); ++value) {
      if (jaas[value] == '\\' && value + 1 < jaas.size()) ++value;
      text += jaas[value];
    }
    return text;
  }
  return {};
}

void jaas_settings(const std::string& jaas, Settings& out) {
  constexpr std::array<std::array<const char*, 2>, 7> kOptions = {{{"username", "sasl.username"},
                                                                   {"password", "sasl.password"},
                                                                   {"clientId", "sasl.oauthbearer.client.id"},
                                                                   {"clientSecret", "sasl.oauthbearer.client.secret"},
                                                                   {"scope", "sasl.oauthbearer.scope"},
                                                                   {"principal", "sasl.kerberos.principal"},
                                                                   {"keyTab", "sasl.kerberos.keytab"}}};
  for (const auto& [option, setting] : kOptions)
    if (std::string value = jaas_option(jaas, option); !value.empty()) out[setting] = std::move(value);
  if (out.contains("sasl.oauthbearer.client.id")) out["sasl.oauthbearer.method"] = "oidc";
}

/// "pem", "pkcs12" or "jks": as given, else by the name of the file.
std::string store_type(const Settings& given, const std::string& store) {
  if (const auto type = given.find("ssl." + store + ".type"); type != given.end()) return lower(type->second);
  const auto location = given.find("ssl." + store + ".location");
  if (location == given.end()) return "pem";
  const std::string name = lower(location->second);
  if (name.ends_with(".p12") || name.ends_with(".pfx")) return "pkcs12";
  return name.ends_with(".pem") || name.ends_with(".crt") || name.ends_with(".key") ? "pem" : "jks";
}

Status store_settings(const Settings& given, Settings& out) {
  const auto get = [&given](const char* key) {
    const auto at = given.find(key);
    return at == given.end() ? std::string() : at->second;
  };
  const auto put = [&out](const char* key, const std::string& value) {
    if (!value.empty()) out[key] = value;
  };
  if (const std::string location = get("ssl.truststore.location"); !location.empty()) {
    if (store_type(given, "truststore") != "pem")
      return wrong("ssl.truststore.location must be a PEM file (ssl.truststore.type=PEM): " + location);
    put("ssl.ca.location", location);
  }
  put("ssl.ca.pem", get("ssl.truststore.certificates"));
  if (const std::string location = get("ssl.keystore.location"); !location.empty()) {
    const std::string type = store_type(given, "keystore");
    if (type == "pkcs12") {
      put("ssl.keystore.location", location);
      put("ssl.keystore.password", get("ssl.keystore.password"));
    } else if (type == "pem") {
      put("ssl.certificate.location", location);  // one file holds both
      put("ssl.key.location", location);
    } else {
      return wrong("ssl.keystore.location must be a PEM or PKCS12 file (ssl.keystore.type): " + location);
    }
  }
  put("ssl.key.pem", get("ssl.keystore.key"));
  put("ssl.certificate.pem", get("ssl.keystore.certificate.chain"));
  put("ssl.key.password", get("ssl.key.password"));
  return {};
}

bool translated_elsewhere(const std::string& key) {
  return key.starts_with("ssl.keystore.") || key.starts_with("ssl.truststore.") || key == "ssl.key.password" ||
         key == "sasl.jaas.config";
}

/// Of the Java client alone, without a counterpart that would matter here.
bool java_only(const std::string& key) {
  constexpr const char* kKeys[] = {"key.serializer",
                                   "value.serializer",
                                   "key.deserializer",
                                   "value.deserializer",
                                   "ssl.protocol",
                                   "ssl.provider",
                                   "ssl.enabled.protocols",
                                   "ssl.secure.random.implementation",
                                   "ssl.keymanager.algorithm",
                                   "ssl.trustmanager.algorithm",
                                   "ssl.engine.factory.class",
                                   "sasl.client.callback.handler.class",
                                   "sasl.login.callback.handler.class",
                                   "sasl.login.class"};
  for (const char* name : kKeys)
    if (key == name) return true;
  return key.starts_with("sasl.login.");
}

}  // namespace

Result<Settings> client_settings(const KafkaOptions& options) {
  Settings out;
  out["bootstrap.servers"] = options.bootstrap_servers;
  for (const auto& [key, value] : options.client) {
    if (translated_elsewhere(key) || java_only(key)) continue;
    if (key == "security.protocol") {
      out[key] = lower(value);
    } else if (key == "ssl.endpoint.identification.algorithm") {
      out[key] = value.empty() ? "none" : lower(value);
    } else if (key == "ssl.cipher.suites") {
      std::string suites = value;
      for (char& c : suites) c = c == ',' ? ':' : c;
      out[key] = suites;
    } else if (key == "max.request.size") {
      out["message.max.bytes"] = value;
    } else {
      out[key] = value;
    }
  }
  if (const auto jaas = options.client.find("sasl.jaas.config"); jaas != options.client.end())
    jaas_settings(jaas->second, out);
  if (Status status = store_settings(options.client, out); !status.ok()) return status;
  return out;
}

Result<RdKafka> make_client(rd_kafka_type_t type, const KafkaOptions& options, const Settings& own,
                            DeliveryCallback delivered) {
  Result<Settings> settings = client_settings(options);
  if (!settings.ok()) return settings.status();
  for (const auto& [key, value] : own) settings->insert_or_assign(key, value);
  struct ConfDelete {
    void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  };
  std::unique_ptr<rd_kafka_conf_t, ConfDelete> conf(rd_kafka_conf_new());
  char error[512] = "";
  for (const auto& [key, value] : settings.value()) {
    const rd_kafka_conf_res_t set = rd_kafka_conf_set(conf.get(), key.c_str(), value.c_str(), error, sizeof error);
    const bool secret = key.starts_with("ssl.") || key.starts_with("sasl.") || key == "security.protocol";
    if (set == RD_KAFKA_CONF_INVALID || (set == RD_KAFKA_CONF_UNKNOWN && secret))
      return wrong("Kafka client setting " + key + ": " + error);
  }
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);  // what matters comes as the Status of a call
  if (delivered != nullptr) rd_kafka_conf_set_dr_msg_cb(conf.get(), delivered);
  RdKafka client(rd_kafka_new(type, conf.get(), error, sizeof error));
  if (client == nullptr) return wrong(std::string("Kafka client: ") + error);
  static_cast<void>(conf.release());  // the client's now
  return client;
}

}  // namespace millrace::mariadb
