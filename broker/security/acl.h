/// Access control lists with Kafka's words, numbers (those of the wire protocol) and rules of decision.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

enum class AclOperation : int8_t {
  kUnknown = 0,
  kAny = 1,
  kAll = 2,
  kRead = 3,
  kWrite = 4,
  kCreate = 5,
  kDelete = 6,
  kAlter = 7,
  kDescribe = 8,
  kClusterAction = 9,
  kDescribeConfigs = 10,
  kAlterConfigs = 11,
  kIdempotentWrite = 12,
  kCreateTokens = 13,
  kDescribeTokens = 14,
  kTwoPhaseCommit = 15,
};
enum class ResourceType : int8_t {
  kUnknown = 0,
  kAny = 1,
  kTopic = 2,
  kGroup = 3,
  kCluster = 4,
  kTransactionalId = 5,
  kDelegationToken = 6,
  kUser = 7,
};
enum class PatternType : int8_t { kUnknown = 0, kAny = 1, kMatch = 2, kLiteral = 3, kPrefixed = 4 };
enum class AclPermission : int8_t { kUnknown = 0, kAny = 1, kDeny = 2, kAllow = 3 };

/// The one name of a Cluster resource, and the name that stands for every resource, principal ("User:*") and host.
inline constexpr std::string_view kClusterResource = "kafka-cluster";
inline constexpr std::string_view kAclWildcard = "*";

/// Numbers beyond those known become kUnknown, as a message from a newer client may carry them.
AclOperation acl_operation(int8_t wire);
ResourceType resource_type(int8_t wire);
PatternType pattern_type(int8_t wire);
AclPermission acl_permission(int8_t wire);

/// Kafka's word, "READ", "TOPIC", "LITERAL", "ALLOW", as error texts and security.json have it.
std::string_view acl_word(AclOperation operation);
std::string_view acl_word(ResourceType type);
std::string_view acl_word(PatternType pattern);
std::string_view acl_word(AclPermission permission);

struct AclBinding {
  ResourceType type = ResourceType::kTopic;
  std::string name;
  PatternType pattern = PatternType::kLiteral;
  std::string principal;   ///< "User:alice", "User:*"
  std::string host = "*";  ///< an address or "*"
  AclOperation operation = AclOperation::kAll;
  AclPermission permission = AclPermission::kAllow;
  auto operator<=>(const AclBinding&) const = default;
};

/// Which bindings are meant: kAny and nullopt match all; PatternType::kMatch means every binding that would apply to a
/// resource called `name`.
struct AclFilter {
  ResourceType type = ResourceType::kAny;
  std::optional<std::string> name;
  PatternType pattern = PatternType::kAny;
  std::optional<std::string> principal;
  std::optional<std::string> host;
  AclOperation operation = AclOperation::kAny;
  AclPermission permission = AclPermission::kAny;

  bool matches(const AclBinding& binding) const;
};

/// Bindings, indexed for decisions. Threads: one writer alone, or any number of readers.
class AclSet {
 public:
  /// How the bindings that apply to a request end.
  enum class Verdict { kAllowed, kDenied, kNothingAllows, kResourceHasNone };

  bool add(AclBinding binding);  ///< false: was there
  bool remove(const AclBinding& binding);
  const std::set<AclBinding>& all() const { return all_; }

  /// Denials go before permissions; a permission to read, write, delete or alter includes describing, one to alter
  /// configs includes describing them.
  Verdict decide(std::string_view principal, std::string_view host, AclOperation operation, ResourceType type,
                 std::string_view name) const;
  /// Whether there is any resource of `type` on which the operation is allowed (and not denied by a wider binding).
  bool allowed_somewhere(std::string_view principal, std::string_view host, AclOperation operation,
                         ResourceType type) const;

 private:
  struct Resource {
    ResourceType type;
    PatternType pattern;
    std::string name;
    auto operator<=>(const Resource&) const = default;
  };
  struct Found {
    bool any = false, allowed = false, denied = false;
  };
  void look_at(const Resource& resource, std::string_view principal, std::string_view host, AclOperation operation,
               Found& found) const;
  bool denied_at(const Resource& resource, std::string_view principal, std::string_view host,
                 AclOperation operation) const;

  std::set<AclBinding> all_;
  std::map<Resource, std::vector<AclBinding>> by_resource_;
};

}  // namespace millrace
