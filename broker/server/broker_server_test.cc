#include "broker/server/broker_server.h"

#include <filesystem>
#include <functional>
#include <future>
#include <thread>

#include "broker/server/server_testing.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

constexpr int16_t kEchoKey = 1, kHoldKey = 2, kPipelinedKey = 3, kSilentKey = 4, kCloseKey = 5, kSizeKey = 6,
                  kFileKey = 7;

/// Sends its bytes as they are.
struct Text {
  std::string_view bytes;
  void encode(WireWriter& out, int16_t) const { out.buffer().append(bytes); }
};
struct FileText {
  uint32_t size;
  void encode(WireWriter& out, int16_t) const {
    out.records(false, {false, {}, size});
    out.buffer().append("between");
    out.records(false, {false, {}, size});
  }
};

/// What the toy handlers share with the test.
struct Held {
  std::mutex mutex;
  std::vector<std::unique_ptr<Exchange>> exchanges;
  Signal arrived;
  std::shared_ptr<const File> file;
};
using ToyState = ToyServices<Held>;
Held& held_of(BrokerServices& services) { return static_cast<ToyState&>(services); }

void echo(BrokerServices&, std::unique_ptr<Exchange> exchange) { exchange->reply(Text{exchange->body()}); }
void hold(BrokerServices& services, std::unique_ptr<Exchange> exchange) {
  Held& held = held_of(services);
  {
    std::lock_guard lock(held.mutex);
    held.exchanges.push_back(std::move(exchange));
  }
  held.arrived.raise();
}
void say_nothing(BrokerServices&, std::unique_ptr<Exchange> exchange) { exchange->no_reply(); }
void forget(BrokerServices&, std::unique_ptr<Exchange> exchange) { exchange.reset(); }
void fill(BrokerServices&, std::unique_ptr<Exchange> exchange) {
  exchange->reply(Text{exchange->keep(std::string(std::stoul(std::string(exchange->body())), 'x'))});
}
void send_files(BrokerServices& services, std::unique_ptr<Exchange> exchange) {
  Held& held = held_of(services);
  const uint64_t size = *held.file->size() - 10;
  exchange->reply(FileText{static_cast<uint32_t>(size)},
                  {FileRange{held.file, held.file.get(), 10, size}, FileRange{held.file, held.file.get(), 0, size}});
}

constexpr Api kApis[] = {
    {kEchoKey, 0, 3, 2, echo},           {kHoldKey, 0, 0, 99, hold},    {kPipelinedKey, 0, 0, 99, hold, true},
    {kSilentKey, 0, 0, 99, say_nothing}, {kCloseKey, 0, 0, 99, forget}, {kSizeKey, 0, 0, 99, fill},
    {kFileKey, 0, 0, 99, send_files},    {18, 0, 1, 99, echo},
};

class BrokerServerTest : public ::testing::Test {
 protected:
  void open(ServerOptions options = {}) {
    for (ListenerOptions& listener : options.listeners) {
      listener.host = "127.0.0.1";
      listener.port = 0;
    }
    auto opened = BrokerServer::open(clock_, Logger(), std::move(options));
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    server_ = std::move(*opened);
    ApiTable table;
    table.add(kApis);
    const Status started = server_->start(toy_, table);
    ASSERT_TRUE(started.has_value());
  }
  uint16_t port() const { return server_->port("PLAINTEXT"); }
  std::unique_ptr<Exchange> take_held(size_t index) {
    std::lock_guard lock(toy_.mutex);
    return std::move(toy_.exchanges[index]);
  }
  /// Waits until the server has no connections left.
  bool empties() {
    const auto end = std::chrono::steady_clock::now() + kTestPatience;
    while (server_->connections() > 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return server_->connections() == 0;
  }

  SystemClock clock_;
  ToyState toy_{clock_};
  std::unique_ptr<BrokerServer> server_;
};

TEST_F(BrokerServerTest, AnswersInTheVersionsItServes) {
  open();
  ToyClient client(port());
  ASSERT_TRUE(client.send(kEchoKey, 1, 7, "hello"));
  EXPECT_EQ(client.answer(), std::pair(7, std::string("hello")));
  // Flexible: tagged fields end both headers.
  ASSERT_TRUE(client.send_bytes(ToyClient::request(kEchoKey, 2, 8, "again", true)));
  EXPECT_EQ(client.answer(), std::pair(8, std::string("\0again", 6)));
  EXPECT_EQ(server_->advertised().front().host, "127.0.0.1");
  EXPECT_EQ(server_->advertised().front().port, port());
}

TEST_F(BrokerServerTest, ManyRequestsInOnePacketAreAnsweredInOrder) {
  open();
  ToyClient client(port());
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += ToyClient::request(kEchoKey, 0, i, std::to_string(i));
  ASSERT_TRUE(client.send_bytes(bytes));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.answer(), std::pair(i, std::to_string(i)));
}

TEST_F(BrokerServerTest, PipelinedAnswersKeepTheOrderOfRequestsWhateverThreadGivesThem) {
  open();
  ToyClient client(port());
  constexpr int kCount = 64;
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(client.send(kPipelinedKey, 0, i, std::to_string(i)));
  ASSERT_TRUE(client.send(kPipelinedKey, 0, kCount, "waits for its turn"));
  ASSERT_TRUE(toy_.arrived.wait(kCount));
  {
    std::lock_guard lock(toy_.mutex);
    EXPECT_EQ(toy_.exchanges.size(), kCount);  // the bound
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = kCount - 1 - t; i >= 0; i -= 4) {
        auto exchange = take_held(static_cast<size_t>(i));
        exchange->reply(Text{exchange->body()});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kCount; ++i) ASSERT_EQ(client.answer(), std::pair(i, std::to_string(i)));
  ASSERT_TRUE(toy_.arrived.wait(kCount + 1));
  auto last = take_held(kCount);
  last->reply(Text{"end"});
  EXPECT_EQ(client.answer(), std::pair(kCount, std::string("end")));
}

TEST_F(BrokerServerTest, OneRequestAtATimeUnlessTheApiIsPipelined) {
  open();
  ToyClient client(port());
  ASSERT_TRUE(client.send(kPipelinedKey, 0, 1) && client.send(kEchoKey, 0, 2) && client.send(kHoldKey, 0, 3));
  ASSERT_TRUE(toy_.arrived.wait(1));
  ToyClient other(port());  // another connection is not held up
  ASSERT_TRUE(other.send(kEchoKey, 0, 9));
  EXPECT_EQ(other.answer()->first, 9);
  {
    std::lock_guard lock(toy_.mutex);
    EXPECT_EQ(toy_.exchanges.size(), 1U);
  }
  take_held(0)->reply(Text{"one"});
  EXPECT_EQ(client.answer(), std::pair(1, std::string("one")));
  EXPECT_EQ(client.answer()->first, 2);
  ASSERT_TRUE(toy_.arrived.wait(2));
  take_held(1)->reply(Text{"three"});
  EXPECT_EQ(client.answer(), std::pair(3, std::string("three")));
}

TEST_F(BrokerServerTest, ASlowReaderHarmsNoOther) {
  ServerOptions options;
  options.threads = 1;
  open(options);
  ToyClient slow(port());
  constexpr size_t kBig = 4 << 20;
  constexpr int kAsked = 20;
  for (int i = 0; i < kAsked; ++i) ASSERT_TRUE(slow.send(kSizeKey, 0, i, std::to_string(kBig)));
  ToyClient quick(port());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(quick.send(kEchoKey, 0, i, "q"));
    ASSERT_EQ(quick.answer(), std::pair(i, std::string("q")));
  }
  for (int i = 0; i < kAsked; ++i) {
    const auto answer = slow.answer();
    ASSERT_TRUE(answer.has_value());
    ASSERT_EQ(answer->first, i);
    ASSERT_EQ(answer->second.size(), kBig);
  }
}

TEST_F(BrokerServerTest, LargeRequestsArriveWhole) {
  open();
  ToyClient client(port());
  std::string body(20'000'003, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 251);
  std::thread sender([&] { EXPECT_TRUE(client.send(kEchoKey, 0, 1, body) && client.send(kEchoKey, 0, 2, "small")); });
  const auto answer = client.answer();
  sender.join();
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->second == body);
  EXPECT_EQ(client.answer(), std::pair(2, std::string("small")));
}

TEST_F(BrokerServerTest, WhatNoClientShouldSendClosesTheConnection) {
  ServerOptions options;
  options.request_bytes_max = 1000;
  open(options);
  std::string negative, too_long, empty;
  append_be(negative, int32_t{-1});
  append_be(too_long, int32_t{1001});
  append_be(empty, int32_t{0});
  std::string cut_header = ToyClient::request(kEchoKey, 0, 1, "");
  cut_header.resize(4 + 9);
  store_be(cut_header.data(), int32_t{9});
  std::string bad_tags = ToyClient::request(kEchoKey, 2, 1, "\xff\xff\xff\xff\xff\xff");
  for (const std::string& bytes : {negative, too_long, empty, cut_header, bad_tags, ToyClient::request(99, 0, 1, ""),
                                   ToyClient::request(-5, 0, 1, ""), ToyClient::request(kEchoKey, 4, 1, ""),
                                   ToyClient::request(kEchoKey, -1, 1, ""), std::string("GET / HTTP/1.1\r\n\r\n")}) {
    ToyClient client(port());
    ASSERT_TRUE(client.send_bytes(bytes));
    EXPECT_TRUE(client.closed_by_server());
  }
  // What came before is answered first.
  ToyClient client(port());
  ASSERT_TRUE(client.send_bytes(ToyClient::request(kEchoKey, 0, 1, "good") + ToyClient::request(99, 0, 2, "")));
  EXPECT_EQ(client.answer(), std::pair(1, std::string("good")));
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(BrokerServerTest, ApiVersionsIsDispatchedInAnyVersion) {
  open();
  ToyClient client(port());
  ASSERT_TRUE(client.send(18, 90, 4, "v"));
  EXPECT_EQ(client.answer(), std::pair(4, std::string("v")));
}

TEST_F(BrokerServerTest, NoAnswerWhereNoneIsDueAndAForgottenExchangeCloses) {
  open();
  ToyClient client(port());
  ASSERT_TRUE(client.send(kSilentKey, 0, 1) && client.send(kEchoKey, 0, 2) && client.send(kCloseKey, 0, 3) &&
              client.send(kEchoKey, 0, 4));
  EXPECT_EQ(client.answer()->first, 2);
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(BrokerServerTest, AClientThatStopsSendingStillGetsItsAnswers) {
  open();
  ToyClient client(port());
  ASSERT_TRUE(client.send(kHoldKey, 0, 1) && client.send(kEchoKey, 0, 2));
  client.finish_sending();
  ASSERT_TRUE(toy_.arrived.wait(1));
  take_held(0)->reply(Text{"late"});
  EXPECT_EQ(client.answer(), std::pair(1, std::string("late")));
  EXPECT_EQ(client.answer()->first, 2);
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(BrokerServerTest, AnswersToAClientThatIsGoneGoNowhere) {
  open();
  std::optional<ToyClient> client(port());
  ASSERT_TRUE(client->send(kPipelinedKey, 0, 1) && client->send(kPipelinedKey, 0, 2));
  ASSERT_TRUE(toy_.arrived.wait(2));
  const linger hard{1, 0};  // a reset, as when the machine at the other end has gone
  ::setsockopt(client->descriptor(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  client.reset();
  ASSERT_TRUE(empties());
  take_held(1)->reply(Text{"x"});
  take_held(0).reset();
  server_->stop(0ms);
}

TEST_F(BrokerServerTest, FiveHundredConnections) {
  open();
  std::vector<std::unique_ptr<ToyClient>> clients;
  for (int i = 0; i < 500; ++i) {
    clients.push_back(std::make_unique<ToyClient>(port()));
    ASSERT_TRUE(clients.back()->connected());
    ASSERT_TRUE(clients.back()->send(kEchoKey, 0, i, "c"));
  }
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 500; ++i) {
      ASSERT_EQ(clients[static_cast<size_t>(i)]->answer(), std::pair(i, std::string("c")));
      ASSERT_TRUE(clients[static_cast<size_t>(i)]->send(kEchoKey, 0, i, "c"));
    }
  }
  EXPECT_EQ(server_->connections(), 500U);
  clients.clear();
  EXPECT_TRUE(empties());
}

TEST_F(BrokerServerTest, LimitsOfConnections) {
  ServerOptions options;
  options.connections_per_ip_max = 2;
  open(options);
  auto first = std::make_unique<ToyClient>(port());
  ToyClient second(port());
  ASSERT_TRUE(first->send(kEchoKey, 0, 1) && second.send(kEchoKey, 0, 1));
  ASSERT_TRUE(first->answer() && second.answer());
  ToyClient third(port());
  EXPECT_TRUE(third.closed_by_server());
  EXPECT_EQ(server_->connections(), 2U);
}

TEST_F(BrokerServerTest, BeyondMaxConnectionsClientsWait) {
  ServerOptions options;
  options.connections_max = 1;
  open(options);
  auto first = std::make_unique<ToyClient>(port());
  ASSERT_TRUE(first->send(kEchoKey, 0, 1));
  ASSERT_TRUE(first->answer());
  ToyClient second(port());
  ASSERT_TRUE(second.send(kEchoKey, 0, 2));
  pollfd ready{second.descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 0);
  first.reset();
  EXPECT_EQ(second.answer()->first, 2);
}

TEST(BrokerServerIdle, ConnectionsAreClosedWhenTheyHaveBeenQuietForTooLong) {
  ManualClock clock;
  ToyState toy(clock);
  ServerOptions options;
  options.listeners[0].host = "127.0.0.1";
  options.listeners[0].port = 0;
  options.threads = 1;
  options.idle_max = 10min;
  auto server = std::move(*BrokerServer::open(clock, Logger(), options));
  ApiTable table;
  table.add(kApis);
  ASSERT_TRUE(server->start(toy, table).has_value());
  const uint16_t port = server->port("PLAINTEXT");
  ToyClient quiet(port), waiting(port), busy(port);
  ASSERT_TRUE(quiet.send(kEchoKey, 0, 1) && waiting.send(kHoldKey, 0, 1));
  ASSERT_TRUE(quiet.answer() && toy.arrived.wait(1));
  clock.advance(9min);
  ASSERT_TRUE(busy.send(kEchoKey, 0, 1) && busy.answer());
  clock.advance(2min);
  ASSERT_TRUE(busy.send(kEchoKey, 0, 2) && busy.answer());  // the loop looks at the clock
  EXPECT_TRUE(quiet.closed_by_server());
  ASSERT_TRUE(busy.send(kEchoKey, 0, 3) && busy.answer());
  toy.exchanges[0]->reply(Text{"kept"});
  EXPECT_EQ(waiting.answer(), std::pair(1, std::string("kept")));
}

TEST_F(BrokerServerTest, FileRangesAreSentInTheirPlaces) {
  open();
  PosixFileSystem fs;
  const Path path = std::filesystem::temp_directory_path() / ("millrace-sendfile-" + std::to_string(::getpid()));
  std::string content(3'000'000, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 13 + i / 255);
  ASSERT_TRUE(fs.write_file_atomically(path, content).has_value());
  toy_.file = std::move(*fs.open(path, FileSystem::Open::kRead));
  ToyClient client(port());
  ASSERT_TRUE(client.send(kFileKey, 0, 1) && client.send(kEchoKey, 0, 2, "after"));
  const auto answer = client.answer();
  ASSERT_TRUE(answer.has_value());
  const size_t size = content.size() - 10;
  std::string expected;
  append_be(expected, static_cast<int32_t>(size));
  expected += content.substr(10) + "between";
  append_be(expected, static_cast<int32_t>(size));
  expected += content.substr(0, size);
  EXPECT_TRUE(answer->second == expected);
  EXPECT_EQ(client.answer(), std::pair(2, std::string("after")));
  ASSERT_TRUE(fs.remove(path).has_value());
}

TEST_F(BrokerServerTest, StopLetsRequestsUnderWayBeAnswered) {
  open();
  ToyClient client(port()), idle(port());
  ASSERT_TRUE(idle.send(kEchoKey, 0, 1) && idle.answer());
  ASSERT_TRUE(client.send(kHoldKey, 0, 1) && client.send(kEchoKey, 0, 2));
  ASSERT_TRUE(toy_.arrived.wait(1));
  const uint16_t old_port = port();
  std::thread stopper([&] { server_->stop(kTestPatience); });
  EXPECT_TRUE(idle.closed_by_server());  // so the stop has begun
  take_held(0)->reply(Text{"last"});
  EXPECT_EQ(client.answer(), std::pair(1, std::string("last")));
  EXPECT_TRUE(client.closed_by_server());  // the request behind it is not begun
  stopper.join();
  EXPECT_FALSE(ToyClient(old_port).connected());
}

TEST_F(BrokerServerTest, StopDoesNotWaitForEver) {
  open();
  ToyClient client(port());
  ASSERT_TRUE(client.send(kHoldKey, 0, 1));
  ASSERT_TRUE(toy_.arrived.wait(1));
  server_->stop(1ms);
  EXPECT_TRUE(client.closed_by_server());
  take_held(0)->reply(Text{"too late"});
}

TEST(BackgroundExecutor, RunsWorkAndTimersAndCancels) {
  SystemClock clock;
  BackgroundExecutor executor(clock);
  Signal worked, timed;
  executor.run([&] { worked.raise(); });
  const uint64_t never = executor.run_after(1h, [] { ADD_FAILURE(); });
  const uint64_t soon = executor.run_after(1ms, [&] { timed.raise(); });
  EXPECT_TRUE(worked.wait(1));
  EXPECT_TRUE(timed.wait(1));
  EXPECT_TRUE(executor.cancel(never));
  EXPECT_FALSE(executor.cancel(never));
  EXPECT_FALSE(executor.cancel(soon));
}

TEST(BackgroundExecutor, TimersGoByTheClockThatIsGiven) {
  ManualClock clock;
  BackgroundExecutor executor(clock);
  Signal timed;
  executor.run_after(1h, [&] { timed.raise(); });
  clock.advance(1h);
  executor.clock_moved();
  EXPECT_TRUE(timed.wait(1));
}

}  // namespace
}  // namespace millrace
