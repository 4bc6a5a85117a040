#include "rest/rest_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <future>
#include <thread>

#include "rest/fake_herder.h"

namespace millrace {
namespace {

using testing::HasSubstr;

constexpr const char* kCreateA = R"({"name":"a b","config":{"connector.class":"FileStreamSource"}})";

RestServer::Options options_for(std::vector<Listener> listeners) {
  RestServer::Options options;
  options.config.listeners = std::move(listeners);
  return options;
}

std::unique_ptr<RestServer> start(RestServer::Options options = options_for({{"127.0.0.1", 0}})) {
  auto server = RestServer::start(std::move(options), Logger());
  EXPECT_TRUE(server) << server.error().message;
  return std::move(*server);
}

httplib::Client client_of(const RestServer& server) { return httplib::Client("127.0.0.1", server.ports().front()); }

/// Sends bytes as they are and reads until the server closes.
std::string send_raw(int port, const std::string& bytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  std::string reply;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::recv(fd, buffer, sizeof(buffer), 0)) > 0) reply.append(buffer, static_cast<size_t>(got));
  ::close(fd);
  return reply;
}

TEST(RestServer, HeadersAndBodiesOverTheWire) {
  FakeHerder herder;
  auto server = start();
  server->attach(herder);
  auto client = client_of(*server);
  const std::string host = host_and_port("127.0.0.1", server->ports().front());
  EXPECT_EQ(server->advertised(), host);

  const auto created = client.Post("/connectors", kCreateA, "application/json");
  ASSERT_TRUE(created);
  EXPECT_EQ(created->status, 201);
  EXPECT_EQ(created->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(client.Get("/connectors/a%20b")->status, 200);

  const auto missing = client.Get("/nope");
  EXPECT_EQ(missing->status, 404);
  EXPECT_FALSE(missing->has_header("Content-Type"));
  EXPECT_EQ(missing->body, R"({"error_code":404,"message":"HTTP 404 Not Found"})");

  const auto options = client.Options("/connectors");
  EXPECT_EQ(options->get_header_value("Allow"), "HEAD,POST,GET,OPTIONS");
  EXPECT_EQ(options->get_header_value("Content-Type"), "text/plain");

  const auto head = client.Head("/connectors");
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(head->body, "");

  const auto untyped = client.Post("/connectors", {{"X", "y"}}, kCreateA, "");
  EXPECT_EQ(untyped->status, 415);
  EXPECT_EQ(client.Patch("/connectors/a%20b/config", R"({"k":1.50})", "application/json")->status, 200);
  EXPECT_EQ(herder.stored["a b"].config["k"], "1.50");
  EXPECT_EQ(client.Delete("/connectors/a%20b")->status, 204);
  EXPECT_EQ(client.Post("/connectors", httplib::MultipartFormDataItems{{"name", "x", "", ""}})->status, 415);
}

TEST(RestServer, LocationStaysEscaped) {
  FakeHerder herder;
  auto server = start();
  server->attach(herder);
  // The client library decodes the header, so this looks at the bytes.
  const std::string reply =
      send_raw(server->ports()[0],
               fmt::format("POST /connectors HTTP/1.1\r\nHost: w1:8083\r\nConnection: close\r\nContent-Type: "
                           "application/json\r\nContent-Length: {}\r\n\r\n{}",
                           std::string_view(kCreateA).size(), kCreateA));
  EXPECT_THAT(reply, HasSubstr("\r\nLocation: http://w1:8083/connectors/a%20b\r\n"));
}

TEST(RestServer, RequestsWithoutBodyAreAnsweredAtOnce) {
  FakeHerder herder;
  herder.stored["a"] = {};
  auto server = start();
  server->attach(herder);
  // As curl -X PUT sends it: no Content-Length at all.
  const std::string reply =
      send_raw(server->ports()[0], "PUT /connectors/a/pause HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("HTTP/1.1 202"));
  EXPECT_EQ(herder.stored["a"].target, TargetState::kPaused);
}

TEST(RestServer, ChunkedBodies) {
  FakeHerder herder;
  auto server = start();
  server->attach(herder);
  const std::string reply =
      send_raw(server->ports()[0],
               "PUT /connectors/a/config HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
               "Transfer-Encoding: chunked\r\n\r\n18\r\n{\"connector.class\":\"X\"}\n\r\n0\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("HTTP/1.1 201"));
}

TEST(RestServer, LargeBodiesAreRefusedAndTheConnectionStays) {
  FakeHerder herder;
  RestServer::Options options = options_for({{"127.0.0.1", 0}});
  options.http.body_bytes_max = 1000;
  auto server = start(std::move(options));
  server->attach(herder);
  auto client = client_of(*server);
  client.set_keep_alive(true);
  const auto large = client.Post("/connectors", std::string(100'000, 'x'), "application/json");
  ASSERT_TRUE(large);
  EXPECT_EQ(large->status, 413);
  EXPECT_THAT(large->body, HasSubstr("larger than 1000 bytes"));
  EXPECT_EQ(client.Get("/connectors")->status, 200);
}

TEST(RestServer, ListensBeforeThereIsAHerder) {
  FakeHerder herder;
  auto server = start();
  EXPECT_EQ(client_of(*server).Get("/health")->status, 503);
  auto waiting = std::async(std::launch::async, [&] { return client_of(*server).Get("/connectors")->status; });
  server->attach(herder);
  EXPECT_EQ(waiting.get(), 200);
  EXPECT_EQ(client_of(*server).Get("/health")->status, 200);
}

TEST(RestServer, StopEndsWaitingRequestsAndIdleConnections) {
  auto server = start();
  auto idle = client_of(*server);
  idle.set_keep_alive(true);
  EXPECT_EQ(idle.Get("/health")->status, 503);
  std::promise<void> sent;
  auto waiting = std::async(std::launch::async, [&] {
    auto client = client_of(*server);
    sent.set_value();
    const auto result = client.Get("/connectors");
    return result ? result->body : std::string("Worker is shutting down");  // not even accepted any more
  });
  sent.get_future().wait();
  const auto begin = std::chrono::steady_clock::now();
  server->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_THAT(waiting.get(), HasSubstr("Worker is shutting down"));
  server->stop();
}

TEST(RestServer, AnAddressInUseIsNamed) {
  auto first = start();
  const int port = first->ports()[0];
  const auto second = RestServer::start(options_for({{"127.0.0.1", port}}), Logger());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInvalidConfig);
  EXPECT_THAT(second.error().message, HasSubstr(host_and_port("127.0.0.1", port)));
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
  EXPECT_THAT(second.error().message, HasSubstr("listeners=http://:"));
}

TEST(RestServer, SeveralListenersAndAllAddresses) {
  FakeHerder herder;
  RestServer::Options options = options_for({{"127.0.0.1", 0}, {"", 0}});
  options.config.advertised_host = "w1";
  options.config.advertised_port = 99;
  auto server = start(std::move(options));
  server->attach(herder);
  EXPECT_EQ(server->advertised(), "w1:99");
  for (const int port : server->ports()) EXPECT_EQ(httplib::Client("127.0.0.1", port).Get("/")->status, 200);
}

TEST(RestServer, ManyClientsAtOnce) {
  FakeHerder herder;
  RestServer::Options options = options_for({{"127.0.0.1", 0}});
  options.http.threads_max = 4;
  auto server = start(std::move(options));
  server->attach(herder);
  std::vector<std::future<bool>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::async(std::launch::async, [&] {
      bool fine = true;
      for (int n = 0; n < 20; ++n) {
        const auto result = client_of(*server).Get("/connectors");
        fine = fine && result && result->status == 200;
      }
      return fine;
    }));
  }
  for (auto& client : clients) EXPECT_TRUE(client.get());
}

}  // namespace
}  // namespace millrace
