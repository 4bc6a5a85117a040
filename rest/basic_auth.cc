#include "rest/basic_auth.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <array>
#include <map>

#include "core/file_system.h"
#include "core/properties.h"

namespace millrace {
namespace {

using Digest = std::array<unsigned char, 32>;

/// Passwords are compared by their hashes: these have one length, and their bytes tell nothing.
Digest digest_of(std::string_view text) {
  Digest digest{};
  ::EVP_Digest(text.data(), text.size(), digest.data(), nullptr, ::EVP_sha256(), nullptr);
  return digest;
}

struct Stamp {
  int64_t seconds = 0, nanoseconds = 0, size = 0;
  uint64_t inode = 0;
  bool operator==(const Stamp&) const = default;
};

std::optional<Stamp> stamp_of(const std::string& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return {};
  return Stamp{found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_size, found.st_ino};
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.empty()) return {};
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size =
      ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return {};
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(static_cast<size_t>(size) - padding);
  return bytes;
}

struct Credentials {
  std::string user, password;
};

std::optional<Credentials> credentials_of(const RestRequest& request) {
  const std::string* header = request.header("authorization");
  if (header == nullptr) return {};
  const size_t blank = header->find(' ');
  if (blank == header->npos || !equals_ignoring_case(std::string_view(*header).substr(0, blank), "Basic")) return {};
  const auto decoded = decode_base64(trim_blanks(std::string_view(*header).substr(blank + 1)));
  if (!decoded) return {};
  const size_t colon = decoded->find(':');
  if (colon == decoded->npos) return {};
  return Credentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

/// The text after `name`, up to a blank or in quotes; nothing if `name` is not there.
std::optional<std::string> value_after(std::string_view text, std::string_view name) {
  const size_t at = text.find(name);
  if (at == text.npos) return {};
  std::string_view value = text.substr(at + name.size());
  if (value.starts_with('"')) {
    const size_t end = value.find('"', 1);
    return end == value.npos ? std::nullopt : std::optional(std::string(value.substr(1, end - 1)));
  }
  return std::string(value.substr(0, value.find_first_of(" \t\r\n;")));
}

}  // namespace

struct BasicAuth::Users {
  Stamp stamp;
  std::map<std::string, Digest, std::less<>> passwords;

  static Expected<Users> read(const std::string& file) {
    const auto stamp = stamp_of(file);
    PosixFileSystem files;
    auto text = files.read_file(file);
    if (!stamp || !text) {
      return fail(ErrorCode::kInvalidConfig, fmt::format("the file of REST users {} cannot be read{}", file,
                                                         text ? std::string() : ": " + text.error().message));
    }
    auto lines = parse_properties(*text);
    if (!lines) return fail(std::move(lines.error()).wrap(fmt::format("the file of REST users {} is malformed", file)));
    Users users{*stamp, {}};
    for (const auto& [user, password] : *lines) users.passwords[user] = digest_of(password);
    return users;
  }
};

BasicAuth::BasicAuth(std::string file, Logger logger) : file_(std::move(file)), logger_(std::move(logger)) {}
BasicAuth::~BasicAuth() = default;

Expected<std::unique_ptr<BasicAuth>> BasicAuth::open(const std::string& file, Logger logger) {
  auto users = Users::read(file);
  if (!users) return fail(std::move(users.error()));
  std::unique_ptr<BasicAuth> auth(new BasicAuth(file, std::move(logger)));
  if (users->passwords.empty()) {
    auth->logger_.warn("rest_users_empty", {{"file", file}, {"hint", "all requests are permitted"}});
  }
  auth->users_ = std::make_shared<const Users>(std::move(*users));
  return auth;
}

std::shared_ptr<const BasicAuth::Users> BasicAuth::current() {
  std::lock_guard lock(mutex_);
  const auto stamp = stamp_of(file_);
  if (stamp && *stamp == users_->stamp) return users_;
  auto users = Users::read(file_);
  // Half of a file that is just being written, or none, opens no doors: the users known before stay.
  if (!users || (users->passwords.empty() && !users_->passwords.empty())) {
    logger_.warn("rest_users_kept", {{"file", file_}, {"error", users ? "the file is empty" : users.error().message}});
    return users_;
  }
  logger_.info("rest_users_read", {{"file", file_}, {"users", users->passwords.size()}});
  users_ = std::make_shared<const Users>(std::move(*users));
  return users_;
}

bool BasicAuth::permits(const RestRequest& request) {
  const auto users = current();
  if (users->passwords.empty()) return true;
  const auto credentials = credentials_of(request);
  const auto found = users->passwords.find(credentials ? credentials->user : std::string());
  const bool known = credentials && found != users->passwords.end();
  // Somebody unknown is compared as well.
  const Digest& expected = known ? found->second : users->passwords.begin()->second;
  const Digest given = digest_of(credentials ? credentials->password : std::string());
  return ::CRYPTO_memcmp(given.data(), expected.data(), given.size()) == 0 && known;
}

RestResponse unauthorized() {
  return {.status = 401, .content_type = "application/json", .body = "User cannot access the resource."};
}

Expected<std::string> basic_auth_file_of_jaas(std::string_view kafka_opts, std::string_view own_key) {
  const auto refuse = [&](std::string why) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("rest.extension.classes asks for basic authentication, but {}; {}=<file of user=password "
                            "lines> names the users more simply",
                            why, own_key));
  };
  const auto jaas = value_after(kafka_opts, "-Djava.security.auth.login.config=");
  if (!jaas) return refuse("KAFKA_OPTS has no -Djava.security.auth.login.config=<JAAS file>");
  PosixFileSystem files;
  const auto text = files.read_file(*jaas);
  if (!text) return refuse(text.error().message);
  const size_t entry = text->find("KafkaConnect");
  const size_t open = entry == text->npos ? text->npos : text->find('{', entry);
  if (open == text->npos) return refuse(fmt::format("{} has no entry KafkaConnect", *jaas));
  const std::string_view body = std::string_view(*text).substr(open, text->find('}', open) - open);
  if (body.find("PropertyFileLoginModule") == body.npos)
    return refuse(
        fmt::format("the entry KafkaConnect of {} names another login module than PropertyFileLoginModule", *jaas));
  auto file = value_after(body, "file=");
  if (!file || file->empty()) return refuse(fmt::format("the entry KafkaConnect of {} has no file=\"…\"", *jaas));
  return *file;
}

}  // namespace millrace
