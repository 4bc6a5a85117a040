// Documents through a real topic: of the broker that KAFKA_BOOTSTRAP names, else of `millrace broker` where it is
// built.
#include "connectors/mariadb/kafka/topic_io.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "connectors/mariadb/schema/history/history_store.h"

namespace millrace::mariadb {
namespace {

namespace fs = std::filesystem;

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

class TopicIo : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.timeout_ms = 30'000;  // librdkafka goes on connecting until the broker listens
    if (const char* given = std::getenv("KAFKA_BOOTSTRAP"); given != nullptr) {
      options_.bootstrap_servers = given;
      return;
    }
    const fs::path program = fs::path(MILLRACE_BINARY_DIR) / "bin/millrace";
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "librdkafka starts C11 threads, of which ThreadSanitizer knows nothing";
#endif
    if (!fs::exists(program)) GTEST_SKIP() << "no broker: " << program << " is not built";
    std::string name = (fs::temp_directory_path() / "millrace-topic-io-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    options_.bootstrap_servers = "127.0.0.1:" + std::to_string(free_port());
    std::ofstream(folder_ / "p") << "listeners=PLAINTEXT://" << options_.bootstrap_servers
                                 << "\nlog.dirs=" << (folder_ / "log").string() << "\n";
    broker_ = fork();
    if (broker_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::freopen((folder_ / "out").c_str(), "w", stdout);
    execl(program.c_str(), "millrace", "broker", (folder_ / "p").c_str(), nullptr);
    _exit(127);
  }

  void TearDown() override {
    if (broker_ > 0) {
      kill(broker_, SIGKILL);
      waitpid(broker_, nullptr, 0);
    }
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  KafkaOptions options_;
  fs::path folder_;
  pid_t broker_ = 0;
};

TEST_F(TopicIo, WhatIsWrittenIsRead) {
  const std::string topic = "topic-io-" + std::to_string(getpid());
  Result<std::unique_ptr<TopicReader>> reader = TopicReader::open(options_, topic, 0);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_EQ(reader.value()->read_to_end().status().code(), Code::kNotFound);

  Result<std::unique_ptr<TopicWriter>> writer = TopicWriter::open(options_, topic);
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  ASSERT_TRUE(TopicWriter::open(options_, topic).ok()) << "the topic exists";
  EXPECT_EQ(reader.value()->read_to_end().value().size(), 0u);
  ASSERT_TRUE(writer.value()->append(std::nullopt, R"({"a":1})").ok());
  ASSERT_TRUE(writer.value()->append("key", "two").ok());
  const auto documents = reader.value()->read_to_end();
  ASSERT_TRUE(documents.ok()) << documents.status().message();
  ASSERT_EQ(documents.value().size(), 2u);
  EXPECT_FALSE(documents.value()[0].key);
  EXPECT_EQ(documents.value()[0].value, R"({"a":1})");
  EXPECT_EQ(documents.value()[1].key, "key");
  EXPECT_EQ(documents.value()[1].offset, 1);
  EXPECT_GT(documents.value()[1].timestamp_ms, 0);

  ASSERT_TRUE(writer.value()->append("key", "three").ok());
  const auto more = reader.value()->poll(20'000);
  ASSERT_TRUE(more.ok());
  ASSERT_EQ(more.value().size(), 1u);
  EXPECT_EQ(more.value()[0].value, "three");
  EXPECT_EQ(TopicReader::open(options_, topic, 2).value()->read_to_end().value().size(), 1u);
}

TEST_F(TopicIo, AGroupGoesOnWhereItWas) {
  const std::string topic = "topic-io-group-" + std::to_string(getpid());
  const auto writer = TopicWriter::open(options_, topic);
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  ASSERT_TRUE(writer.value()->append("key", "before the group").ok());
  const auto read = [&](int64_t at_least, size_t count, bool commit) {
    std::vector<std::string> texts;
    auto reader = TopicReader::open_group(options_, topic, "group", at_least);
    EXPECT_TRUE(reader.ok()) << reader.status().message();
    while (reader.ok() && texts.size() < count) {
      const auto documents = reader.value()->poll(20'000);
      EXPECT_TRUE(documents.ok() && !documents.value().empty());
      if (!documents.ok() || documents.value().empty()) break;
      for (const TopicDocument& document : documents.value()) texts.push_back(document.value.value_or(""));
    }
    EXPECT_TRUE(!commit || reader.value()->commit().ok());
    return texts;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(read(0, 0, false), Texts());  // a new group begins at the end
  for (const char* text : {"one", "two", "three"}) ASSERT_TRUE(writer.value()->append("key", text).ok());
  EXPECT_EQ(read(0, 3, false), (Texts{"one", "two", "three"}));
  EXPECT_EQ(read(2, 2, false), (Texts{"two", "three"})) << "known elsewhere to be done with";
  EXPECT_EQ(read(0, 3, true), (Texts{"one", "two", "three"})) << "not said to be done with";
  ASSERT_TRUE(writer.value()->append("key", "four").ok());
  EXPECT_EQ(read(0, 1, false), Texts{"four"});
}

TEST_F(TopicIo, AHistoryInATopic) {
  HistoryOptions options;
  options.kind = HistoryOptions::Kind::kKafka;
  options.topic = "topic-io-history-" + std::to_string(getpid());
  options.kafka = options.consumer = options.producer = options_;
  const auto store = HistoryStore::open(options);
  ASSERT_TRUE(store.ok());
  EXPECT_TRUE(store.value()->empty().value());
  SchemaRegistry writing, reading;
  HistoryRecord record;
  record.server = "srv";
  record.position.gtids = "0-1-1";
  record.change = writing.apply("db", "CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a','it''s'))").changes.at(0);
  ASSERT_TRUE(store.value()->append(record).ok());
  EXPECT_FALSE(store.value()->empty().value());
  const Result<Recovered> recovered = recover(*store.value(), "srv", record.position, reading);
  ASSERT_TRUE(recovered.ok()) << recovered.status().message();
  ASSERT_NE(reading.find({"db", "t"}), nullptr);
  EXPECT_EQ(*reading.find({"db", "t"}), *writing.find({"db", "t"}));
}

}  // namespace
}  // namespace millrace::mariadb
