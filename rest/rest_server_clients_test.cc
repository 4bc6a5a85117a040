// Clients that are slow, many, gone, or speak TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "rest/fake_herder.h"
#include "rest/rest_server.h"

namespace millrace {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

std::unique_ptr<RestServer> start(RestServer::Options options) {
  if (options.config.listeners.empty()) options.config.listeners = {{"127.0.0.1", 0}};
  auto server = RestServer::start(std::move(options), Logger());
  EXPECT_TRUE(server) << server.error().message;
  return std::move(*server);
}

/// A client that says only what it is told to.
class RawClient {
 public:
  explicit RawClient(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  void send(std::string_view bytes) const { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  /// Until the text has come or the server closes.
  std::string read_until(std::string_view text) const {
    std::string all;
    char buffer[4096];
    for (ssize_t got = 1; all.find(text) == all.npos && got > 0;) {
      got = ::recv(fd_, buffer, sizeof(buffer), 0);
      if (got > 0) all.append(buffer, static_cast<size_t>(got));
    }
    return all;
  }
  std::string read_all() const { return read_until("\xFF nothing says this"); }

 private:
  int fd_;
};

size_t threads_of_this_process() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

TEST(RestClients, AThousandIdleConnectionsCostNoThreads) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  FakeHerder herder;
  auto server = start({});
  server->attach(herder);
  const int port = server->ports()[0];
  EXPECT_EQ(httplib::Client("127.0.0.1", port).Get("/connectors")->status, 200);
  const size_t before = threads_of_this_process();
  std::vector<RawClient> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.emplace_back(port);
    idle.back().send("GET /connectors HTTP/1.1\r\n\r\n");
  }
  for (const RawClient& client : idle) EXPECT_THAT(client.read_until("[]"), HasSubstr("200 OK"));
  EXPECT_LE(threads_of_this_process(), before + 31) << "no more than there may be for requests";
  idle.back().send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(idle.back().read_until("cluster"), HasSubstr("200 OK"));
}

TEST(RestClients, SlowOnesDoNotStopOthersAndAreToldSo) {
  FakeHerder herder;
  RestServer::Options options;
  options.http.threads_max = 2;
  options.http.times.receive = 300ms;
  auto server = start(std::move(options));
  server->attach(herder);
  const int port = server->ports()[0];
  std::vector<RawClient> slow;
  for (int i = 0; i < 50; ++i) {
    slow.emplace_back(port);
    slow.back().send("PUT /connectors/a/config HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  }
  EXPECT_EQ(httplib::Client("127.0.0.1", port).Get("/connectors")->status, 200);
  for (const RawClient& client : slow) EXPECT_THAT(client.read_all(), HasSubstr("408 Request Timeout"));
}

TEST(RestClients, TooManyMakeTheOldestIdleOneLeave) {
  FakeHerder herder;
  RestServer::Options options;
  options.http.connections_max = 2;
  auto server = start(std::move(options));
  server->attach(herder);
  const int port = server->ports()[0];
  const RawClient first(port), second(port);
  first.send("GET / HTTP/1.1\r\n\r\n");
  first.read_until("cluster");
  second.send("GET / HTTP/1.1\r\n\r\n");
  second.read_until("cluster");
  const RawClient third(port);
  third.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(third.read_until("cluster"), HasSubstr("200 OK"));
  EXPECT_EQ(first.read_all(), "");
}

/// Its deletions hang until they are let go.
class HangingHerder : public FakeHerder {
 public:
  Status delete_connector(const std::string&) override {
    ++hanging;
    released.wait();
    --hanging;
    return {};
  }
  void let_go() { gate.set_value(); }
  std::atomic<int> hanging = 0;

 private:
  std::promise<void> gate;
  std::shared_future<void> released = gate.get_future().share();
};

TEST(RestClients, OperationsThatHangAreAnsweredAndStopNobody) {
  HangingHerder herder;
  RestServer::Options options;
  options.http.threads_max = 2;
  options.http.stop_grace = 10s;
  options.api.time_limit = 100ms;
  options.api.stage = [] {
    return std::string("The worker is currently testing, which began at 2026-01-01T00:00:00Z.");
  };
  auto server = start(std::move(options));
  server->attach(herder);
  const int port = server->ports()[0];
  for (int i = 0; i < 5; ++i) {
    const auto late = httplib::Client("127.0.0.1", port).Delete("/connectors/a");
    ASSERT_TRUE(late);
    EXPECT_EQ(late->status, 500);
    EXPECT_EQ(late->body, R"({"error_code":500,"message":"Request timed out. The worker is currently testing, which )"
                          R"(began at 2026-01-01T00:00:00Z."})");
    EXPECT_EQ(httplib::Client("127.0.0.1", port).Get("/connectors")->status, 200);
  }
  EXPECT_EQ(herder.hanging, 5);
  herder.let_go();
  EXPECT_TRUE(server->stop()) << "all threads have ended";
  EXPECT_EQ(herder.hanging, 0);
}

TEST(RestClients, StopTellsThatAnOperationStillHangs) {
  HangingHerder herder;
  RestServer::Options options;
  options.api.time_limit = 50ms;
  options.http.stop_grace = 100ms;
  auto server = start(std::move(options));
  server->attach(herder);
  EXPECT_EQ(httplib::Client("127.0.0.1", server->ports()[0]).Delete("/connectors/a")->status, 500);
  EXPECT_FALSE(server->stop());
  server.reset();  // the operation comes back when all of the server is gone
  herder.let_go();
  while (herder.hanging > 0) std::this_thread::yield();
}

TEST(RestClients, PipelinedRequestsAreAnsweredInOrderAlsoAfterAHalfClose) {
  FakeHerder herder;
  auto server = start({});
  server->attach(herder);
  const RawClient client(server->ports()[0]);
  client.send(
      "GET /nope1 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET /health HTTP/1.1\r\n\r\nGET /openapi.json HTTP/1.1\r\n"
      "Connection: close\r\n\r\n");
  const std::string all = client.read_all();
  EXPECT_LT(all.find("404"), all.find("kafka_cluster_id"));
  EXPECT_LT(all.find("kafka_cluster_id"), all.find("healthy"));
  EXPECT_LT(all.find("healthy"), all.find("openapi"));
  EXPECT_TRUE(all.ends_with("}\n"));
}

TEST(RestClients, HeadersThatAreTooLargeAndContinue) {
  FakeHerder herder;
  auto server = start({});
  server->attach(herder);
  const RawClient large(server->ports()[0]);
  large.send("GET / HTTP/1.1\r\nA: " + std::string(100'000, 'a') + "\r\n\r\n");
  EXPECT_THAT(large.read_all(), HasSubstr("431 Request Header Fields Too Large"));
  const RawClient polite(server->ports()[0]);
  polite.send(
      "PUT /connectors/a/config HTTP/1.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
      "Content-Length: 23\r\n\r\n");
  EXPECT_THAT(polite.read_until("\r\n\r\n"), HasSubstr("100 Continue"));
  polite.send(R"({"connector.class":"X"})");
  EXPECT_THAT(polite.read_until("}"), HasSubstr("201 Created"));
}

// --- TLS

/// A key and a certificate signed by itself.
class Identity {
 public:
  explicit Identity(const std::string& name) {
    ::X509_set_version(certificate_, 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate_), 1);
    ::X509_gmtime_adj(::X509_getm_notBefore(certificate_), -3600);
    ::X509_gmtime_adj(::X509_getm_notAfter(certificate_), 3600);
    X509_NAME* subject = ::X509_get_subject_name(certificate_);
    ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                                 -1, 0);
    ::X509_set_issuer_name(certificate_, subject);
    ::X509_set_pubkey(certificate_, key_);
    ::X509_sign(certificate_, key_, ::EVP_sha256());
  }
  ~Identity() {
    ::EVP_PKEY_free(key_);
    ::X509_free(certificate_);
  }
  std::string key_pem() const {
    BIO* out = ::BIO_new(::BIO_s_mem());
    ::PEM_write_bio_PrivateKey(out, key_, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(out);
  }
  std::string certificate_pem() const {
    BIO* out = ::BIO_new(::BIO_s_mem());
    ::PEM_write_bio_X509(out, certificate_);
    return text_of(out);
  }
  std::string pkcs12(const char* password) const {
    PKCS12* store = ::PKCS12_create(password, "test", key_, certificate_, nullptr, 0, 0, 0, 0, 0);
    BIO* out = ::BIO_new(::BIO_s_mem());
    ::i2d_PKCS12_bio(out, store);
    ::PKCS12_free(store);
    return text_of(out);
  }
  X509* certificate() const { return certificate_; }
  EVP_PKEY* key() const { return key_; }

 private:
  static std::string text_of(BIO* out) {
    char* bytes = nullptr;
    const long size = ::BIO_get_mem_data(out, &bytes);
    std::string text(bytes, static_cast<size_t>(size));
    ::BIO_free(out);
    return text;
  }
  EVP_PKEY* key_ = ::EVP_EC_gen("P-256");
  X509* certificate_ = ::X509_new();
};

std::unique_ptr<httplib::SSLClient> tls_client(int port, const Identity* identity = nullptr) {
  auto client = identity == nullptr
                    ? std::make_unique<httplib::SSLClient>("127.0.0.1", port)
                    : std::make_unique<httplib::SSLClient>("127.0.0.1", port, identity->certificate(), identity->key());
  client->enable_server_certificate_verification(false);
  return client;
}

TEST(RestTls, PlainAndSecureListenersAtOnceWithPemTexts) {
  const Identity server_identity("rest");
  FakeHerder herder;
  RestServer::Options options;
  options.config =
      *RestConfig::parse({{"listeners", "https://127.0.0.1:0,http://127.0.0.1:0"},
                          {"listeners.https.ssl.keystore.key", server_identity.key_pem()},
                          {"listeners.https.ssl.keystore.certificate.chain", server_identity.certificate_pem()},
                          {"ssl.client.auth", "required"}},
                         "");
  auto server = start(std::move(options));
  server->attach(herder);
  EXPECT_EQ(server->advertised_url(), fmt::format("http://127.0.0.1:{}/", server->ports()[1]));
  auto secure = tls_client(server->ports()[0]);
  secure->set_keep_alive(true);
  const auto created =
      secure->Post("/connectors", R"({"name":"a","config":{"connector.class":"X"}})", "application/json");
  ASSERT_TRUE(created) << httplib::to_string(created.error());
  EXPECT_EQ(created->status, 201);
  EXPECT_THAT(created->get_header_value("Location"), testing::StartsWith("https://"));
  EXPECT_EQ(secure->Get("/openapi.json")->body.front(), '{') << "an answer larger than a TLS record";
  EXPECT_EQ(httplib::Client("127.0.0.1", server->ports()[1]).Get("/connectors")->body, R"(["a"])");
}

TEST(RestTls, ClientsShowCertificatesWhereTheyMust) {
  const Identity server_identity("rest"), friend_("friend"), stranger("stranger");
  const auto folder = std::filesystem::temp_directory_path() / ("rest-tls-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "key.p12", std::ios::binary) << server_identity.pkcs12("pass");
  std::ofstream(folder / "trust.pem") << friend_.certificate_pem();
  FakeHerder herder;
  RestServer::Options options;
  options.config = *RestConfig::parse({{"listeners", "https://127.0.0.1:0"},
                                       {"ssl.keystore.location", folder / "key.p12"},
                                       {"ssl.keystore.password", "pass"},
                                       {"ssl.keystore.type", "PKCS12"},
                                       {"ssl.truststore.location", folder / "trust.pem"},
                                       {"ssl.enabled.protocols", "TLSv1.2"},
                                       {"ssl.cipher.suites", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
                                       {"ssl.client.auth", "required"}},
                                      "");
  auto server = start(std::move(options));
  server->attach(herder);
  EXPECT_FALSE(tls_client(server->ports()[0])->Get("/")) << "no certificate";
  EXPECT_FALSE(tls_client(server->ports()[0], &stranger)->Get("/"));
  const auto answer = tls_client(server->ports()[0], &friend_)->Get("/");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  std::filesystem::remove_all(folder);
}

// --- Filters

TEST(RestFilters, AuthenticationCorsAndHeadersButNotForAdminListeners) {
  const auto users = std::filesystem::temp_directory_path() / ("rest-users-" + std::to_string(::getpid()));
  std::ofstream(users) << "alice=secret\n";
  FakeHerder herder;
  RestServer::Options options;
  options.config = *RestConfig::parse({{"listeners", "http://127.0.0.1:0"},
                                       {"admin.listeners", "http://127.0.0.1:0"},
                                       {"millrace.rest.basic.auth.file", users},
                                       {"access.control.allow.origin", "*"},
                                       {"response.http.headers.config", "set X-Mill: race"}},
                                      "");
  auto server = start(std::move(options));
  server->attach(herder);
  httplib::Client client("127.0.0.1", server->ports()[0]);
  const auto refused = client.Get("/connectors", {{"Origin", "http://o"}});
  EXPECT_EQ(refused->status, 401);
  EXPECT_EQ(refused->body, "User cannot access the resource.");
  EXPECT_EQ(refused->get_header_value("Content-Type"), "application/json");
  EXPECT_FALSE(refused->has_header("WWW-Authenticate"));
  EXPECT_EQ(refused->get_header_value("X-Mill"), "race");
  EXPECT_EQ(refused->get_header_value("Access-Control-Allow-Origin"), "http://o");
  EXPECT_EQ(refused->get_header_value("Vary"), "Origin");
  EXPECT_EQ(client.Put("/connectors/a/fence")->status, 500) << "signed instead, by workers that have a group";
  httplib::Client preflight("127.0.0.1", server->ports()[0]);
  preflight.set_default_headers({{"Origin", "http://o"}, {"Access-Control-Request-Method", "GET"}});
  EXPECT_EQ(preflight.Options("/connectors")->get_header_value("Access-Control-Allow-Methods"), "GET,POST,HEAD");
  client.set_basic_auth("alice", "secret");
  EXPECT_EQ(client.Get("/connectors")->status, 200);
  EXPECT_EQ(client.Get("/admin/loggers")->status, 404);
  httplib::Client admin("127.0.0.1", server->admin_ports()[0]);
  const auto levels = admin.Get("/admin/loggers");
  EXPECT_EQ(levels->status, 200);
  EXPECT_FALSE(levels->has_header("X-Mill"));
  EXPECT_EQ(admin.Get("/connectors")->status, 404);
  std::filesystem::remove(users);
}

}  // namespace
}  // namespace millrace
