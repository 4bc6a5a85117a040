/// Client quotas: kept and shown as admin tools set them. millrace does not throttle by them.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace millrace {

/// Entity type ("user", "client-id", "ip") to name; a null name is the default entity of that type.
using QuotaEntity = std::map<std::string, std::optional<std::string>>;
/// Key ("producer_byte_rate") to value.
using QuotaValues = std::map<std::string, double>;

struct QuotaChange {
  std::string key;
  std::optional<double> value;  ///< null removes
};

/// One component of a DescribeClientQuotas filter; the numbers of `match` are the wire's.
struct QuotaFilter {
  enum class Match : int8_t { kExact = 0, kDefault = 1, kSpecified = 2 };
  std::string entity_type;
  Match match = Match::kSpecified;
  std::optional<std::string> name;
};

/// Checks an alteration by Kafka's rules (known entity types and keys, ip not mixed with others, values whole where
/// Kafka wants it). Errors: kInvalidConfig with InvalidRequestException.
Status check_quota_alteration(const QuotaEntity& entity, std::span<const QuotaChange> changes);

/// Checks a filter. Errors: kInvalidConfig with InvalidRequestException or UnsupportedVersionException.
Status check_quota_filter(std::span<const QuotaFilter> filter);
/// `strict`: entities with further types than the filter's do not match.
bool quota_entity_matches(const QuotaEntity& entity, std::span<const QuotaFilter> filter, bool strict);

}  // namespace millrace
