/// The sink over several connections: order per key, bad records, lanes that fail.
#include "connectors/jdbc/sink_lanes.h"

#include <set>

#include "connectors/jdbc/postgres_events_test.h"

namespace millrace::jdbc {
namespace {

using ::testing::HasSubstr;

constexpr int kRecords = 1000;

template <typename Base>
class Lanes : public Base {
 protected:
  /// Adds a record whose key is `id`, a STRUCT, beside a plain row.
  void add(int id, std::string_view name) {
    if (plain_ == 0)
      plain_ = this->schema(row_of({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}}, "", false));
    mr_record made = this->record(id);
    made.value_schema = plain_;
    made.value = this->structure({number(id), text(name)});
    this->records_.push_back(made);
  }
  FakeHost::Settings lanes(FakeHost::Settings more) {
    more.insert({{"millrace.connections", "4"}, {"pk.fields", "id"}});
    return this->settings(kSink, std::move(more));
  }
  /// Each key many times over, and what the last record of it says.
  void add_versions() {
    for (int i = 0; i < kRecords; ++i) add(i % 10, texts_.emplace_back("version " + std::to_string(i)));
    add(3, "the last");
    this->records_.push_back(this->record(4));  // a tombstone
  }
  Rows versions() const {
    Rows wanted;
    for (int id = 0; id < 10; ++id) {
      const std::string version = "version " + std::to_string(kRecords - 10 + id);
      if (id != 4) wanted.push_back({std::to_string(id), id == 3 ? "the last" : version});
    }
    return wanted;
  }
  /// Puts the versions, over and over.
  void keep_order(FakeHost::Settings more) {
    sdk::TaskRunner task(this->host_, FakeHost::connector(mr_plugin, kSink), lanes(std::move(more)));
    ASSERT_TRUE(task.start().ok());
    for (int i = 0; i < 5; ++i) {
      add_versions();
      const auto status = task.put(std::exchange(this->records_, {}));
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(this->rows(), versions());
    }
  }

  mr_schema_id plain_ = 0;
  std::deque<std::string> texts_;
};

using MariaDbLanes = Lanes<Events>;
using PostgresLanes = Lanes<PgEvents>;

TEST_F(MariaDbLanes, RecordsOfOneKeyKeepTheirOrder) { keep_order({{"delete.enabled", "true"}}); }
TEST_F(PostgresLanes, RecordsOfOneKeyKeepTheirOrder) { keep_order({{"delete.enabled", "true"}}); }

TEST_F(PostgresLanes, EachHasAConnectionAndOneIsEnoughForAFew) {
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSink), lanes({{"insert.mode", "insert"}}));
  ASSERT_TRUE(task.start().ok());
  const std::string connections =
      "select count(*) from pg_stat_activity where datname='shop' and pid<>pg_backend_pid()";
  add(-1, "few");
  ASSERT_TRUE(task.put(std::exchange(records_, {})).ok());
  EXPECT_EQ(rows(connections), (Rows{{"1"}}));
  for (int i = 0; i < kRecords; ++i) add(i, "many");
  ASSERT_TRUE(task.put(std::exchange(records_, {})).ok());
  EXPECT_EQ(rows(connections), (Rows{{"4"}}));
  EXPECT_EQ(rows("select count(*) from p_shop_orders"), (Rows{{std::to_string(kRecords + 1)}}));
}

TEST_F(MariaDbLanes, KeysOfTheValueAndOfChangeEventsKeepTheirOrderToo) {
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSink), lanes({{"pk.mode", "record_value"}}));
  ASSERT_TRUE(task.start().ok());
  for (int i = 0; i < kRecords; ++i)
    event("u", i % 7, {{number(i % 10), text(texts_.emplace_back("event " + std::to_string(i)))}});
  ASSERT_TRUE(task.put(std::exchange(records_, {})).ok());
  const Rows got = rows();
  ASSERT_EQ(got.size(), 10U);
  for (size_t id = 0; id < 10; ++id)
    EXPECT_EQ(got[id][1], "event " + std::to_string(kRecords - 10 + static_cast<int>(id)));
}

TEST_F(MariaDbLanes, RowsWithoutAKeyAreWrittenOnceEach) {
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSink),
                       lanes({{"pk.mode", "none"}, {"pk.fields", ""}, {"insert.mode", "insert"}}));
  ASSERT_TRUE(task.start().ok());
  for (int i = 0; i < kRecords; ++i) add(i, "once");
  ASSERT_TRUE(task.put(std::exchange(records_, {})).ok());
  EXPECT_EQ(rows("select count(*), count(distinct id) from p_shop_orders"),
            (Rows{{std::to_string(kRecords), std::to_string(kRecords)}}));
}

/// A lane that has committed would meet its own rows: insert fails on keys that are there.
TEST_F(MariaDbLanes, WhatIsCommittedIsNotWrittenAgainWhenAnotherLaneFails) {
  ASSERT_EQ(server_->run({"create table p_shop_orders(id int primary key, name text)", "create table away(a int)",
                          "insert into away values (1)",
                          "create trigger one before insert on p_shop_orders for each row begin "
                          "if new.id=7 and (select count(*) from away)>0 then "
                          "signal sqlstate '57000' set message_text='not now'; end if; end"},
                         "shop"),
            "");
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSink),
                       lanes({{"insert.mode", "insert"}, {"max.retries", "10"}, {"retry.backoff.ms", "5"}}));
  ASSERT_TRUE(task.start().ok());
  for (int i = 0; i < kRecords; ++i) add(i, "once");
  for (int i = 0; i < 2; ++i) {
    const auto status = task.put(records_);
    EXPECT_EQ(status.code(), sdk::Code::kUnavailable);
    EXPECT_THAT(status.message(), HasSubstr("not now"));
    EXPECT_EQ(status.retry_after_ms(), 5);
    const int written = std::stoi(rows("select count(*) from p_shop_orders")[0][0]);
    EXPECT_GT(written, kRecords / 2);
    EXPECT_LT(written, kRecords);
  }
  ASSERT_EQ(server_->run({"delete from away"}, "shop"), "");
  const auto status = task.put(records_);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(rows("select count(*) from p_shop_orders"), (Rows{{std::to_string(kRecords)}}));
}

TEST_F(MariaDbLanes, BadRecordsAreReportedByTheirPlaceInThePut) {
  ASSERT_EQ(server_->run({"create table p_shop_orders(id int primary key, name varchar(10))"}, "shop"), "");
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSink), lanes({}));
  ASSERT_TRUE(task.start().ok());
  const std::set<size_t> bad = {0, 17, 18, 444, 999};
  for (int i = 0; i < kRecords; ++i) add(i, bad.contains(static_cast<size_t>(i)) ? "far too long a name" : "short");
  const auto status = task.put(records_);
  EXPECT_TRUE(status.ok()) << status.message();
  std::set<size_t> reported;
  for (const auto& report : host_.reports()) {
    EXPECT_TRUE(reported.insert(report.index).second);
    EXPECT_THAT(report.message, HasSubstr("offset=" + std::to_string(report.index)));
  }
  EXPECT_EQ(reported, bad);
  EXPECT_EQ(rows("select count(*) from p_shop_orders"), (Rows{{std::to_string(kRecords - 5)}}));
}

TEST_F(MariaDbLanes, ATruncateComesBetweenTheRows) {
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kDebezium),
                       settings(kDebezium, {{"millrace.connections", "4"}, {"truncate.enabled", "true"}}));
  ASSERT_TRUE(task.start().ok());
  for (int i = 0; i < kRecords; ++i) upsert("c", i, text("before"));
  event("t", std::nullopt, std::nullopt);
  for (int i = 0; i < 300; ++i) upsert("c", i, text("behind"));
  const auto status = task.put(records_);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(rows("select name, count(*) from p_shop_orders group by name"), (Rows{{"behind", "300"}}));
}

TEST(LaneHash, EqualKeysGetEqualNumbers) {
  EXPECT_EQ(lane_hash(number(7, MR_INT32)), lane_hash(number(7, MR_INT64)));
  EXPECT_EQ(lane_hash(text("Ab c  ")), lane_hash(text("aB c")));
  EXPECT_NE(lane_hash(text("ab")), lane_hash(text("ba")));
  EXPECT_EQ(lane_hash(bytes("x")), lane_hash(bytes("x")));
  std::set<uint64_t> of_four;
  for (int i = 0; i < 64; ++i) of_four.insert(lane_hash(number(i)) % 4);
  EXPECT_EQ(of_four.size(), 4U);
}

TEST_F(MariaDbLanes, WhatDoesNotGoWithSeveralConnectionsIsRefused) {
  const FakeHost::Settings all = lanes({{"millrace.exactly.once", "true"}});
  std::vector<mr_pair> pairs;
  for (const auto& [key, value] : all) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
  const mr_config raw{pairs.data(), pairs.size()};
  mr_error error{};
  FakeHost::connector(mr_plugin, kSink)->validate(host_.context(), &raw, &error);
  ASSERT_EQ(host_.config_errors().size(), 1U);
  EXPECT_EQ(host_.config_errors()[0].key, "millrace.connections");
  EXPECT_THAT(host_.config_errors()[0].message, HasSubstr("set millrace.connections=1"));
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSink), all);
  EXPECT_EQ(task.start().code(), sdk::Code::kInvalidConfig);
  for (const char* number : {"0", "65", "x"})
    EXPECT_NE(check_connections(sdk::to_mr(std::string_view(number)), &error), MR_OK);
}

}  // namespace
}  // namespace millrace::jdbc
