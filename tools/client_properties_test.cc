#include "tools/client_properties.h"

#include <gmock/gmock.h>

namespace millrace {
namespace {

using testing::HasSubstr;
using testing::Pair;

ClientProperties native(const ClientProperties& java, ClientKind kind) {
  auto translated = to_librdkafka(java, kind);
  EXPECT_TRUE(translated) << translated.error().message;
  return translated ? *translated : ClientProperties();
}

TEST(ClientProperties, JavaNamesAndUnits) {
  const ClientProperties settings =
      native({{"fetch.max.wait.ms", "7"}, {"receive.buffer.bytes", "1"}}, ClientKind::kConsumer);
  EXPECT_THAT(settings, testing::Contains(Pair("fetch.wait.max.ms", "7")));
  EXPECT_THAT(settings, testing::Contains(Pair("socket.receive.buffer.bytes", "1")));
  EXPECT_EQ(native({{"buffer.memory", "1048576"}}, ClientKind::kProducer).at("queue.buffering.max.kbytes"), "1024");
}

TEST(ClientProperties, DefaultsAreJavas) {
  EXPECT_EQ(native({}, ClientKind::kConsumer).at("isolation.level"), "read_uncommitted");
  EXPECT_EQ(native({}, ClientKind::kProducer).at("partitioner"), "murmur2_random");
}

TEST(ClientProperties, IdempotenceUnlessAnotherSettingForbidsIt) {
  EXPECT_EQ(native({}, ClientKind::kProducer).at("enable.idempotence"), "true");
  EXPECT_EQ(native({{"acks", "-1"}}, ClientKind::kProducer).at("enable.idempotence"), "true");
  EXPECT_EQ(native({{"acks", "1"}}, ClientKind::kProducer).at("enable.idempotence"), "false");
  EXPECT_EQ(native({{"retries", "0"}}, ClientKind::kProducer).at("enable.idempotence"), "false");
  EXPECT_EQ(native({{"max.in.flight.requests.per.connection", "6"}}, ClientKind::kProducer).at("enable.idempotence"),
            "false");
}

TEST(ClientProperties, JaasLine) {
  const ClientProperties settings = native(
      {{"sasl.mechanism", "SCRAM-SHA-256"},
       {"sasl.jaas.config",
        R"(org.apache.kafka.common.security.scram.ScramLoginModule required username="me" password="a\"b=;c";)"}},
      ClientKind::kAdmin);
  EXPECT_EQ(settings.at("sasl.mechanisms"), "SCRAM-SHA-256");
  EXPECT_EQ(settings.at("sasl.username"), "me");
  EXPECT_EQ(settings.at("sasl.password"), "a\"b=;c");
}

TEST(ClientProperties, JavaKeyStoresAreRefusedWithTheWayOut) {
  auto trust = to_librdkafka({{"ssl.truststore.location", "/x/trust.jks"}}, ClientKind::kAdmin);
  ASSERT_FALSE(trust);
  EXPECT_THAT(trust.error().message, HasSubstr("keytool -exportcert"));
  EXPECT_EQ(native({{"ssl.truststore.location", "/x/ca.pem"}}, ClientKind::kAdmin).at("ssl.ca.location"), "/x/ca.pem");
  EXPECT_EQ(native({{"ssl.keystore.location", "/x/k.p12"}, {"ssl.keystore.password", "p"}}, ClientKind::kAdmin)
                .at("ssl.keystore.password"),
            "p");
}

TEST(ClientProperties, SettingsOfTheJvmVanish) {
  EXPECT_FALSE(native({{"key.serializer", "x"}}, ClientKind::kProducer).contains("key.serializer"));
  EXPECT_TRUE(native({{"not.known", "x"}}, ClientKind::kProducer).contains("not.known"));
}

TEST(ClientProperties, NewGroupProtocolIsRefused) {
  EXPECT_FALSE(to_librdkafka({{"group.protocol", "consumer"}}, ClientKind::kConsumer));
  EXPECT_TRUE(to_librdkafka({{"group.protocol", "CLASSIC"}}, ClientKind::kConsumer));
}

TEST(ClientProperties, KeyValueWords) {
  ClientProperties properties;
  add_key_values(properties, std::vector<std::string>{"a=b=c", "empty", "x="});
  EXPECT_EQ(properties, (ClientProperties{{"a", "b=c"}, {"empty", ""}, {"x", ""}}));
}

}  // namespace
}  // namespace millrace
