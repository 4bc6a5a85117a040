#include <gtest/gtest.h>

#include <filesystem>

#include "broker/handlers/sasl_apis.h"
#include "broker/security/security.h"
#include "broker/server/server_testing.h"
#include "protocol/messages/sasl_authenticate.h"
#include "protocol/messages/sasl_handshake.h"

namespace millrace {
namespace {

using Outcome = SaslMechanism::Outcome;

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  std::string bytes;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(kDigits.find(c));
    if ((held += 6) >= 8) bytes.push_back(static_cast<char>(bits >> (held -= 8)));
  }
  return bytes;
}

/// The example of RFC 7677: user "user", password "pencil".
ScramServer rfc_server() {
  const std::string salt = base64("W22ZaJ0SNY7soEsUEjb6gQ==");
  return {ScramMechanism::kSha256,
          [salt](std::string_view user) -> std::optional<ScramCredential> {
            if (user != "user") return std::nullopt;
            return scram_credential(ScramMechanism::kSha256,
                                    scram_salted_password(ScramMechanism::kSha256, "pencil", salt, 4096), salt, 4096);
          },
          "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"};
}
constexpr std::string_view kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kFinalBare = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

TEST(Scram, TheExampleOfRfc7677) {
  ScramServer server = rfc_server();
  const auto first = server.evaluate(kClientFirst);
  EXPECT_EQ(first.outcome, Outcome::kContinue);
  EXPECT_EQ(first.token, "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  const auto last = server.evaluate(std::string(kFinalBare) + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_EQ(last.outcome, Outcome::kAuthenticated);
  EXPECT_EQ(last.token, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  EXPECT_EQ(last.principal, "User:user");
}

TEST(Scram, WrongProofsNoncesAndUsersFail) {
  const auto fails = [](std::string_view first, std::string_view last) {
    ScramServer server = rfc_server();
    if (server.evaluate(first).outcome == Outcome::kFailed) return true;
    return server.evaluate(last).outcome == Outcome::kFailed;
  };
  const std::string bare(kFinalBare);
  EXPECT_TRUE(fails(kClientFirst, bare + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVA="));
  EXPECT_TRUE(fails(kClientFirst, bare + ",p="));
  EXPECT_TRUE(fails(kClientFirst, "c=biws,r=other,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
  EXPECT_TRUE(fails("n,,n=mallory,r=abc", bare));
  EXPECT_TRUE(fails("p=tls-unique,,n=user,r=abc", bare));
  EXPECT_TRUE(fails("n,a=admin,n=user,r=abc", bare));
  EXPECT_TRUE(fails("n,,m=x,n=user,r=abc", bare));
  for (const std::string_view broken : {"", ",", "n", "n,,", "n,,n=user", "n,,n=us=2er,r=a", "n,,n=user,r="})
    EXPECT_TRUE(fails(broken, ""));
}

TEST(Plain, NamesAndPasswords) {
  const auto check = [](std::string_view user, std::string_view password) { return user == "a" && password == "p"; };
  const auto outcome = [&](std::string_view token) { return PlainServer(check).evaluate(token).outcome; };
  using std::string_literals::operator""s;
  EXPECT_EQ(outcome("\0a\0p"s), Outcome::kAuthenticated);
  EXPECT_EQ(outcome("a\0a\0p"s), Outcome::kAuthenticated);
  EXPECT_EQ(outcome("b\0a\0p"s), Outcome::kFailed);
  EXPECT_EQ(outcome("\0a\0q"s), Outcome::kFailed);
  EXPECT_EQ(outcome("\0a"s), Outcome::kFailed);
  EXPECT_EQ(outcome("\0a\0p\0x"s), Outcome::kFailed);
  EXPECT_EQ(outcome(""), Outcome::kFailed);
}

struct Nothing {};
struct Text {
  std::string_view bytes;
  void encode(WireWriter& out, int16_t) const { out.buffer().append(bytes); }
};
void who_am_i(BrokerServices&, std::unique_ptr<Exchange> exchange) {
  exchange->reply(Text{exchange->session().principal});
}
constexpr Api kWhoAmI[] = {{3, 0, 0, 99, who_am_i}};

/// A SASL_PLAINTEXT listener on the loopback.
class SaslServerTest : public ::testing::Test {
 protected:
  SaslServerTest()
      : directory_(std::filesystem::temp_directory_path() / ("millrace-sasl-" + std::to_string(::getpid()))) {
    EXPECT_TRUE(fs_.create_directories(directory_).has_value());
    auto options = SecurityOptions::parse(
        {{"sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-512"},
         {"connection.failed.authentication.delay.ms", "1"},
         {"listener.name.sasl.plain.sasl.jaas.config", "PlainLoginModule required user_alice=\"apple\";"}});
    security_ = std::move(*Security::open(fs_, Logger(), directory_, std::move(*options)));
    services_ = std::make_unique<ToyServices<Nothing>>(clock_, *security_);
    ServerOptions server;
    server.listeners[0] = {"SASL", "127.0.0.1", 0, SecurityProtocol::kSaslPlaintext};
    server_ = std::move(*BrokerServer::open(clock_, Logger(), server));
    ApiTable table;
    table.add(sasl_apis());
    table.add(kWhoAmI);
    EXPECT_TRUE(server_->start(*services_, table).has_value());
  }
  ~SaslServerTest() override {
    server_->stop(std::chrono::milliseconds(0));
    EXPECT_TRUE(fs_.remove_all(directory_).has_value());
  }

  template <class Request>
  static std::string body_of(const Request& request, int16_t version) {
    std::string body;
    WireWriter writer(body);
    request.encode(writer, version);
    return body;
  }
  /// The error code that SaslHandshake brings.
  std::optional<int16_t> handshake(ToyClient& client, std::string_view mechanism, int16_t version) {
    SaslHandshakeRequest request;
    request.mechanism = mechanism;
    if (!client.send(17, version, 1, body_of(request, version))) return std::nullopt;
    const auto answer = client.answer();
    if (!answer) return std::nullopt;
    WireReader reader(answer->second);
    SaslHandshakeResponse response;
    response.decode(reader, version);
    return response.error_code;
  }
  std::optional<int16_t> authenticate(ToyClient& client, std::string_view token) {
    SaslAuthenticateRequest request;
    request.auth_bytes = token;
    if (!client.send(36, 1, 2, body_of(request, 1))) return std::nullopt;
    const auto answer = client.answer();
    if (!answer) return std::nullopt;
    WireReader reader(answer->second);
    SaslAuthenticateResponse response;
    response.decode(reader, 1);
    return response.error_code;
  }
  std::optional<std::string> who(ToyClient& client) {
    if (!client.send(3, 0, 3)) return std::nullopt;
    const auto answer = client.answer();
    return answer ? std::optional(answer->second) : std::nullopt;
  }

  PosixFileSystem fs_;
  SystemClock clock_;
  const Path directory_;
  std::unique_ptr<Security> security_;
  std::unique_ptr<ToyServices<Nothing>> services_;
  std::unique_ptr<BrokerServer> server_;
};

const std::string kAlice("\0alice\0apple", 12), kWrong("\0alice\0pear", 11);

TEST_F(SaslServerTest, PlainWithRequestsAroundTheTokens) {
  ToyClient client(server_->port("SASL"));
  EXPECT_EQ(handshake(client, "PLAIN", 1), 0);
  EXPECT_EQ(authenticate(client, kAlice), 0);
  EXPECT_EQ(who(client), "User:alice");
  EXPECT_EQ(handshake(client, "PLAIN", 1), 34);  // once is enough
  EXPECT_EQ(who(client), "User:alice");
}

TEST_F(SaslServerTest, PlainWithBareTokens) {
  ToyClient client(server_->port("SASL"));
  EXPECT_EQ(handshake(client, "PLAIN", 0), 0);
  std::string token;
  append_be(token, static_cast<int32_t>(kAlice.size()));
  ASSERT_TRUE(client.send_bytes(token + kAlice));
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(who(client), "User:alice");
}

TEST_F(SaslServerTest, RefusalsCloseTheConnection) {
  ToyClient wrong(server_->port("SASL")), unknown(server_->port("SASL")), hasty(server_->port("SASL")),
      jumping(server_->port("SASL")), bare(server_->port("SASL"));
  EXPECT_EQ(handshake(wrong, "PLAIN", 1), 0);
  EXPECT_EQ(authenticate(wrong, kWrong), 58);
  EXPECT_TRUE(wrong.closed_by_server());
  EXPECT_EQ(handshake(unknown, "GSSAPI", 1), 33);
  EXPECT_TRUE(unknown.closed_by_server());
  EXPECT_EQ(who(hasty), std::nullopt);
  EXPECT_EQ(authenticate(jumping, kAlice), std::nullopt);
  EXPECT_EQ(handshake(bare, "PLAIN", 0), 0);
  std::string token;
  append_be(token, static_cast<int32_t>(kWrong.size()));
  ASSERT_TRUE(bare.send_bytes(token + kWrong));
  EXPECT_TRUE(bare.closed_by_server());
}

TEST_F(SaslServerTest, FramesAreSmallUntilTheClientIsKnown) {
  ToyClient client(server_->port("SASL"));
  std::string length;
  append_be(length, int32_t{524289});
  ASSERT_TRUE(client.send_bytes(length));
  EXPECT_TRUE(client.closed_by_server());
}

}  // namespace
}  // namespace millrace
