#include "broker/security/client_quotas.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <set>

namespace millrace {
namespace {

constexpr std::string_view kUser = "user", kClientId = "client-id", kIp = "ip";

struct QuotaKey {
  std::string_view name;
  bool for_ip;
  bool whole;
  double max;
};
constexpr std::array<QuotaKey, 5> kKeys = {{
    {"producer_byte_rate", false, true, 0x1p63},
    {"consumer_byte_rate", false, true, 0x1p63},
    {"request_percentage", false, false, std::numeric_limits<double>::infinity()},
    {"controller_mutation_rate", false, false, std::numeric_limits<double>::infinity()},
    {"connection_creation_rate", true, true, 0x7FFFFFFF},
}};
// As far as Kafka lets a whole number miss.
constexpr double kFractionMax = 1e-6;

tl::unexpected<Error> refuse(std::string message, std::string_view exception = "InvalidRequestException") {
  return fail(Error{ErrorCode::kInvalidConfig, std::move(message),
                    fmt::format("org.apache.kafka.common.errors.{}", exception)});
}

bool known_type(std::string_view type) { return type == kUser || type == kClientId || type == kIp; }

bool address(const std::string& text) {
  in6_addr parsed;
  return ::inet_pton(AF_INET, text.c_str(), &parsed) == 1 || ::inet_pton(AF_INET6, text.c_str(), &parsed) == 1;
}

Status check_entity(const QuotaEntity& entity) {
  if (entity.empty()) return refuse("Invalid empty client quota entity");
  for (const auto& [type, name] : entity) {
    if (!known_type(type)) return refuse(fmt::format("Unhandled client quota entity type: {}", type));
    if (name && name->empty()) return refuse(fmt::format("Empty {} not supported", type));
  }
  const auto ip = entity.find(std::string(kIp));
  if (ip == entity.end()) return {};
  if (entity.size() > 1)
    return refuse("Invalid quota entity combination, IP entity should not be combined with User or ClientId");
  if (ip->second && !address(*ip->second)) return refuse(fmt::format("{} is not a valid IP address", *ip->second));
  return {};
}

Status check_value(const QuotaKey& key, double value) {
  if (!(value > 0)) return refuse(fmt::format("Quota {} must be greater than 0", key.name));
  if (!key.whole) return {};
  if (value > key.max) return refuse(fmt::format("Proposed value for {} is too large.", key.name));
  if (std::abs(std::fmod(value, 1.0)) > kFractionMax)
    return refuse(fmt::format("{} cannot be a fractional value.", key.name));
  return {};
}

}  // namespace

Status check_quota_alteration(const QuotaEntity& entity, std::span<const QuotaChange> changes) {
  if (auto checked = check_entity(entity); !checked) return checked;
  const bool for_ip = entity.contains(std::string(kIp));
  for (const QuotaChange& change : changes) {
    if (!change.value) continue;  // what is not there can be removed
    const QuotaKey* known = nullptr;
    for (const QuotaKey& key : kKeys) {
      if (key.name == change.key && key.for_ip == for_ip) known = &key;
    }
    if (known == nullptr) return refuse(fmt::format("Invalid configuration key {}", change.key));
    if (auto checked = check_value(*known, *change.value); !checked) return checked;
  }
  return {};
}

Status check_quota_filter(std::span<const QuotaFilter> filter) {
  std::set<std::string_view> seen;
  for (const QuotaFilter& part : filter) {
    if (part.entity_type.empty()) return refuse("Invalid empty entity type.");
    if (!seen.insert(part.entity_type).second)
      return refuse(fmt::format("Entity type {} cannot appear more than once in the filter.", part.entity_type));
    if (!known_type(part.entity_type))
      return refuse(fmt::format("Unsupported entity type {}", part.entity_type), "UnsupportedVersionException");
    switch (part.match) {
      case QuotaFilter::Match::kExact:
        if (!part.name) return refuse("Request specified MATCH_TYPE_EXACT, but set match string to null.");
        break;
      case QuotaFilter::Match::kDefault:
      case QuotaFilter::Match::kSpecified:
        if (part.name) {
          return refuse(fmt::format("Request specified MATCH_TYPE_{}, but also specified a match string.",
                                    part.match == QuotaFilter::Match::kDefault ? "DEFAULT" : "SPECIFIED"));
        }
        break;
      default:
        return refuse(fmt::format("Unknown match type {}", static_cast<int>(part.match)));
    }
  }
  if (seen.contains(kIp) && seen.size() > 1) {
    return refuse(
        "Invalid entity filter component combination. IP filter component should not be used with user or "
        "clientId filter component.");
  }
  return {};
}

bool quota_entity_matches(const QuotaEntity& entity, std::span<const QuotaFilter> filter, bool strict) {
  if (strict && entity.size() != filter.size()) return false;
  for (const QuotaFilter& part : filter) {
    const auto found = entity.find(part.entity_type);
    if (found == entity.end()) return false;
    if (part.match != QuotaFilter::Match::kSpecified && found->second != part.name) return false;
  }
  return true;
}

}  // namespace millrace
