/// Who may do what: users and their SASL credentials, access control lists, client quotas.
///
/// Users of PLAIN stand in the settings (`listener.name.<listener>.plain.sasl.jaas.config` with `user_<name>="..."`).
/// SCRAM credentials, ACLs and quotas are changed by admin requests and kept in the file `security.json` of the log
/// directory (docs/formats/security.md), which is replaced atomically with each change. Users in
/// `listener.name.<listener>.scram-sha-256.sasl.jaas.config` are known besides those of the file.
///
/// Errors carry Kafka's exception class in Error::exception, from which handlers derive the wire's error code.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/security/acl.h"
#include "broker/security/client_quotas.h"
#include "broker/security/sasl_session.h"
#include "broker/security/scram.h"
#include "broker/server/exchange.h"
#include "core/config_def.h"
#include "core/error.h"
#include "core/file_system.h"
#include "core/logger.h"

namespace millrace {

struct SecurityOptions {
  /// authorizer.class.name is set: ACLs decide. Off: everyone may do everything, and nothing is looked up.
  bool authorizer = false;
  bool allow_everyone_if_no_acl_found = false;  ///< allow.everyone.if.no.acl.found
  std::set<std::string> super_users;            ///< super.users: "User:admin;User:root"
  /// connection.failed.authentication.delay.ms: how long a failed authentication waits for its answer.
  std::chrono::milliseconds failed_authentication_delay{100};
  std::vector<std::string> sasl_mechanisms;  ///< sasl.enabled.mechanisms
  /// By listener (upper case): its own sasl.enabled.mechanisms.
  std::map<std::string, std::vector<std::string>> listener_mechanisms;
  /// By listener (upper case) and mechanism (upper case): user to password. Never logged.
  std::map<std::pair<std::string, std::string>, std::map<std::string, std::string>> users;

  /// Reads the settings named above from server.properties. Errors: kInvalidConfig for an unknown authorizer class, a
  /// JAAS text that cannot be read, an enabled mechanism other than PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.
  static Expected<SecurityOptions> parse(const ConfigMap& settings);
};

struct ScramChange {
  std::string user;
  ScramMechanism mechanism = ScramMechanism::kUnknown;
  bool remove = false;
  int32_t iterations = 0;       ///< the following: unless `remove`
  std::string salt;             ///< raw bytes
  std::string salted_password;  ///< raw bytes
};

struct ScramUser {
  struct Credential {
    ScramMechanism mechanism;
    int32_t iterations;
  };
  std::string user;
  std::vector<Credential> credentials;
};

/// Threads: any. Must not outlive the FileSystem.
class Security {
 public:
  /// Errors: kCorruption for a security.json that cannot be read, kUnavailable.
  static Expected<std::unique_ptr<Security>> open(FileSystem& fs, Logger logger, Path directory,
                                                  SecurityOptions options);
  ~Security();
  Security(const Security&) = delete;

  const SecurityOptions& options() const { return options_; }

  // --- Decisions ---

  bool authorizer_enabled() const { return options_.authorizer; }
  /// Whether the session may do `operation` to the resource. A comparison when the authorizer is off.
  bool authorized(const Session& session, AclOperation operation, ResourceType type, std::string_view name) const {
    return !options_.authorizer || decide(session, operation, type, name);
  }
  bool authorized_on_cluster(const Session& session, AclOperation operation) const {
    return authorized(session, operation, ResourceType::kCluster, kClusterResource);
  }
  /// Whether there is any resource of `type` to which the session may do `operation` (InitProducerId without a
  /// transactional id needs WRITE on some topic).
  bool authorized_somewhere(const Session& session, AclOperation operation, ResourceType type) const;
  /// The bit field of `include_..._authorized_operations`: bit n is AclOperation n; all that exist for `type` when the
  /// authorizer is off.
  int32_t authorized_operations(const Session& session, ResourceType type, std::string_view name) const;

  // --- ACLs. Without an authorizer: kConflict, SecurityDisabledException "No Authorizer is configured." ---

  /// One status a binding (kInvalidConfig, InvalidRequestException); those in order are stored, together, or none when
  /// that fails (kUnavailable). A binding that is there already is fine.
  Expected<std::vector<Status>> add_acls(std::span<const AclBinding> bindings);
  /// For each filter what it removed, or why not.
  Expected<std::vector<Expected<std::vector<AclBinding>>>> remove_acls(std::span<const AclFilter> filters);
  Expected<std::vector<AclBinding>> list_acls(const AclFilter& filter) const;

  // --- SCRAM credentials ---

  /// One status a user, in order of first mention: UnacceptableCredentialException, ResourceNotFoundException,
  /// DuplicateResourceException, UnsupportedSaslMechanismException. The good ones are stored together.
  Expected<std::vector<std::pair<std::string, Status>>> alter_scram(std::span<const ScramChange> changes);
  /// All users by name, with the credentials of the file.
  std::vector<ScramUser> scram_users() const;
  /// Errors: kNotFound (ResourceNotFoundException).
  Expected<ScramUser> scram_user(const std::string& user) const;

  // --- Client quotas: kept and shown, not enforced ---

  /// Errors: those of check_quota_alteration(); kUnavailable. `validate_only` changes nothing.
  Status alter_quotas(const QuotaEntity& entity, std::span<const QuotaChange> changes, bool validate_only);
  Expected<std::vector<std::pair<QuotaEntity, QuotaValues>>> quotas(std::span<const QuotaFilter> filter,
                                                                    bool strict) const;

  // --- Authentication ---

  /// The mechanisms that `listener` takes, as SaslHandshake lists them.
  std::vector<std::string> mechanisms(std::string_view listener) const;
  /// A session for a new connection of a SASL listener. Must not outlive this object.
  std::unique_ptr<SaslSession> start_sasl(const std::string& listener) const;

 private:
  struct State;  // what security.json holds
  Security(FileSystem& fs, Logger logger, Path directory, SecurityOptions options);
  bool decide(const Session& session, AclOperation operation, ResourceType type, std::string_view name) const;
  bool super_user(const Session& session) const { return options_.super_users.contains(session.principal); }
  std::shared_ptr<const State> state() const;
  Status replace_state(State next);
  std::optional<ScramCredential> credential(const std::string& listener, ScramMechanism mechanism,
                                            std::string_view user) const;
  bool plain_password_right(const std::string& listener, std::string_view user, std::string_view password) const;
  void derive_credentials_of_settings();

  FileSystem& fs_;
  const Logger logger_;
  const Path directory_;
  const SecurityOptions options_;
  /// SCRAM credentials of the settings: by listener, mechanism, user.
  std::map<std::pair<std::string, ScramMechanism>, std::map<std::string, ScramCredential, std::less<>>> configured_;
  std::mutex change_mutex_;  // one change of the file at a time
  mutable std::mutex state_mutex_;
  std::shared_ptr<const State> state_;  // co-owned by the decisions under way; never changed, only replaced
};

}  // namespace millrace
