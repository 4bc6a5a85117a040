#include "broker/security/acl.h"

#include <array>

namespace millrace {
namespace {

constexpr std::array<std::string_view, 16> kOperations = {"UNKNOWN",
                                                          "ANY",
                                                          "ALL",
                                                          "READ",
                                                          "WRITE",
                                                          "CREATE",
                                                          "DELETE",
                                                          "ALTER",
                                                          "DESCRIBE",
                                                          "CLUSTER_ACTION",
                                                          "DESCRIBE_CONFIGS",
                                                          "ALTER_CONFIGS",
                                                          "IDEMPOTENT_WRITE",
                                                          "CREATE_TOKENS",
                                                          "DESCRIBE_TOKENS",
                                                          "TWO_PHASE_COMMIT"};
constexpr std::array<std::string_view, 8> kTypes = {
    "UNKNOWN", "ANY", "TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "DELEGATION_TOKEN", "USER"};
constexpr std::array<std::string_view, 5> kPatterns = {"UNKNOWN", "ANY", "MATCH", "LITERAL", "PREFIXED"};
constexpr std::array<std::string_view, 4> kPermissions = {"UNKNOWN", "ANY", "DENY", "ALLOW"};
constexpr std::string_view kEveryUser = "User:*";

template <class E, size_t N>
E from_wire(int8_t wire, const std::array<std::string_view, N>&) {
  return wire >= 0 && static_cast<size_t>(wire) < N ? static_cast<E>(wire) : E{};
}

bool implied(AclOperation wanted, AclOperation allowed) {
  switch (wanted) {
    case AclOperation::kDescribe:
      return allowed == AclOperation::kRead || allowed == AclOperation::kWrite || allowed == AclOperation::kDelete ||
             allowed == AclOperation::kAlter;
    case AclOperation::kDescribeConfigs:
      return allowed == AclOperation::kAlterConfigs;
    default:
      return false;
  }
}

/// Whether the binding speaks about this client and operation; the resource is the caller's.
bool concerns(const AclBinding& binding, std::string_view principal, std::string_view host, AclOperation operation) {
  if (binding.principal != principal && binding.principal != kEveryUser) return false;
  if (binding.host != host && binding.host != kAclWildcard) return false;
  return binding.operation == operation || binding.operation == AclOperation::kAll ||
         (binding.permission == AclPermission::kAllow && implied(operation, binding.operation));
}

}  // namespace

AclOperation acl_operation(int8_t wire) { return from_wire<AclOperation>(wire, kOperations); }
ResourceType resource_type(int8_t wire) { return from_wire<ResourceType>(wire, kTypes); }
PatternType pattern_type(int8_t wire) { return from_wire<PatternType>(wire, kPatterns); }
AclPermission acl_permission(int8_t wire) { return from_wire<AclPermission>(wire, kPermissions); }
std::string_view acl_word(AclOperation operation) { return kOperations[static_cast<size_t>(operation)]; }
std::string_view acl_word(ResourceType type) { return kTypes[static_cast<size_t>(type)]; }
std::string_view acl_word(PatternType pattern) { return kPatterns[static_cast<size_t>(pattern)]; }
std::string_view acl_word(AclPermission permission) { return kPermissions[static_cast<size_t>(permission)]; }

bool AclFilter::matches(const AclBinding& binding) const {
  if (type != ResourceType::kAny && type != binding.type) return false;
  if (operation != AclOperation::kAny && operation != binding.operation) return false;
  if (permission != AclPermission::kAny && permission != binding.permission) return false;
  if (principal && *principal != binding.principal) return false;
  if (host && *host != binding.host) return false;
  if (pattern == PatternType::kLiteral || pattern == PatternType::kPrefixed) {
    if (pattern != binding.pattern) return false;
  }
  if (!name) return true;
  if (pattern != PatternType::kMatch) return *name == binding.name;
  return binding.pattern == PatternType::kPrefixed ? name->starts_with(binding.name)
                                                   : binding.name == *name || binding.name == kAclWildcard;
}

bool AclSet::add(AclBinding binding) {
  const auto [placed, added] = all_.insert(std::move(binding));
  if (added) by_resource_[{placed->type, placed->pattern, placed->name}].push_back(*placed);
  return added;
}

bool AclSet::remove(const AclBinding& binding) {
  if (all_.erase(binding) == 0) return false;
  const auto found = by_resource_.find({binding.type, binding.pattern, binding.name});
  std::erase(found->second, binding);
  if (found->second.empty()) by_resource_.erase(found);
  return true;
}

void AclSet::look_at(const Resource& resource, std::string_view principal, std::string_view host,
                     AclOperation operation, Found& found) const {
  const auto bindings = by_resource_.find(resource);
  if (bindings == by_resource_.end()) return;
  found.any = true;
  for (const AclBinding& binding : bindings->second) {
    if (!concerns(binding, principal, host, operation)) continue;
    (binding.permission == AclPermission::kDeny ? found.denied : found.allowed) = true;
  }
}

AclSet::Verdict AclSet::decide(std::string_view principal, std::string_view host, AclOperation operation,
                               ResourceType type, std::string_view name) const {
  Found found;
  look_at({type, PatternType::kLiteral, std::string(name)}, principal, host, operation, found);
  if (name != kAclWildcard)
    look_at({type, PatternType::kLiteral, std::string(kAclWildcard)}, principal, host, operation, found);
  // Prefixed bindings of a name are those of its beginnings: walk from one to the next that can match.
  for (size_t length = 0; length <= name.size();) {
    const auto next = by_resource_.lower_bound({type, PatternType::kPrefixed, std::string(name.substr(0, length))});
    if (next == by_resource_.end() || next->first.type != type || next->first.pattern != PatternType::kPrefixed) break;
    const std::string& prefix = next->first.name;
    if (name.starts_with(prefix)) {
      look_at(next->first, principal, host, operation, found);
      length = prefix.size() + 1;
    } else {
      ++length;
    }
  }
  if (found.denied) return Verdict::kDenied;
  if (found.allowed) return Verdict::kAllowed;
  return found.any ? Verdict::kNothingAllows : Verdict::kResourceHasNone;
}

bool AclSet::denied_at(const Resource& resource, std::string_view principal, std::string_view host,
                       AclOperation operation) const {
  Found found;
  look_at(resource, principal, host, operation, found);
  return found.denied;
}

bool AclSet::allowed_somewhere(std::string_view principal, std::string_view host, AclOperation operation,
                               ResourceType type) const {
  if (denied_at({type, PatternType::kLiteral, std::string(kAclWildcard)}, principal, host, operation)) return false;
  for (const auto& [resource, bindings] : by_resource_) {
    if (resource.type != type) continue;
    Found found;
    look_at(resource, principal, host, operation, found);
    if (!found.allowed || found.denied) continue;
    // A permission counts unless a denial covers all that it permits: the same prefix or a shorter one.
    bool covered = false;
    for (size_t length = 0; length <= resource.name.size() && !covered && resource.name != kAclWildcard; ++length)
      covered = denied_at({type, PatternType::kPrefixed, resource.name.substr(0, length)}, principal, host, operation);
    if (!covered) return true;
  }
  return false;
}

}  // namespace millrace
