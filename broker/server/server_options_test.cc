#include "broker/server/server_options.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(ServerOptions, ReadsKafkasOwnServerProperties) {
  PosixFileSystem fs;
  const auto options = ServerOptions::parse(
      {{"process.roles", "broker,controller"},
       {"listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"},
       {"inter.broker.listener.name", "PLAINTEXT"},
       {"advertised.listeners", "PLAINTEXT://mill.example:19092,CONTROLLER://mill.example:9093"},
       {"controller.listener.names", "CONTROLLER"},
       {"listener.security.protocol.map",
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL"},
       {"num.network.threads", "3"},
       {"socket.request.max.bytes", "104857600"},
       {"max.connections.per.ip", "10"},
       {"max.connections.per.ip.overrides", "127.0.0.1:200"}},
      fs);
  ASSERT_TRUE(options.has_value()) << options.error().message;
  ASSERT_EQ(options->listeners.size(), 1U);
  const ListenerOptions& listener = options->listeners[0];
  EXPECT_EQ(listener.name, "PLAINTEXT");
  EXPECT_EQ(listener.host, "");
  EXPECT_EQ(listener.port, 9092);
  EXPECT_EQ(listener.advertised_host, "mill.example");
  EXPECT_EQ(listener.advertised_port, 19092);
  EXPECT_EQ(options->threads, 3U);
  EXPECT_EQ(options->connections_per_ip_max, 10U);
  EXPECT_EQ(options->connections_per_ip_overrides.at("127.0.0.1"), 200U);
  EXPECT_EQ(options->idle_max, std::chrono::minutes(10));
}

TEST(ServerOptions, SeveralListenersWithProtocolsOfTheirOwn) {
  PosixFileSystem fs;
  const auto options =
      ServerOptions::parse({{"listeners", "INTERNAL://[::1]:0, CLIENTS://127.0.0.1:9094"},
                            {"listener.security.protocol.map", "INTERNAL:PLAINTEXT,CLIENTS:SASL_PLAINTEXT"}},
                           fs);
  ASSERT_TRUE(options.has_value()) << options.error().message;
  ASSERT_EQ(options->listeners.size(), 2U);
  EXPECT_EQ(options->listeners[0].host, "::1");
  EXPECT_FALSE(options->listeners[0].has_sasl());
  EXPECT_TRUE(options->listeners[1].has_sasl());
}

TEST(ServerOptions, SaysWhatIsWrong) {
  PosixFileSystem fs;
  const auto message = [&](ConfigMap settings) {
    const auto options = ServerOptions::parse(settings, fs);
    return options.has_value() ? std::string("no error") : error_trace(options.error());
  };
  EXPECT_NE(message({{"listeners", "localhost:9092"}}).find("NAME://host:port"), std::string::npos);
  EXPECT_NE(message({{"listeners", "PLAINTEXT://localhost:99999"}}).find("0 to 65535"), std::string::npos);
  EXPECT_NE(message({{"listeners", "EXTERNAL://localhost:1"}}).find("listener.security.protocol.map"),
            std::string::npos);
  EXPECT_NE(message({{"listeners", "SSL://localhost:1"}}).find("ssl.keystore.location"), std::string::npos);
  EXPECT_NE(message({{"max.connections", "many"}}).find("max.connections"), std::string::npos);
  EXPECT_NE(message({{"listeners", "SSL://localhost:1"}, {"ssl.keystore.location", "/no/such/store.pem"}})
                .find("/no/such/store.pem"),
            std::string::npos);
}

}  // namespace
}  // namespace millrace
