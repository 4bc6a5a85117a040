#include "broker/security/security.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "broker/security/security_file.h"

namespace millrace {
namespace {

constexpr std::string_view kFileName = "security.json";
constexpr std::string_view kPlain = "PLAIN";
constexpr size_t kSaltBytes = 16;
constexpr size_t kNonceBytes = 24;

tl::unexpected<Error> fail_as(ErrorCode code, std::string_view exception, std::string message) {
  return fail(Error{code, std::move(message), fmt::format("org.apache.kafka.common.errors.{}", exception)});
}

tl::unexpected<Error> no_authorizer() {
  return fail_as(ErrorCode::kConflict, "SecurityDisabledException", "No Authorizer is configured.");
}

std::string random_bytes(size_t count) {
  std::string bytes(count, '\0');
  ::RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count));
  return bytes;
}

std::string random_nonce() {
  const std::string bytes = random_bytes(kNonceBytes);
  std::string text(kNonceBytes * 2, '\0');  // base64 has no comma, which would end the nonce
  text.resize(static_cast<size_t>(::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                    reinterpret_cast<const unsigned char*>(bytes.data()),
                                                    static_cast<int>(bytes.size()))));
  return text;
}

Status check_binding(const AclBinding& binding) {
  const auto refuse = [](std::string message) {
    return fail_as(ErrorCode::kInvalidConfig, "InvalidRequestException", std::move(message));
  };
  if (binding.type == ResourceType::kUnknown || binding.type == ResourceType::kAny)
    return refuse(fmt::format("Invalid resourceType {}", acl_word(binding.type)));
  if (binding.pattern != PatternType::kLiteral && binding.pattern != PatternType::kPrefixed)
    return refuse(fmt::format("Invalid patternType {}", acl_word(binding.pattern)));
  if (binding.operation == AclOperation::kUnknown || binding.operation == AclOperation::kAny)
    return refuse(fmt::format("Invalid operation {}", acl_word(binding.operation)));
  if (binding.permission != AclPermission::kDeny && binding.permission != AclPermission::kAllow)
    return refuse(fmt::format("Invalid permissionType {}", acl_word(binding.permission)));
  if (binding.name.empty()) return refuse("Resource name should not be empty");
  if (binding.type == ResourceType::kCluster && binding.name != kClusterResource)
    return refuse(fmt::format("The only valid name for the CLUSTER resource is {}", kClusterResource));
  if (binding.principal.find(':') == std::string::npos)
    return refuse(fmt::format("expected a string in format principalType:principalName but got {}", binding.principal));
  return {};
}

Status check_filter(const AclFilter& filter) {
  if (filter.type == ResourceType::kUnknown || filter.pattern == PatternType::kUnknown)
    return fail_as(ErrorCode::kInvalidConfig, "InvalidRequestException", "Unknown patternFilter.");
  if (filter.operation == AclOperation::kUnknown || filter.permission == AclPermission::kUnknown)
    return fail_as(ErrorCode::kInvalidConfig, "InvalidRequestException", "Unknown entryFilter.");
  return {};
}

/// The operations that make sense on a resource, as Kafka lists them.
std::vector<AclOperation> operations_of(ResourceType type) {
  using enum AclOperation;
  switch (type) {
    case ResourceType::kTopic:
      return {kRead, kWrite, kCreate, kDescribe, kDelete, kAlter, kDescribeConfigs, kAlterConfigs};
    case ResourceType::kGroup:
      return {kRead, kDescribe, kDelete, kDescribeConfigs, kAlterConfigs};
    case ResourceType::kCluster:
      return {kCreate, kClusterAction, kDescribeConfigs, kAlterConfigs, kIdempotentWrite, kAlter, kDescribe};
    case ResourceType::kTransactionalId:
      return {kDescribe, kWrite, kTwoPhaseCommit};
    case ResourceType::kDelegationToken:
      return {kDescribe};
    case ResourceType::kUser:
      return {kCreateTokens, kDescribeTokens};
    default:
      return {};
  }
}

Status check_scram_change(const ScramChange& change, const SecurityFile& file) {
  if (change.user.empty())
    return fail_as(ErrorCode::kInvalidConfig, "UnacceptableCredentialException", "Username must not be empty");
  if (change.mechanism == ScramMechanism::kUnknown)
    return fail_as(ErrorCode::kInvalidConfig, "UnsupportedSaslMechanismException", "Unknown SCRAM mechanism");
  if (!change.remove && change.iterations < kScramIterationsMin)
    return fail_as(ErrorCode::kInvalidConfig, "UnacceptableCredentialException", "Too few iterations");
  if (!change.remove && change.iterations > kScramIterationsMax)
    return fail_as(ErrorCode::kInvalidConfig, "UnacceptableCredentialException", "Too many iterations");
  const auto user = file.scram.find(change.user);
  if (change.remove && (user == file.scram.end() || !user->second.contains(change.mechanism))) {
    return fail_as(ErrorCode::kNotFound, "ResourceNotFoundException",
                   "Attempt to delete a user credential that does not exist");
  }
  return {};
}

void apply(const ScramChange& change, SecurityFile& file) {
  auto& credentials = file.scram[change.user];
  if (change.remove) {
    credentials.erase(change.mechanism);
    if (credentials.empty()) file.scram.erase(change.user);
    return;
  }
  credentials[change.mechanism] =
      scram_credential(change.mechanism, change.salted_password, change.salt, change.iterations);
}

ScramUser scram_user_of(const std::string& name, const std::map<ScramMechanism, ScramCredential>& credentials) {
  ScramUser user{name, {}};
  for (const auto& [mechanism, credential] : credentials)
    user.credentials.push_back({mechanism, credential.iterations});
  return user;
}

}  // namespace

struct Security::State : SecurityFile {};

Expected<std::unique_ptr<Security>> Security::open(FileSystem& fs, Logger logger, Path directory,
                                                   SecurityOptions options) {
  std::unique_ptr<Security> security(new Security(fs, std::move(logger), std::move(directory), std::move(options)));
  auto state = std::make_shared<State>();
  const Path path = security->directory_ / kFileName;
  if (fs.exists(path)) {
    auto text = fs.read_file(path);
    if (!text) return fail(std::move(text.error()));
    auto file = SecurityFile::from_json(*text);
    if (!file) {
      return fail(std::move(file.error())
                      .wrap(fmt::format("{} cannot be read; restore it from a backup, or remove it to begin without "
                                        "SCRAM users, ACLs and quotas",
                                        path.string())));
    }
    static_cast<SecurityFile&>(*state) = std::move(*file);
  }
  security->state_ = std::move(state);
  security->derive_credentials_of_settings();
  return security;
}

Security::Security(FileSystem& fs, Logger logger, Path directory, SecurityOptions options)
    : fs_(fs), logger_(std::move(logger)), directory_(std::move(directory)), options_(std::move(options)) {}

Security::~Security() = default;

std::shared_ptr<const Security::State> Security::state() const {
  std::lock_guard lock(state_mutex_);
  return state_;
}

/// With change_mutex_ held.
Status Security::replace_state(State next) {
  if (auto written = fs_.write_file_atomically(directory_ / kFileName, next.to_json()); !written) return written;
  auto shared = std::make_shared<const State>(std::move(next));
  std::lock_guard lock(state_mutex_);
  state_.swap(shared);
  return {};
}

// --- Decisions ---

bool Security::decide(const Session& session, AclOperation operation, ResourceType type, std::string_view name) const {
  if (super_user(session)) return true;
  switch (state()->acls.decide(session.principal, session.client_host, operation, type, name)) {
    case AclSet::Verdict::kAllowed:
      return true;
    case AclSet::Verdict::kResourceHasNone:
      return options_.allow_everyone_if_no_acl_found;
    default:
      return false;
  }
}

bool Security::authorized_somewhere(const Session& session, AclOperation operation, ResourceType type) const {
  if (!options_.authorizer || super_user(session)) return true;
  const auto now = state();
  if (now->acls.allowed_somewhere(session.principal, session.client_host, operation, type)) return true;
  // A name that no binding knows is open to everyone then, unless a denial for all names stands against it.
  return options_.allow_everyone_if_no_acl_found &&
         now->acls.decide(session.principal, session.client_host, operation, type, kAclWildcard) ==
             AclSet::Verdict::kResourceHasNone;
}

int32_t Security::authorized_operations(const Session& session, ResourceType type, std::string_view name) const {
  int32_t bits = 0;
  for (const AclOperation operation : operations_of(type)) {
    if (authorized(session, operation, type, name)) bits |= 1 << static_cast<int>(operation);
  }
  return bits;
}

// --- ACLs ---

Expected<std::vector<Status>> Security::add_acls(std::span<const AclBinding> bindings) {
  if (!options_.authorizer) return no_authorizer();
  std::lock_guard lock(change_mutex_);
  State next = *state();
  std::vector<Status> results;
  bool changed = false;
  for (const AclBinding& binding : bindings) {
    results.push_back(check_binding(binding));
    if (results.back()) changed = next.acls.add(binding) || changed;
  }
  if (changed) {
    if (auto stored = replace_state(std::move(next)); !stored) return fail(std::move(stored.error()));
    logger_.info("acls_added", {{"count", bindings.size()}});
  }
  return results;
}

Expected<std::vector<Expected<std::vector<AclBinding>>>> Security::remove_acls(std::span<const AclFilter> filters) {
  if (!options_.authorizer) return no_authorizer();
  std::lock_guard lock(change_mutex_);
  const auto before = state();
  State next = *before;
  std::vector<Expected<std::vector<AclBinding>>> results;
  bool changed = false;
  for (const AclFilter& filter : filters) {
    if (auto checked = check_filter(filter); !checked) {
      results.push_back(fail(std::move(checked.error())));
      continue;
    }
    std::vector<AclBinding> removed;
    for (const AclBinding& binding : before->acls.all()) {
      if (!filter.matches(binding)) continue;
      next.acls.remove(binding);
      removed.push_back(binding);
      changed = true;
    }
    results.push_back(std::move(removed));
  }
  if (changed) {
    if (auto stored = replace_state(std::move(next)); !stored) return fail(std::move(stored.error()));
  }
  return results;
}

Expected<std::vector<AclBinding>> Security::list_acls(const AclFilter& filter) const {
  if (!options_.authorizer) return no_authorizer();
  if (auto checked = check_filter(filter); !checked) return fail(std::move(checked.error()));
  std::vector<AclBinding> found;
  const auto now = state();
  std::copy_if(now->acls.all().begin(), now->acls.all().end(), std::back_inserter(found),
               [&](const AclBinding& binding) { return filter.matches(binding); });
  return found;
}

// --- SCRAM ---

Expected<std::vector<std::pair<std::string, Status>>> Security::alter_scram(std::span<const ScramChange> changes) {
  std::lock_guard lock(change_mutex_);
  State next = *state();
  std::map<std::string_view, int> mentions;
  for (const ScramChange& change : changes) ++mentions[change.user];
  std::vector<std::pair<std::string, Status>> results;
  bool changed = false;
  for (const ScramChange& change : changes) {
    int& count = mentions[change.user];
    if (count == 0) continue;  // its result has been given
    Status result = count > 1 ? Status(fail_as(ErrorCode::kConflict, "DuplicateResourceException",
                                               "A user credential cannot be altered twice in the same request"))
                              : check_scram_change(change, next);
    count = 0;
    if (result) {
      apply(change, next);
      changed = true;
    }
    results.emplace_back(change.user, std::move(result));
  }
  if (changed) {
    if (auto stored = replace_state(std::move(next)); !stored) return fail(std::move(stored.error()));
  }
  return results;
}

std::vector<ScramUser> Security::scram_users() const {
  std::vector<ScramUser> users;
  const auto now = state();
  for (const auto& [name, credentials] : now->scram) users.push_back(scram_user_of(name, credentials));
  return users;
}

Expected<ScramUser> Security::scram_user(const std::string& name) const {
  const auto now = state();
  const auto found = now->scram.find(name);
  if (found == now->scram.end()) {
    return fail_as(ErrorCode::kNotFound, "ResourceNotFoundException",
                   fmt::format("Attempt to describe a user credential that does not exist: {}", name));
  }
  return scram_user_of(name, found->second);
}

// --- Quotas ---

Status Security::alter_quotas(const QuotaEntity& entity, std::span<const QuotaChange> changes, bool validate_only) {
  if (auto checked = check_quota_alteration(entity, changes); !checked || validate_only) return checked;
  std::lock_guard lock(change_mutex_);
  State next = *state();
  QuotaValues& values = next.quotas[entity];
  for (const QuotaChange& change : changes) {
    if (change.value) {
      values[change.key] = *change.value;
    } else {
      values.erase(change.key);
    }
  }
  if (values.empty()) next.quotas.erase(entity);
  if (next.quotas == state()->quotas) return {};
  return replace_state(std::move(next));
}

Expected<std::vector<std::pair<QuotaEntity, QuotaValues>>> Security::quotas(std::span<const QuotaFilter> filter,
                                                                            bool strict) const {
  if (auto checked = check_quota_filter(filter); !checked) return fail(std::move(checked.error()));
  std::vector<std::pair<QuotaEntity, QuotaValues>> found;
  const auto now = state();
  for (const auto& entry : now->quotas) {
    if (quota_entity_matches(entry.first, filter, strict)) found.emplace_back(entry);
  }
  return found;
}

// --- Authentication ---

std::vector<std::string> Security::mechanisms(std::string_view listener) const {
  const auto own = options_.listener_mechanisms.find(std::string(listener));
  return own == options_.listener_mechanisms.end() ? options_.sasl_mechanisms : own->second;
}

std::unique_ptr<SaslSession> Security::start_sasl(const std::string& listener) const {
  std::vector<std::string> enabled = mechanisms(listener);
  auto start = [this, listener, enabled](std::string_view name) -> std::unique_ptr<SaslMechanism> {
    if (std::find(enabled.begin(), enabled.end(), name) == enabled.end()) return nullptr;
    if (name == kPlain) {
      return std::make_unique<PlainServer>([this, listener](std::string_view user, std::string_view password) {
        return plain_password_right(listener, user, password);
      });
    }
    const ScramMechanism mechanism = scram_mechanism(name);
    return std::make_unique<ScramServer>(
        mechanism, [this, listener, mechanism](std::string_view user) { return credential(listener, mechanism, user); },
        random_nonce());
  };
  return std::make_unique<SaslSession>(std::move(enabled), std::move(start));
}

bool Security::plain_password_right(const std::string& listener, std::string_view user,
                                    std::string_view password) const {
  const auto users = options_.users.find({listener, std::string(kPlain)});
  if (users == options_.users.end()) return false;
  const auto found = users->second.find(std::string(user));
  if (found == users->second.end()) return false;
  const std::string& expected = found->second;
  return expected.size() == password.size() && ::CRYPTO_memcmp(expected.data(), password.data(), expected.size()) == 0;
}

std::optional<ScramCredential> Security::credential(const std::string& listener, ScramMechanism mechanism,
                                                    std::string_view user) const {
  const auto now = state();
  if (const auto stored = now->scram.find(user); stored != now->scram.end()) {
    if (const auto found = stored->second.find(mechanism); found != stored->second.end()) return found->second;
  }
  const auto users = configured_.find({listener, mechanism});
  if (users == configured_.end()) return std::nullopt;
  const auto found = users->second.find(user);
  return found == users->second.end() ? std::nullopt : std::optional(found->second);
}

void Security::derive_credentials_of_settings() {
  for (const auto& [place, users] : options_.users) {
    const ScramMechanism mechanism = scram_mechanism(place.second);
    if (mechanism == ScramMechanism::kUnknown) continue;
    for (const auto& [user, password] : users) {
      const std::string salt = random_bytes(kSaltBytes);
      configured_[{place.first, mechanism}][user] = scram_credential(
          mechanism, scram_salted_password(mechanism, password, salt, kScramIterationsMin), salt, kScramIterationsMin);
    }
  }
}

}  // namespace millrace
