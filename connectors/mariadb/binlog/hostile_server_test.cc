// A server that lies: what comes over the network in place of a binlog must end in an error, whatever its bytes are.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <random>
#include <thread>

#include "connectors/mariadb/binlog/event_builder.h"
#include "connectors/mariadb/binlog/rows.h"
#include "connectors/mariadb/binlog/stream.h"

namespace millrace::mariadb {
namespace {

using testing::EventBuilder;
using ::testing::HasSubstr;
using Buffer = std::vector<uint8_t>;

Buffer packet(const Buffer& payload, int sequence) {
  return EventBuilder().little(payload.size(), 3).little(static_cast<uint64_t>(sequence), 1).bytes();
}

Buffer framed(const Buffer& payload, int sequence) {
  Buffer out = packet(payload, sequence);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

/// Speaks enough of the protocol to be asked for its binlog: any password will do, any statement succeeds. Then, or in
/// place of its greeting, it sends what it was given, and hangs up unless it `lingers`.
class HostileServer {
 public:
  explicit HostileServer(Buffer greeting = {}) : greeting_(std::move(greeting)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  HostileServer(const HostileServer&) = delete;
  HostileServer& operator=(const HostileServer&) = delete;
  ~HostileServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  ConnectionOptions options() const {
    ConnectionOptions options;
    options.host = "127.0.0.1";
    options.port = port_;
    options.user = "root";
    options.connect_timeout_ms = options.query_timeout_ms = 5'000;
    return options;
  }

  /// What the next dumps are.
  void send(Buffer bytes, bool lingering = false) {
    std::lock_guard lock(mutex_);
    dump_ = std::move(bytes);
    lingers_ = lingering;
  }

 private:
  void serve() {
    for (;;) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      talk(client);
      close(client);
    }
  }

  void talk(int client) {
    const auto send_all = [&](const Buffer& bytes) { (void)!::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL); };
    Buffer request;
    if (!greeting_.empty()) return send_all(greeting_);
    send_all(framed(hello(), 0));
    if (!receive(client, request)) return;
    const Buffer fine = {0, 0, 0, 2, 0, 0, 0};
    send_all(framed(fine, 2));
    while (receive(client, request) && !request.empty()) {
      constexpr uint8_t kQuit = 1, kDump = 0x12;
      if (request[0] == kQuit) return;
      if (request[0] != kDump) {
        send_all(framed(fine, 1));
        continue;
      }
      std::lock_guard lock(mutex_);
      send_all(dump_);
      if (!lingers_) shutdown(client, SHUT_WR);
    }
  }

  static Buffer hello() {
    constexpr uint64_t kAbilities = 1 | 0x200 | 0x2000 | 0x8000 | 0x80000;
    return EventBuilder()
        .list({10})
        .raw("5.5.5-10.11.6-MariaDB")
        .list({0, 9, 0, 0, 0})
        .raw("abcdefgh")
        .list({0})
        .little(kAbilities & 0xFFFF, 2)
        .list({33, 2, 0})
        .little(kAbilities >> 16, 2)
        .list({21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
        .raw("ijklmnopqrst")
        .list({0})
        .raw("mysql_native_password")
        .list({0})
        .bytes();
  }

  static bool receive(int client, Buffer& out) {
    std::array<uint8_t, 4> head{};
    if (recv(client, head.data(), head.size(), MSG_WAITALL) != static_cast<ssize_t>(head.size())) return false;
    out.resize(head[0] | size_t{head[1]} << 8 | size_t{head[2]} << 16);
    return out.empty() || recv(client, out.data(), out.size(), MSG_WAITALL) == static_cast<ssize_t>(out.size());
  }

  const Buffer greeting_;
  std::mutex mutex_;
  Buffer dump_;           // under the mutex
  bool lingers_ = false;  // likewise
  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

/// A small true binlog: of each kind of event that the library reads by itself.
std::vector<Buffer> true_events() {
  EventBuilder format;
  std::string version = "10.11.6-MariaDB-log";
  version.resize(50);
  format.little(4, 2).raw(version).little(0, 4).little(19, 1).raw(std::string(170, '\x13')).little(0, 1);
  EventBuilder gtid, query, columns;
  gtid.little(77, 8).little(0, 4).list({0, 0, 0, 0, 0, 0, 0});
  query.little(1, 4).little(0, 4).little(4, 1).little(0, 2).little(0, 2).raw("shop").list({0}).raw("BEGIN");
  columns.field(4, EventBuilder().text("a").text("b"));
  const auto map = testing::table_map({3, 15}, EventBuilder().little(100, 2), columns);
  const auto rows = testing::rows_head(2).list({3, 0}).little(5, 4).text("hello");
  return {EventBuilder().little(4, 8).raw("bin.000001").event(EventType::kRotate, false, 0x20),
          format.event(EventType::kFormatDescription, true),
          EventBuilder().little(1, 4).little(0, 4).little(7, 4).little(70, 8).event(EventType::kGtidList, false),
          gtid.event(EventType::kGtid, false),
          query.event(EventType::kQuery, false),
          EventBuilder().raw("INSERT INTO t VALUES (5, 'hello')").event(EventType::kAnnotateRows, false),
          map.event(EventType::kTableMap, false),
          rows.event(EventType::kWriteRowsV1, false),
          EventBuilder().little(9, 8).event(EventType::kXid, false),
          EventBuilder().raw("bin.000001").event(EventType::kHeartbeat, false)};
}

/// As packets of a dump: each event after a zero byte.
Buffer dump_of(const std::vector<Buffer>& events) {
  Buffer out;
  int sequence = 1;
  for (const Buffer& event : events) {
    Buffer payload = {0};
    payload.insert(payload.end(), event.begin(), event.end());
    const Buffer packet = framed(payload, sequence++);
    out.insert(out.end(), packet.begin(), packet.end());
  }
  return out;
}

struct Read {
  std::vector<Buffer> events;
  Status end;
};

/// All that comes, to the error at its end; what can be decoded is.
Read read(const HostileServer& server, int64_t heartbeat_ms = 2'000) {
  Read out;
  auto connection = Connection::open(server.options());
  if (!connection.ok()) {
    out.end = connection.status();
    return out;
  }
  StreamOptions options;
  options.server_id = 4711;
  options.heartbeat_ms = heartbeat_ms;
  StreamStart start;
  start.file = "bin.000001";
  auto transport = open_transport(std::move(*connection), start, options);
  if (!transport.ok()) {
    out.end = transport.status();
    return out;
  }
  EventParser parser;
  RowsReader rows;
  std::optional<TableMap> map;
  for (;;) {
    auto raw = (*transport)->fetch();
    if (!raw.ok() || raw->empty()) {
      out.end = raw.ok() ? Status(Code::kUnavailable, "the end") : raw.status();
      return out;
    }
    out.events.emplace_back(raw->begin(), raw->end());
    auto event = parser.parse(*raw);
    if (!event.ok()) continue;
    if (event->header.type == EventType::kTableMap) {
      if (auto parsed = parse_table_map(*event); parsed.ok()) map = std::move(*parsed);
    } else if (event->header.type == EventType::kWriteRowsV1 && map && rows.open(*event, *map).ok()) {
      while (rows.more() && rows.next().ok()) continue;
    }
  }
}

TEST(HostileServer, ATrueStreamComesWholeAndItsEndIsAnError) {
  HostileServer server;
  server.send(dump_of(true_events()));
  const Read got = read(server);
  EXPECT_EQ(got.events, true_events());
  EXPECT_EQ(got.end.code(), Code::kUnavailable) << got.end.message();
}

TEST(HostileServer, AStreamCutAnywhereGivesItsWholeEventsAndAnError) {
  HostileServer server;
  const Buffer whole = dump_of(true_events());
  for (size_t size = 0; size < whole.size(); size += 1 + size % 3) {
    server.send(Buffer(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)));
    const Read got = read(server);
    EXPECT_EQ(got.end.code(), Code::kUnavailable) << size << ": " << got.end.message();
    size_t complete = 0, at = 0;
    for (const Buffer& event : true_events()) complete += (at += event.size() + 5) <= size ? 1 : 0;
    EXPECT_EQ(got.events.size(), complete) << size;
  }
}

TEST(HostileServer, AbsurdLengthsAreErrors) {
  HostileServer server;
  for (const uint32_t length : {0U, 1U, 18U, 19U, 20U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
    for (Buffer event : true_events()) {
      for (size_t i = 0; i < 4; ++i) event[9 + i] = static_cast<uint8_t>(length >> (8 * i));
      server.send(dump_of({event}));
      EXPECT_FALSE(read(server).end.ok()) << length;
    }
  }
  const auto ends = [&](const Buffer& bytes) {
    server.send(bytes);
    const Read got = read(server);
    EXPECT_TRUE(got.events.empty());
    EXPECT_FALSE(got.end.ok());
    return got.end.message();
  };
  ends({0xFF, 0xFF, 0xFF, 1});          // 16 MiB announced, none sent
  ends({0, 0, 0, 1});                   // an empty packet
  ends({5, 0, 0, 9, 0, 1, 2, 3, 4});    // a number out of turn
  ends(framed({0}, 1));                 // an event of no bytes
  ends(framed({0xFF}, 1));              // an error without its number
  ends(framed({0xFE, 0, 0, 2, 0}, 1));  // the end of the stream
  ends(framed({0xEF, 1, 2}, 1));        // no kind of packet
  EXPECT_THAT(ends(framed(EventBuilder().list({0xFF}).little(1236, 2).raw("#HY000gone").bytes(), 1)),
              HasSubstr("gone"));
}

TEST(HostileServer, ChangedBytesAreErrorsOrEventsButNoCrash) {
  HostileServer server;
  const Buffer whole = dump_of(true_events());
  std::mt19937 random(20260101);  // NOLINT: the same every time
  const auto below = [&](size_t limit) { return std::uniform_int_distribution<size_t>(0, limit - 1)(random); };
  for (int i = 0; i < 2000; ++i) {
    Buffer dump = whole;
    for (size_t changes = 1 + below(4); changes > 0; --changes) {
      constexpr std::array<uint8_t, 6> kEdges = {0, 1, 0x7F, 0x80, 0xFE, 0xFF};
      dump[below(whole.size())] = below(2) == 0 ? kEdges[below(kEdges.size())] : static_cast<uint8_t>(below(256));
    }
    server.send(std::move(dump));
    ASSERT_FALSE(read(server).end.ok());
  }
}

TEST(HostileServer, ASilentServerIsFoundOutByItsMissingHeartbeats) {
  HostileServer server;
  Buffer dump = dump_of(true_events());
  dump.pop_back();
  server.send(std::move(dump), true);
  const Read got = read(server, 50);
  EXPECT_EQ(got.end.code(), Code::kUnavailable) << got.end.message();
  EXPECT_EQ(got.events.size(), true_events().size() - 1);
}

/// The client library closes its socket when a connection is lost; its number then belongs to whoever opens the next.
TEST(HostileServer, InterruptingALostStreamLeavesOthersSocketsAlone) {
  HostileServer server;
  server.send(dump_of(true_events()));
  auto connection = Connection::open(server.options());
  ASSERT_TRUE(connection.ok());
  StreamOptions options;
  options.server_id = 4711;
  auto transport = open_transport(std::move(*connection), StreamStart{{}, "bin.000001", 4}, options);
  ASSERT_TRUE(transport.ok());
  while ((*transport)->fetch().ok()) continue;
  std::array<std::array<int, 2>, 8> others{};
  for (auto& pair : others) ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  (*transport)->interrupt();
  transport->reset();
  for (const auto& pair : others) {
    char byte = 'x';
    EXPECT_EQ(::send(pair[0], &byte, 1, MSG_NOSIGNAL), 1);
    EXPECT_EQ(::send(pair[1], &byte, 1, MSG_NOSIGNAL), 1);
    close(pair[0]);
    close(pair[1]);
  }
}

TEST(HostileServer, ItsGreetingMayBeAnything) {
  std::mt19937 random(7);  // NOLINT: the same every time
  const std::vector<Buffer> greetings = {
      framed({10}, 0), {0xFF, 0xFF, 0xFF, 0}, framed({0xFF}, 0), framed({10, '1', 0, 1, 2}, 0)};
  for (const Buffer& greeting : greetings) EXPECT_FALSE(read(HostileServer(greeting)).end.ok());
  for (int i = 0; i < 200; ++i) {
    Buffer noise(1 + random() % 100);
    for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random());
    EXPECT_FALSE(read(HostileServer(i % 2 == 0 ? noise : framed(noise, 0))).end.ok());
  }
}

}  // namespace
}  // namespace millrace::mariadb
