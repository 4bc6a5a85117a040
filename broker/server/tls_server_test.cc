// TLS listeners with certificates that the test makes.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <thread>

#include "broker/server/server_testing.h"

namespace millrace {
namespace {

struct Identity {
  EVP_PKEY* key = ::EVP_EC_gen("P-256");
  X509* certificate = ::X509_new();
  ~Identity() {
    ::EVP_PKEY_free(key);
    ::X509_free(certificate);
  }
  /// Signed by itself.
  explicit Identity(const std::string& name) {
    ::X509_set_version(certificate, 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate), 1);
    ::X509_gmtime_adj(::X509_getm_notBefore(certificate), -3600);
    ::X509_gmtime_adj(::X509_getm_notAfter(certificate), 3600);
    X509_NAME* subject = ::X509_get_subject_name(certificate);
    add_name(subject, "O", "Mill");
    add_name(subject, "CN", name);
    ::X509_set_issuer_name(certificate, subject);
    ::X509_set_pubkey(certificate, key);
    ::X509_sign(certificate, key, ::EVP_sha256());
  }
  static void add_name(X509_NAME* subject, const char* field, const std::string& value) {
    ::X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                 static_cast<int>(value.size()), -1, 0);
  }
  std::string pem(bool with_key) const {
    BIO* out = ::BIO_new(::BIO_s_mem());
    if (with_key) ::PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    ::PEM_write_bio_X509(out, certificate);
    return text_of(out);
  }
  std::string pkcs12(const char* password) const {
    PKCS12* store = ::PKCS12_create(password, "test", key, certificate, nullptr, 0, 0, 0, 0, 0);
    BIO* out = ::BIO_new(::BIO_s_mem());
    ::i2d_PKCS12_bio(out, store);
    ::PKCS12_free(store);
    return text_of(out);
  }
  static std::string text_of(BIO* out) {
    char* bytes = nullptr;
    const long size = ::BIO_get_mem_data(out, &bytes);
    std::string text(bytes, static_cast<size_t>(size));
    ::BIO_free(out);
    return text;
  }
};

/// A blocking client.
class TlsClient {
 public:
  explicit TlsClient(uint16_t port, const Identity* identity = nullptr)
      : plain_(port), context_(::SSL_CTX_new(::TLS_client_method())) {
    if (identity != nullptr) {
      ::SSL_CTX_use_certificate(context_, identity->certificate);
      ::SSL_CTX_use_PrivateKey(context_, identity->key);
    }
    ssl_ = ::SSL_new(context_);
    ::SSL_set_fd(ssl_, plain_.descriptor());
    connected_ = ::SSL_connect(ssl_) == 1;
  }
  ~TlsClient() {
    ::SSL_free(ssl_);
    ::SSL_CTX_free(context_);
  }
  bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    size_t put = 0;
    return ::SSL_write_ex(ssl_, bytes.data(), bytes.size(), &put) == 1 && put == bytes.size();
  }
  std::optional<std::string> receive_bytes(size_t size) {
    std::string bytes(size, '\0');
    for (size_t filled = 0; filled < size;) {
      size_t got = 0;
      if (::SSL_read_ex(ssl_, bytes.data() + filled, size - filled, &got) != 1) return std::nullopt;
      filled += got;
    }
    return bytes;
  }
  std::optional<std::string> answer() {
    const auto length = receive_bytes(4);
    if (!length) return std::nullopt;
    auto frame = receive_bytes(static_cast<size_t>(load_be<int32_t>(length->data())));
    return frame ? std::optional(frame->substr(4)) : std::nullopt;
  }

 private:
  ToyClient plain_;
  SSL_CTX* context_;
  SSL* ssl_;
  bool connected_;
};

struct Shared {
  std::shared_ptr<const File> file;
};
using Toy = ToyServices<Shared>;
struct Text {
  std::string_view bytes;
  void encode(WireWriter& out, int16_t) const { out.buffer().append(bytes); }
};
struct FileText {
  uint32_t size;
  void encode(WireWriter& out, int16_t) const { out.records(false, {false, {}, size}); }
};
void echo(BrokerServices&, std::unique_ptr<Exchange> exchange) { exchange->reply(Text{exchange->body()}); }
void who(BrokerServices&, std::unique_ptr<Exchange> exchange) { exchange->reply(Text{exchange->session().principal}); }
void send_file(BrokerServices& services, std::unique_ptr<Exchange> exchange) {
  const auto file = static_cast<Toy&>(services).file;
  const uint64_t size = *file->size();
  exchange->reply(FileText{static_cast<uint32_t>(size)}, {FileRange{file, file.get(), 0, size}});
}
constexpr Api kApis[] = {{1, 0, 0, 99, echo}, {2, 0, 0, 99, who}, {3, 0, 0, 99, send_file}};

class TlsServerTest : public ::testing::Test {
 protected:
  // The client end of OpenSSL's own socket layer would raise it.
  void SetUp() override { ::signal(SIGPIPE, SIG_IGN); }
  void open(TlsOptions tls) {
    ServerOptions options;
    options.listeners[0] = {"SSL", "127.0.0.1", 0, SecurityProtocol::kSsl};
    options.listeners[0].tls = std::move(tls);
    auto opened = BrokerServer::open(clock_, Logger(), options);
    ASSERT_TRUE(opened.has_value()) << error_trace(opened.error());
    server_ = std::move(*opened);
    ApiTable table;
    table.add(kApis);
    ASSERT_TRUE(server_->start(toy_, table).has_value());
  }
  uint16_t port() const { return server_->port("SSL"); }

  SystemClock clock_;
  Toy toy_{clock_};
  Identity identity_{"broker"};
  std::unique_ptr<BrokerServer> server_;
};

TEST_F(TlsServerTest, SmallAndLargeRequests) {
  TlsOptions tls;
  tls.key_store = identity_.pem(true);
  open(tls);
  TlsClient client(port());
  ASSERT_TRUE(client.connected());
  ASSERT_TRUE(client.send(ToyClient::request(1, 0, 1, "hello")));
  EXPECT_EQ(client.answer(), "hello");
  ASSERT_TRUE(client.send(ToyClient::request(2, 0, 1, "")));
  EXPECT_EQ(client.answer(), "User:ANONYMOUS");
  std::string body(5'000'000, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 251);
  // The server answers nothing before it has all, so one thread is enough.
  ASSERT_TRUE(client.send(ToyClient::request(1, 0, 2, body)));
  EXPECT_TRUE(client.answer() == body);
}

TEST_F(TlsServerTest, FileRangesAreEncryptedToo) {
  TlsOptions tls;
  tls.key_store = identity_.pkcs12("store-password");
  tls.key_store_password = "store-password";
  open(tls);
  PosixFileSystem fs;
  const Path path = std::filesystem::temp_directory_path() / ("millrace-tls-" + std::to_string(::getpid()));
  std::string content(1'000'003, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 13 + i / 255);
  ASSERT_TRUE(fs.write_file_atomically(path, content).has_value());
  toy_.file = std::move(*fs.open(path, FileSystem::Open::kRead));
  TlsClient client(port());
  ASSERT_TRUE(client.send(ToyClient::request(3, 0, 1, "") + ToyClient::request(1, 0, 2, "after")));
  const auto answer = client.answer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->substr(4) == content);
  EXPECT_EQ(client.answer(), "after");
  ASSERT_TRUE(fs.remove(path).has_value());
}

TEST_F(TlsServerTest, TheClientsCertificateNamesIt) {
  const Identity alice("alice");
  TlsOptions tls;
  tls.key_store = identity_.pem(true);
  tls.trust_store = alice.pem(false);
  tls.client_auth = TlsOptions::ClientAuth::kRequired;
  open(tls);
  TlsClient known(port(), &alice);
  ASSERT_TRUE(known.send(ToyClient::request(2, 0, 1, "")));
  EXPECT_EQ(known.answer(), "User:CN=alice,O=Mill");
  const Identity mallory("mallory");
  TlsClient unknown(port(), &mallory), nameless(port());
  // With TLS 1.3 the client learns of the refusal when it reads.
  unknown.send(ToyClient::request(2, 0, 1, ""));
  nameless.send(ToyClient::request(2, 0, 1, ""));
  EXPECT_EQ(unknown.answer(), std::nullopt);
  EXPECT_EQ(nameless.answer(), std::nullopt);
}

TEST_F(TlsServerTest, PlainBytesEndTheConnection) {
  TlsOptions tls;
  tls.key_store = identity_.pem(true);
  open(tls);
  ToyClient client(port());
  ASSERT_TRUE(client.send(1, 0, 1, "not TLS"));
  EXPECT_FALSE(client.answer().has_value());
}

TEST_F(TlsServerTest, SaysWhatIsWrongWithTheKeys) {
  const auto message = [](const TlsOptions& tls) {
    const auto context = TlsContext::create(tls);
    return context.has_value() ? std::string() : context.error().message;
  };
  TlsOptions no_key, foreign_key, bad_password, nonsense, old;
  no_key.key_store = identity_.pem(false);
  EXPECT_NE(message(no_key).find("no private key"), std::string::npos);
  const Identity other("other");
  foreign_key.key_store = other.pem(true).substr(0, other.pem(true).find("-----BEGIN CERT")) + identity_.pem(false);
  EXPECT_NE(message(foreign_key).find("does not belong"), std::string::npos) << message(foreign_key);
  bad_password.key_store = identity_.pkcs12("right");
  bad_password.key_store_password = "wrong";
  EXPECT_NE(message(bad_password).find("password is wrong"), std::string::npos);
  nonsense.key_store = "\xFE\xED\xFE\xED";
  EXPECT_NE(message(nonsense).find("keytool"), std::string::npos);
  old.key_store = identity_.pem(true);
  old.protocols = {"TLSv1"};
  EXPECT_NE(message(old).find("TLSv1.2"), std::string::npos);
}

}  // namespace
}  // namespace millrace
