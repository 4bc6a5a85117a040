/// Basic authentication with a file of users, as Kafka Connect's basic auth extension does it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/logger.h"
#include "rest/message.h"

namespace millrace {

/// Lines user=password of a properties file, which is read again when it has changed. A file that is empty at the
/// start permits everyone. Threads: any.
class BasicAuth {
 public:
  /// Errors: kInvalidConfig if the file cannot be read.
  static Expected<std::unique_ptr<BasicAuth>> open(const std::string& file, Logger logger);
  ~BasicAuth();

  /// Whether the request's Authorization header names a user with the right password. Takes the same time whatever is
  /// wrong with it.
  bool permits(const RestRequest& request);

 private:
  struct Users;
  BasicAuth(std::string file, Logger logger);
  std::shared_ptr<const Users> current();

  const std::string file_;
  const Logger logger_;
  std::mutex mutex_;
  std::shared_ptr<const Users> users_;  // replaced as a whole; co-owned by requests that look into it
};

/// The answer to a request that is not permitted.
RestResponse unauthorized();

/// The file that the entry KafkaConnect of the JAAS file names, which `-Djava.security.auth.login.config=` in
/// KAFKA_OPTS names. Errors: kInvalidConfig saying what is missing, and that `own_key` names the file more simply.
Expected<std::string> basic_auth_file_of_jaas(std::string_view kafka_opts, std::string_view own_key);

}  // namespace millrace
