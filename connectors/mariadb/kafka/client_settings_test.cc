#include "connectors/mariadb/kafka/client_settings.h"

#include <gtest/gtest.h>

namespace millrace::mariadb {
namespace {

Result<std::map<std::string, std::string>> settings(std::map<std::string, std::string> client) {
  KafkaOptions options;
  options.bootstrap_servers = "a:1,b:2";
  options.client = std::move(client);
  return client_settings(options);
}

TEST(ClientSettings, SaslOfJaas) {
  const auto made = settings(
      {{"security.protocol", "SASL_SSL"},
       {"sasl.mechanism", "SCRAM-SHA-512"},
       {"sasl.jaas.config",
        "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"u s\" password=\"p\\\"w;\";"}});
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made.value().at("bootstrap.servers"), "a:1,b:2");
  EXPECT_EQ(made.value().at("security.protocol"), "sasl_ssl");
  EXPECT_EQ(made.value().at("sasl.username"), "u s");
  EXPECT_EQ(made.value().at("sasl.password"), "p\"w;");
  EXPECT_FALSE(made.value().contains("sasl.jaas.config"));
}

TEST(ClientSettings, KeyStores) {
  const auto pem = settings({{"ssl.truststore.location", "/ca.pem"},
                             {"ssl.keystore.type", "PEM"},
                             {"ssl.keystore.location", "/own"},
                             {"ssl.key.password", "secret"},
                             {"ssl.endpoint.identification.algorithm", ""}});
  ASSERT_TRUE(pem.ok()) << pem.status().message();
  EXPECT_EQ(pem.value().at("ssl.ca.location"), "/ca.pem");
  EXPECT_EQ(pem.value().at("ssl.key.location"), "/own");
  EXPECT_EQ(pem.value().at("ssl.key.password"), "secret");
  EXPECT_EQ(pem.value().at("ssl.endpoint.identification.algorithm"), "none");
  EXPECT_EQ(settings({{"ssl.truststore.location", "/trust.jks"}}).status().code(), Code::kInvalidConfig);
  EXPECT_EQ(settings({{"ssl.truststore.location", "/trust.pem"}, {"ssl.truststore.type", "JKS"}}).status().code(),
            Code::kInvalidConfig);
}

TEST(ClientSettings, ClientsOfThem) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "librdkafka starts C11 threads, of which ThreadSanitizer knows nothing";
#endif
  KafkaOptions options;
  options.bootstrap_servers = "127.0.0.1:1";
  options.client = {{"key.serializer", "org.apache.kafka.common.serialization.StringSerializer"},
                    {"fetch.max.wait.ms", "100"}};
  EXPECT_TRUE(make_client(RD_KAFKA_PRODUCER, options, {}).ok()) << "what only Java knows is left out";
  options.client["sasl.nonsense"] = "1";
  EXPECT_FALSE(make_client(RD_KAFKA_PRODUCER, options, {}).ok());
  options.client = {{"security.protocol", "NONSENSE"}};
  const Result<RdKafka> made = make_client(RD_KAFKA_PRODUCER, options, {});
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.status().message().find("security.protocol"), std::string::npos) << made.status().message();
}

}  // namespace
}  // namespace millrace::mariadb
