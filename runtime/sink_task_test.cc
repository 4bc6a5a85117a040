#include "runtime/sink_task.h"

#include <gmock/gmock.h>

#include "runtime/task_testing.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

class SinkTaskTest : public TaskTest {
 protected:
  std::shared_ptr<SinkTask> make(ConfigMap config) {
    config.try_emplace("value.converter", "org.apache.kafka.connect.storage.StringConverter");
    config.try_emplace("key.converter", "org.apache.kafka.connect.storage.StringConverter");
    SinkTask::Options options;
    options.topics = {"t"};
    options.consumer = *consumer_settings({}, config, "connect-c", "client");
    options.dead_letters = *ProducerSettings::from({}, config, "dlq");
    options.commit_interval = std::chrono::milliseconds(1);
    SinkTask::Pipeline pipeline;
    pipeline.converters = *ConverterSet::create({}, config);
    pipeline.transforms = *TransformationChain::create(config);
    return std::make_shared<SinkTask>(plugin_, WorkerTask::Identity{"c", 0, "w"}, config, ErrorPolicy::from(config),
                                      Logger(), std::move(pipeline), *client_, std::move(options));
  }
  void take_everything() {
    script_.put = [this](mr_context*, std::span<const mr_record> records, mr_error*) -> int32_t {
      std::lock_guard lock(mutex_);
      if (records.empty()) ++empty_puts_;
      for (const mr_record& record : records) {
        if (record.value.kind == MR_STRING) taken_.emplace_back(bytes_of(record.value));
        topics_.emplace(view(record.topic));
      }
      return MR_OK;
    };
  }
  std::vector<std::string> taken() {
    std::lock_guard lock(mutex_);
    return taken_;
  }
  SinkTask& task() { return static_cast<SinkTask&>(*task_); }
  const ConnectorPlugin plugin_ = scripted_plugin(ConnectorType::kSink);
  std::mutex mutex_;
  std::vector<std::string> taken_;
  std::set<std::string> topics_;
  int empty_puts_ = 0;
};

TEST_F(SinkTaskTest, BadRecordsGoToTheDeadLetterQueueWithTheirStory) {
  write("t", {R"({"a":1})", "not json", R"({"a":3})"});
  std::atomic<int> records{0};
  script_.put = [&](mr_context*, std::span<const mr_record> batch, mr_error*) -> int32_t {
    records += static_cast<int>(batch.size());
    return MR_OK;
  };
  launch(make({{"value.converter", "org.apache.kafka.connect.json.JsonConverter"},
               {"value.converter.schemas.enable", "false"},
               {"errors.tolerance", "all"},
               {"errors.deadletterqueue.topic.name", "dead"},
               {"errors.deadletterqueue.context.headers.enable", "true"}}));
  ASSERT_TRUE(eventually([&] { return committed("t") == 3; }));
  EXPECT_EQ(records, 2);
  const auto letters = read("dead");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].key, "key");
  EXPECT_EQ(letters[0].value, "not json");
  EXPECT_EQ(letters[0].timestamp, 1700);
  EXPECT_THAT(
      letters[0].headers,
      ElementsAre(Pair("h", "1"), Pair("__connect.errors.topic", "t"), Pair("__connect.errors.partition", "0"),
                  Pair("__connect.errors.offset", "1"), Pair("__connect.errors.connector.name", "c"),
                  Pair("__connect.errors.task.id", "0"), Pair("__connect.errors.stage", "VALUE_CONVERTER"),
                  Pair("__connect.errors.class.name", "org.apache.kafka.connect.json.JsonConverter"),
                  Pair("__connect.errors.exception.class.name", "org.apache.kafka.connect.errors.DataException"),
                  Pair("__connect.errors.exception.message", ::testing::_),
                  Pair("__connect.errors.exception.stacktrace",
                       StartsWith("org.apache.kafka.connect.errors.DataException: "))));
  EXPECT_EQ(used_topics(), (std::set<std::string>{"t"}));
  EXPECT_EQ(task().metrics().dead_letters.get(), 1);
}

TEST_F(SinkTaskTest, WithoutToleranceTheLetterIsWrittenAndTheTaskFails) {
  write("t", {"not json"});
  take_everything();
  launch(make({{"value.converter", "org.apache.kafka.connect.json.JsonConverter"},
               {"errors.deadletterqueue.topic.name", "dead"}}));
  ASSERT_TRUE(eventually([&] { return state() == State::kFailed; }));
  EXPECT_THAT(task_->status().trace, StartsWith("org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded "
                                                "in error handler: the record at t-0@0 failed"));
  EXPECT_THAT(values("dead"), ElementsAre("not json"));
  EXPECT_EQ(committed("t"), -1);
}

TEST_F(SinkTaskTest, ReportedRecordsGoTheSameWay) {
  write("t", {"good", "bad"});
  script_.put = [&](mr_context* context, std::span<const mr_record> records, mr_error*) -> int32_t {
    for (size_t i = 0; i < records.size(); ++i) {
      if (bytes_of(records[i].value) != "bad") continue;
      EXPECT_TRUE(context->report(i, Error{ErrorCode::kBadRecord, "cannot be stored", {}, {}, {}}));
    }
    return MR_OK;
  };
  launch(make({{"errors.tolerance", "all"},
               {"errors.deadletterqueue.topic.name", "dead"},
               {"errors.deadletterqueue.context.headers.enable", "true"}}));
  ASSERT_TRUE(eventually([&] { return committed("t") == 2; }));
  const auto letters = read("dead");
  ASSERT_EQ(letters.size(), 1U) << "written before the offset was";
  EXPECT_EQ(letters[0].headers[6], (std::pair<std::string, std::string>{"__connect.errors.stage", "TASK_PUT"}));
  EXPECT_EQ(letters[0].headers[7].second, "org.apache.kafka.connect.sink.SinkTask");
}

TEST_F(SinkTaskTest, TransformationsSeeConvertedRecordsAndDroppedOnesMoveTheOffset) {
  write("t", {"one", "two"});
  take_everything();
  launch(make({{"transforms", "r,f"},
               {"transforms.r.type", "org.apache.kafka.connect.transforms.RegexRouter"},
               {"transforms.r.regex", "t"},
               {"transforms.r.replacement", "table"},
               {"transforms.f.type", "org.apache.kafka.connect.transforms.Filter"},
               {"transforms.f.predicate", "p"},
               {"predicates", "p"},
               {"predicates.p.type", "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"}}));
  ASSERT_TRUE(eventually([&] { return committed("t") == 2; }));
  EXPECT_THAT(taken(), ElementsAre("one", "two"));
  EXPECT_EQ(topics_, (std::set<std::string>{"table"}));
  auto producer = client_->producer("test");
  RecordBatchBuilder batch;
  batch.append(1, "k", std::nullopt);
  (*producer)->send({"t", 0}, std::move(batch), [](Expected<int64_t>) {});
  ASSERT_TRUE(eventually([&] { return committed("t") == 3; })) << "a dropped record is done with";
  EXPECT_EQ(taken().size(), 2U);
}

TEST_F(SinkTaskTest, ARetriablePutGetsTheSameRecordsAgain) {
  write("t", {"one", "two"});
  int tries = 0;
  script_.put = [&](mr_context*, std::span<const mr_record> records, mr_error* error) -> int32_t {
    if (records.empty()) return MR_OK;
    std::lock_guard lock(mutex_);
    for (const mr_record& record : records) taken_.emplace_back(bytes_of(record.value));
    return ++tries == 1 ? refuse(error, MR_UNAVAILABLE, "away") : MR_OK;
  };
  launch(make({}));
  ASSERT_TRUE(eventually([&] { return committed("t") == 2; }));
  EXPECT_THAT(taken(), ElementsAre("one", "two", "one", "two"));
}

TEST_F(SinkTaskTest, IdleSinksHearOfTheTime) {
  write("t", {"one"});
  script_.put = [&](mr_context* context, std::span<const mr_record> records, mr_error*) -> int32_t {
    std::lock_guard lock(mutex_);
    if (records.empty()) ++empty_puts_;
    context->limit_next_wait(std::chrono::milliseconds(1));
    return MR_OK;
  };
  launch(make({}));
  EXPECT_TRUE(eventually([&] {
    std::lock_guard lock(mutex_);
    return empty_puts_ > 20;
  }));
}

TEST_F(SinkTaskTest, ASeekOfThePluginCountsForTheNextCommit) {
  write("t", {"one", "two", "three"});
  bool sought = false;
  script_.put = [&](mr_context* context, std::span<const mr_record> records, mr_error*) -> int32_t {
    if (records.empty()) return MR_OK;
    std::lock_guard lock(mutex_);
    for (const mr_record& record : records) taken_.emplace_back(bytes_of(record.value));
    if (std::exchange(sought, true)) return MR_OK;
    EXPECT_TRUE(context->seek({to_mr("t"), 0, 0, 1}));
    return MR_OK;
  };
  launch(make({}));
  ASSERT_TRUE(eventually([&] { return taken().size() == 5 && committed("t") == 3; }));
  EXPECT_THAT(taken(), ElementsAre("one", "two", "three", "two", "three"));
}

TEST_F(SinkTaskTest, APausedSinkCommitsAndReadsNoMoreUntilItIsResumed) {
  write("t", {"one"});
  take_everything();
  std::atomic<int> closed{0};
  script_.close = [&](std::span<const mr_topic_partition> partitions) {
    closed += static_cast<int>(partitions.size());
  };
  launch(make({}));
  ASSERT_TRUE(eventually([&] { return taken().size() == 1; }));
  task_->set_paused(true);
  ASSERT_TRUE(eventually([&] { return state() == State::kPaused && committed("t") == 1; }));
  write("t", {"two"});
  int seen = 0;
  {
    std::lock_guard lock(mutex_);
    seen = empty_puts_;
  }
  ASSERT_TRUE(eventually([&] {
    std::lock_guard lock(mutex_);
    return empty_puts_ > seen;
  })) << "time goes on";
  EXPECT_EQ(taken().size(), 1U);
  EXPECT_EQ(closed, 0) << "it keeps its partitions";
  task_->set_paused(false);
  ASSERT_TRUE(eventually([&] { return taken().size() == 2 && state() == State::kRunning; }));
  stop();
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(committed("t"), 2);
}

TEST_F(SinkTaskTest, NothingBeyondWhatThePluginSaysIsDurableIsCommitted) {
  write("t", {"one", "two", "three"});
  take_everything();
  script_.flush = [](std::span<mr_topic_partition> offsets, mr_error*) -> int32_t {
    for (mr_topic_partition& offset : offsets) offset.offset = std::min<int64_t>(offset.offset, 2);
    return MR_OK;
  };
  launch(make({}));
  ASSERT_TRUE(eventually([&] { return committed("t") == 2; }));
  stop();
  EXPECT_EQ(committed("t"), 2);
}

}  // namespace
}  // namespace millrace
