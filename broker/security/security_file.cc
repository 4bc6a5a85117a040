#include "broker/security/security_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace millrace {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

/// Throws like nlohmann's own readers; from_json() translates.
std::string from_hex(const std::string& text) {
  if (text.size() % 2 != 0) throw std::invalid_argument("hexadecimal bytes of odd length");
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2)
    out.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return out;
}

template <class E>
E from_word(const std::string& word, E (*from_number)(int8_t)) {
  for (int8_t number = 1; from_number(number) != E{}; ++number) {
    if (acl_word(from_number(number)) == word) return from_number(number);
  }
  throw std::invalid_argument("unknown word " + word);
}

Json acl_json(const AclBinding& acl) {
  return {{"resourceType", acl_word(acl.type)},
          {"resourceName", acl.name},
          {"patternType", acl_word(acl.pattern)},
          {"principal", acl.principal},
          {"host", acl.host},
          {"operation", acl_word(acl.operation)},
          {"permissionType", acl_word(acl.permission)}};
}

AclBinding acl_from(const Json& json) {
  return {from_word(json.at("resourceType").get<std::string>(), resource_type),
          json.at("resourceName").get<std::string>(),
          from_word(json.at("patternType").get<std::string>(), pattern_type),
          json.at("principal").get<std::string>(),
          json.at("host").get<std::string>(),
          from_word(json.at("operation").get<std::string>(), acl_operation),
          from_word(json.at("permissionType").get<std::string>(), acl_permission)};
}

Json quota_json(const QuotaEntity& entity, const QuotaValues& values) {
  Json types = Json::object();
  for (const auto& [type, name] : entity) types[type] = name ? Json(*name) : Json();
  return {{"entity", std::move(types)}, {"values", values}};
}

void read_quota(const Json& json, SecurityFile& file) {
  QuotaEntity entity;
  for (const auto& [type, name] : json.at("entity").items())
    entity[type] = name.is_null() ? std::nullopt : std::optional(name.get<std::string>());
  file.quotas[std::move(entity)] = json.at("values").get<QuotaValues>();
}

void read_scram(const Json& json, SecurityFile& file) {
  const ScramMechanism mechanism = scram_mechanism(json.at("mechanism").get<std::string>());
  if (mechanism == ScramMechanism::kUnknown) throw std::invalid_argument("unknown SCRAM mechanism");
  file.scram[json.at("user").get<std::string>()][mechanism] = {
      from_hex(json.at("salt").get<std::string>()), from_hex(json.at("storedKey").get<std::string>()),
      from_hex(json.at("serverKey").get<std::string>()), json.at("iterations").get<int32_t>()};
}

}  // namespace

std::string SecurityFile::to_json() const {
  Json json = {{"version", kVersion}, {"scram", Json::array()}, {"acls", Json::array()}, {"quotas", Json::array()}};
  for (const auto& [user, credentials] : scram) {
    for (const auto& [mechanism, credential] : credentials) {
      json["scram"].push_back({{"user", user},
                               {"mechanism", scram_mechanism_name(mechanism)},
                               {"iterations", credential.iterations},
                               {"salt", hex(credential.salt)},
                               {"storedKey", hex(credential.stored_key)},
                               {"serverKey", hex(credential.server_key)}});
    }
  }
  for (const AclBinding& acl : acls.all()) json["acls"].push_back(acl_json(acl));
  for (const auto& [entity, values] : quotas) json["quotas"].push_back(quota_json(entity, values));
  // Names come from clients, who may send what is no UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Expected<SecurityFile> SecurityFile::from_json(std::string_view text) {
  SecurityFile file;
  try {
    const Json json = Json::parse(text);
    if (const int version = json.at("version").get<int>(); version != kVersion)
      throw std::invalid_argument(fmt::format("version {} is not {}", version, kVersion));
    for (const Json& item : json.at("scram")) read_scram(item, file);
    for (const Json& item : json.at("acls")) file.acls.add(acl_from(item));
    for (const Json& item : json.at("quotas")) read_quota(item, file);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kCorruption, error.what());
  }
  return file;
}

}  // namespace millrace
