#include "connectors/mariadb/schema/history/history_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace millrace::mariadb {
namespace {

HistoryRecord record(const std::string& ddl, const std::string& gtids, SchemaRegistry& registry) {
  HistoryRecord made;
  made.server = "srv";
  made.position.file = "bin.000001";
  made.position.gtids = gtids;
  made.change = registry.apply("db", ddl).changes.at(0);
  return made;
}

HistoryPosition at(const std::string& gtids) {
  HistoryPosition position;
  position.gtids = gtids;
  return position;
}

HistoryPosition at(const std::string& file, uint64_t pos) {
  HistoryPosition position;
  position.file = file;
  position.pos = pos;
  return position;
}

TEST(HistoryPosition, ByGtids) {
  EXPECT_TRUE(at("0-1-5").at_or_before(at("0-1-5")));
  EXPECT_TRUE(at("0-1-5").at_or_before(at("0-2-6,1-1-1")));
  EXPECT_FALSE(at("0-1-5").at_or_before(at("0-1-4")));
  EXPECT_FALSE(at("0-1-5,1-1-2").at_or_before(at("0-1-5"))) << "a domain that had not begun";
  HistoryPosition inside = at("0-1-5");
  inside.event = 1;
  EXPECT_FALSE(inside.at_or_before(at("0-1-5"))) << "the transaction after 0-1-5 is yet to come";
  EXPECT_TRUE(inside.at_or_before(at("0-1-6")));
  EXPECT_FALSE(inside.at_or_before(at("0-2-5"))) << "equal whatever server wrote it";
  EXPECT_FALSE(at(" 0-1-5,\n1-1-2").at_or_before(at("1-1-2,\n0-1-4"))) << "as servers print it";
  EXPECT_TRUE(at("no list").at_or_before(at("0-1-1"))) << "what cannot be read is none";
  EXPECT_TRUE(at("bin.000001", 4).at_or_before(at("0-1-1"))) << "recorded before there were GTIDs";
}

TEST(HistoryPosition, ByFileAndPlace) {
  EXPECT_TRUE(at("bin.999999", 900).at_or_before(at("bin.1000000", 4))) << "numbers, not text";
  EXPECT_FALSE(at("bin.000002", 4).at_or_before(at("bin.000001", 900)));
  EXPECT_TRUE(at("bin.000001", 4).at_or_before(at("bin.000001", 4)));
  EXPECT_FALSE(at("bin.000001", 5).at_or_before(at("bin.000001", 4)));
}

class FileStore : public ::testing::Test {
 protected:
  FileStore() {
    options_.kind = HistoryOptions::Kind::kFile;
    options_.file = (std::filesystem::path(::testing::TempDir()) /
                     (std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + ".history"))
                        .string();
    std::filesystem::remove(options_.file);
  }
  ~FileStore() override { std::filesystem::remove(options_.file); }

  std::unique_ptr<HistoryStore> open() {
    Result<std::unique_ptr<HistoryStore>> store = HistoryStore::open(options_);
    EXPECT_TRUE(store.ok());
    return std::move(store.value());
  }

  HistoryOptions options_;
  SchemaRegistry writing_;
};

TEST_F(FileStore, RecoversTheTablesOfThePlace) {
  {
    const auto store = open();
    EXPECT_TRUE(store->empty().value());
    ASSERT_TRUE(
        store->append(record("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(5) DEFAULT 'it''s')", "0-1-1", writing_))
            .ok());
    ASSERT_TRUE(store->append(record("RENAME TABLE t TO u", "0-1-2", writing_)).ok());
    ASSERT_TRUE(store->append(record("ALTER TABLE u DROP COLUMN v", "0-1-9", writing_)).ok());
  }
  const auto store = open();
  EXPECT_FALSE(store->empty().value());
  SchemaRegistry registry;
  const Result<Recovered> recovered = recover(*store, "srv", at("0-1-4"), registry);
  ASSERT_TRUE(recovered.ok()) << recovered.status().message();
  EXPECT_EQ(recovered.value().read, 3u);
  EXPECT_EQ(recovered.value().applied, 2u);
  EXPECT_EQ(registry.find({"db", "t"}), nullptr);
  ASSERT_NE(registry.find({"db", "u"}), nullptr);
  EXPECT_EQ(registry.find({"db", "u"})->find("v")->default_expression, "it's");
  SchemaRegistry other;
  EXPECT_EQ(recover(*store, "another", at("0-1-4"), other)->applied, 0u);
}

TEST_F(FileStore, AHalfWrittenLineIsNoRecord) {
  {
    const auto store = open();
    ASSERT_TRUE(store->append(record("CREATE TABLE t (id INT)", "0-1-1", writing_)).ok());
  }
  std::ofstream(options_.file, std::ios::app) << R"({"source":{"server":"srv"},"posit)";
  const auto store = open();
  ASSERT_TRUE(store->append(record("ALTER TABLE t ADD x INT", "0-1-2", writing_)).ok());
  SchemaRegistry registry;
  ASSERT_TRUE(recover(*store, "srv", at("0-1-9"), registry).ok());
  EXPECT_EQ(registry.find({"db", "t"})->columns.size(), 2u);
}

TEST_F(FileStore, StatementsThatDebeziumCouldNotReadAreReadAgain) {
  std::ofstream(options_.file)
      << R"({"source":{"server":"srv"},"position":{"file":"bin.000001","pos":4},"ts_ms":1,"databaseName":"db",)"
      << R"j("ddl":"CREATE TABLE h2 (id INT PRIMARY KEY, v INET4)","tableChanges":[]})j";
  const auto store = open();
  SchemaRegistry registry;
  ASSERT_TRUE(recover(*store, "srv", at("bin.000001", 9), registry).ok());
  EXPECT_NE(registry.find({"db", "h2"}), nullptr);
}

Result<HistoryOptions> parse(std::vector<std::pair<std::string, std::string>> settings) {
  std::vector<mr_pair> pairs;
  for (const auto& [key, value] : settings) pairs.push_back({{key.data(), key.size()}, {value.data(), value.size()}});
  const mr_config config{pairs.data(), pairs.size()};
  return HistoryOptions::parse(sdk::Config(config, {}));
}

TEST(HistoryOptions, Stores) {
  const Result<HistoryOptions> kafka = parse({{"schema.history.internal.kafka.topic", "hist"},
                                              {"schema.history.internal.kafka.bootstrap.servers", "a:1"},
                                              {"schema.history.internal.producer.security.protocol", "SASL_SSL"}});
  ASSERT_TRUE(kafka.ok());
  EXPECT_EQ(kafka.value().kind, HistoryOptions::Kind::kKafka);
  EXPECT_EQ(kafka.value().producer.client.at("security.protocol"), "SASL_SSL");
  EXPECT_TRUE(kafka.value().consumer.client.empty());
  const Result<HistoryOptions> none = parse({});
  ASSERT_TRUE(none.ok()) << "a history is optional";
  EXPECT_EQ(none.value().kind, HistoryOptions::Kind::kMemory);
  const Result<HistoryOptions> file =
      parse({{"schema.history.internal", "io.debezium.storage.file.history.FileSchemaHistory"},
             {"schema.history.internal.file.filename", "/x"}});
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.value().file, "/x");
  const Result<HistoryOptions> other = parse({{"schema.history.internal", "com.example.Own"}});
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(other.value().kind, HistoryOptions::Kind::kMemory);
  EXPECT_EQ(other.value().warnings.size(), 1u);
}

}  // namespace
}  // namespace millrace::mariadb
