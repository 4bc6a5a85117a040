#include "client/wire_connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "client/sasl_client.h"
#include "client/tls_client.h"
#include "net/descriptor.h"
#include "protocol/kafka_error.h"
#include "protocol/messages/api_versions.h"
#include "protocol/messages/sasl_authenticate.h"
#include "protocol/messages/sasl_handshake.h"
#include "protocol/wire.h"

namespace millrace {
namespace {

constexpr size_t kAnswerBytesMax = 1u << 30;
constexpr size_t kLengthBytes = 4;

using Deadline = std::chrono::steady_clock::time_point;

tl::unexpected<Error> unavailable(std::string message) { return fail(ErrorCode::kUnavailable, std::move(message)); }

/// Waits until `events` hold on the socket. Errors: kUnavailable.
Status wait_for(int socket, short events, Deadline deadline, const std::string& peer) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return unavailable(fmt::format("{} does not answer in time", peer));
    pollfd entry{socket, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return unavailable(fmt::format("{}: {}", peer, std::strerror(errno)));
  }
}

Expected<Descriptor> connect_to(const std::string& host, int32_t port, Deadline deadline) {
  const std::string peer = fmt::format("{}:{}", host, port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0)
    return unavailable(fmt::format("cannot resolve {}: {}", host, ::gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  std::string why;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    Descriptor socket(::socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) continue;
    int error = ::connect(socket.get(), at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      if (auto ready = wait_for(socket.get(), POLLOUT, deadline, peer); !ready) return fail(std::move(ready.error()));
      socklen_t size = sizeof(error);
      ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0) {
      const int on = 1;
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      return socket;
    }
    why = std::strerror(error);
  }
  return unavailable(fmt::format("cannot connect to {}: {}", peer, why));
}

class SocketConnection final : public WireConnection {
 public:
  SocketConnection(Descriptor socket, std::string peer, const WireConnectionOptions& options)
      : socket_(std::move(socket)), peer_(std::move(peer)), options_(options) {}

  Status start(const std::string& host) {
    if (options_.tls) {
      auto tls = TlsClient::create(options_, host, socket_.get());
      if (!tls) return fail(std::move(tls.error()));
      tls_ = std::move(*tls);
      begin();
      while (true) {
        auto step = tls_->handshake();
        if (!step) return fail(std::move(step.error()));
        if (*step == 0) break;
        if (auto ready = wait_for(socket_.get(), *step, deadline_, peer_); !ready) return ready;
      }
    }
    if (auto known = learn_versions(); !known) return known;
    return options_.sasl ? authenticate() : Status{};
  }

  Expected<std::string> exchange(int16_t api_key, int16_t version, bool flexible, BytesView body) override {
    begin();
    std::string frame(kLengthBytes, '\0');
    WireWriter writer(frame);
    writer.number<int16_t>(api_key);
    writer.number<int16_t>(version);
    writer.number<int32_t>(++correlation_id_);
    writer.nullable_string(false, options_.client_id);
    if (flexible) writer.unsigned_varint(0);
    frame.append(body);
    store_be<int32_t>(frame.data(), static_cast<int32_t>(frame.size() - kLengthBytes));
    if (auto sent = write_all(frame); !sent) return fail(std::move(sent.error()));
    auto answer = read_frame();
    if (!answer) return answer;
    WireReader reader(*answer);
    const auto correlation_id = reader.number<int32_t>();
    const bool tagged = flexible && api_key != ApiVersionsRequest::kApiKey;
    if (tagged) reader.skip_tagged_fields();
    // Before that, a listener that wants a login tells its versions at most.
    if (api_key != ApiVersionsRequest::kApiKey) served_ = true;
    if (reader.bad() || correlation_id != correlation_id_)
      return unavailable(fmt::format("{} does not answer as a Kafka broker does", peer_));
    return std::string(reader.rest());
  }

 private:
  void begin() { deadline_ = std::chrono::steady_clock::now() + options_.timeout; }

  Status write_all(BytesView bytes) {
    while (!bytes.empty()) {
      short wanted = POLLOUT;
      ssize_t done = 0;
      if (tls_ != nullptr) {
        done = tls_->write(bytes, wanted);
      } else {
        done = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (done < 0 && (errno == EAGAIN || errno == EINTR)) done = 0;
      }
      if (done < 0) return closed();
      bytes.remove_prefix(static_cast<size_t>(done));
      if (done > 0) continue;
      if (auto ready = wait_for(socket_.get(), wanted, deadline_, peer_); !ready) return ready;
    }
    return {};
  }

  Status read_all(char* to, size_t size) {
    while (size > 0) {
      short wanted = POLLIN;
      ssize_t done = 0;
      if (tls_ != nullptr) {
        done = tls_->read(to, size, wanted);
      } else {
        done = ::recv(socket_.get(), to, size, 0);
        if (done == 0) return closed();
        if (done < 0 && (errno == EAGAIN || errno == EINTR)) done = 0;
      }
      if (done < 0) return closed();
      to += done;
      size -= static_cast<size_t>(done);
      if (done > 0) continue;
      if (auto ready = wait_for(socket_.get(), wanted, deadline_, peer_); !ready) return ready;
    }
    return {};
  }

  Expected<std::string> read_frame() {
    char length[kLengthBytes];
    if (auto read = read_all(length, sizeof(length)); !read) return fail(std::move(read.error()));
    const auto size = load_be<int32_t>(length);
    if (size < 0 || static_cast<size_t>(size) > kAnswerBytesMax)
      return unavailable(
          fmt::format("{} does not answer as a Kafka broker does (a TLS port, or another service?)", peer_));
    std::string frame(static_cast<size_t>(size), '\0');
    if (auto read = read_all(frame.data(), frame.size()); !read) return fail(std::move(read.error()));
    return frame;
  }

  Status closed() const {
    return unavailable(
        fmt::format("{} has closed the connection{}", peer_,
                    served_ || options_.tls || options_.sasl
                        ? ""
                        : ": if the listener wants TLS or SASL, set security.protocol in --command-config"));
  }

  Status learn_versions() {
    ApiVersionsRequest request;
    request.client_software_name = "millrace";
    request.client_software_version = "1";
    ApiVersionsResponse response;
    for (const int16_t version : {kApiVersionsVersion, int16_t{0}}) {
      std::string body;
      WireWriter writer(body);
      request.encode(writer, version);
      auto answer = exchange(ApiVersionsRequest::kApiKey, version, version >= ApiVersionsRequest::kFlexibleFrom, body);
      if (!answer) return fail(std::move(answer.error()));
      versions_body_ = std::move(*answer);
      WireReader reader(versions_body_);
      // A broker that does not know the version answers in the oldest.
      const bool oldest = load_be<int16_t>(versions_body_.data()) == code_of(KafkaError::kUnsupportedVersion);
      if (oldest && version != 0) continue;
      versions_version_ = version;
      response = {};
      response.decode(reader, version);
      if (reader.bad()) return unavailable(fmt::format("{} does not answer as a Kafka broker does", peer_));
      break;
    }
    if (response.error_code != 0)
      return unavailable(fmt::format("{} does not tell its versions: {}", peer_,
                                     kafka_error_name(static_cast<KafkaError>(response.error_code))));
    for (const auto& api : response.api_keys) versions_[api.api_key] = {api.min_version, api.max_version};
    return {};
  }

  Status authenticate() {
    SaslHandshakeRequest handshake;
    handshake.mechanism = options_.sasl_mechanism;
    std::string body;
    WireWriter writer(body);
    handshake.encode(writer, 1);
    auto answer = exchange(SaslHandshakeRequest::kApiKey, 1, false, body);
    if (!answer) return fail(std::move(answer.error()));
    SaslHandshakeResponse agreed;
    WireReader reader(*answer);
    agreed.decode(reader, 1);
    if (reader.bad() || agreed.error_code != 0) {
      std::string offered;
      for (const auto mechanism : agreed.mechanisms) offered += fmt::format(" {}", mechanism);
      return refused(fmt::format("{} does not take sasl.mechanism={}; it offers:{}", peer_, options_.sasl_mechanism,
                                 offered.empty() ? " none" : offered));
    }
    auto mechanism = SaslClient::create(options_);
    if (!mechanism) return fail(std::move(mechanism.error()));
    std::string from_server;
    while (true) {
      auto token = (*mechanism)->next(from_server);
      if (!token) return fail(std::move(token.error()));
      if ((*mechanism)->done() && token->empty()) return {};
      if (auto sent = send_token(*token, from_server); !sent) return sent;
    }
  }

  Status send_token(const std::string& token, std::string& from_server) {
    SaslAuthenticateRequest request;
    request.auth_bytes = token;
    std::string body;
    WireWriter writer(body);
    request.encode(writer, 1);
    auto answer = exchange(SaslAuthenticateRequest::kApiKey, 1, false, body);
    if (!answer) return fail(std::move(answer.error()));
    SaslAuthenticateResponse response;
    WireReader reader(*answer);
    response.decode(reader, 1);
    if (reader.bad()) return unavailable(fmt::format("{} does not answer as a Kafka broker does", peer_));
    if (response.error_code != 0)
      return refused(fmt::format("{} refuses the login of user {}: {}", peer_, options_.user,
                                 response.error_message.value_or("authentication failed")));
    from_server = response.auth_bytes;
    return {};
  }

  static Status refused(std::string message) {
    return fail(error_of(KafkaError::kSaslAuthenticationFailed, std::move(message)));
  }

  Descriptor socket_;
  const std::string peer_;
  const WireConnectionOptions options_;
  std::unique_ptr<TlsClient> tls_;
  int32_t correlation_id_ = 0;
  bool served_ = false;  // the broker has answered a request
  Deadline deadline_;
};

}  // namespace

Expected<std::unique_ptr<WireConnection>> WireConnection::open(const std::string& host, int32_t port,
                                                               const WireConnectionOptions& options) {
  auto socket = connect_to(host, port, std::chrono::steady_clock::now() + options.timeout);
  if (!socket) return fail(std::move(socket.error()));
  auto connection = std::make_unique<SocketConnection>(std::move(*socket), fmt::format("{}:{}", host, port), options);
  if (auto started = connection->start(host); !started) return fail(std::move(started.error()));
  return connection;
}

Expected<int16_t> WireConnection::pick_version(int16_t api_key, int16_t min, int16_t max) const {
  const auto found = versions_.find(api_key);
  const int16_t highest = found == versions_.end() ? int16_t{-1} : std::min(found->second.max, max);
  if (found != versions_.end() && highest >= std::max(found->second.min, min)) return highest;
  return fail(error_of(KafkaError::kUnsupportedVersion,
                       found == versions_.end()
                           ? fmt::format("the broker does not serve request {}, which this needs", api_key)
                           : fmt::format("the broker serves request {} in versions {} to {}, this needs {} to {}",
                                         api_key, found->second.min, found->second.max, min, max)));
}

Expected<WireConnectionOptions> WireConnectionOptions::parse(const std::map<std::string, std::string>& settings) {
  const auto get = [&](const char* name, std::string otherwise = {}) {
    const auto found = settings.find(name);
    return found == settings.end() ? std::move(otherwise) : found->second;
  };
  WireConnectionOptions options;
  options.client_id = get("client.id", options.client_id);
  if (const std::string timeout = get("socket.timeout.ms"); !timeout.empty())
    options.timeout = std::chrono::milliseconds(std::strtoll(timeout.c_str(), nullptr, 10));
  std::string protocol = get("security.protocol", "PLAINTEXT");
  for (char& c : protocol) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  options.tls = protocol == "SSL" || protocol == "SASL_SSL";
  options.sasl = protocol == "SASL_PLAINTEXT" || protocol == "SASL_SSL";
  if (!options.tls && !options.sasl && protocol != "PLAINTEXT")
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("security.protocol={}: it must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", protocol));
  options.sasl_mechanism = get("sasl.mechanisms", get("sasl.mechanism", "GSSAPI"));
  options.user = get("sasl.username");
  options.password = get("sasl.password");
  options.ca_file = get("ssl.ca.location");
  options.ca_pem = get("ssl.ca.pem");
  options.certificate_file = get("ssl.certificate.location");
  options.key_file = get("ssl.key.location");
  options.certificate_pem = get("ssl.certificate.pem");
  options.key_pem = get("ssl.key.pem");
  options.key_store_file = get("ssl.keystore.location");
  options.key_password = get("ssl.key.password", get("ssl.keystore.password"));
  options.verify_host = get("ssl.endpoint.identification.algorithm", "https") == "https";
  if (options.sasl && options.user.empty())
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("security.protocol={} needs sasl.jaas.config with username and password", protocol));
  return options;
}

}  // namespace millrace
