#include "runtime/source_task.h"

#include <gmock/gmock.h>

#include "runtime/task_testing.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class SourceTaskTest : public TaskTest {
 protected:
  /// A task that emits what `records` says, one emit a record, in its first poll; later polls bring nothing.
  std::shared_ptr<SourceTask> make(ConfigMap config, const ConfigMap& worker = {}) {
    config.try_emplace("value.converter", "org.apache.kafka.connect.storage.StringConverter");
    SourceTask::Pipeline pipeline;
    pipeline.producer = *ProducerSettings::from(worker, config, "p");
    pipeline.converters = *ConverterSet::create(worker, config);
    pipeline.transforms = *TransformationChain::create(config);
    pipeline.topic_creation = *TopicCreation::from(worker, config);
    pipeline.exactly_once = *ExactlyOnce::from(worker, config, "c", 0, pipeline.producer);
    return std::make_shared<SourceTask>(plugin_, WorkerTask::Identity{"c", 0, "w"}, config, ErrorPolicy::from(config),
                                        Logger(), std::move(pipeline), SourceTask::Services{*client_, *offsets_});
  }
  void emit_once(std::vector<std::pair<std::string, std::string>> topics_and_texts) {
    script_.poll = [this, records = std::move(topics_and_texts)](mr_context* context, mr_error* error) -> int32_t {
      if (polls_++ > 0) {
        context->wait(std::chrono::milliseconds(1));
        return MR_OK;
      }
      int64_t number = 0;
      for (const auto& [topic, text] : records) {
        if (auto emitted = emit_text(*context, topic, text, ++number); !emitted) {
          fill_error(error, emitted.error());
          return static_cast<int32_t>(emitted.error().code);
        }
      }
      return MR_OK;
    };
  }
  SourceTask& task() { return static_cast<SourceTask&>(*task_); }
  bool commits_offset(const std::string& offset) {
    return eventually([&] {
      EXPECT_TRUE(task().commit_offsets());
      return source_offset() == offset;
    });
  }
  bool fails() {
    return eventually([&] { return state() == State::kFailed; });
  }
  const ConnectorPlugin plugin_ = scripted_plugin(ConnectorType::kSource);
  std::atomic<int> polls_{0};
  const ConfigMap exactly_once_ = {{"exactly.once.source.support", "enabled"}, {"group.id", "g"}};
};

TEST_F(SourceTaskTest, TransformationsRouteAndFilteredRecordsStillMoveTheOffset) {
  emit_once({{"a", "one"}, {"drop", "two"}});
  launch(make({{"transforms", "f,r"},
               {"transforms.f.type", "org.apache.kafka.connect.transforms.Filter"},
               {"transforms.f.predicate", "p"},
               {"transforms.r.type", "org.apache.kafka.connect.transforms.RegexRouter"},
               {"transforms.r.regex", "(.*)"},
               {"transforms.r.replacement", "$1-routed"},
               {"predicates", "p"},
               {"predicates.p.type", "org.apache.kafka.connect.transforms.predicates.TopicNameMatches"},
               {"predicates.p.pattern", "drop"}}));
  EXPECT_TRUE(commits_offset(R"({"n":2})")) << source_offset();
  EXPECT_THAT(values("a-routed"), ElementsAre("one"));
  EXPECT_EQ(used_topics(), (std::set<std::string>{"a-routed"}));
  EXPECT_EQ(task().metrics().polled.get(), 2);
  EXPECT_EQ(task().metrics().written.get(), 1);
  EXPECT_EQ(task().metrics().active.get(), 0);
}

TEST_F(SourceTaskTest, AConversionThatFailsFailsTheTaskAndSaysWhere) {
  emit_once({{"t", "text"}});
  launch(make({{"value.converter", "org.apache.kafka.connect.converters.ByteArrayConverter"}}));
  ASSERT_TRUE(fails());
  const std::string trace = task_->status().trace;
  EXPECT_THAT(trace,
              StartsWith("org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler"));
  EXPECT_THAT(trace, HasSubstr("VALUE_CONVERTER (org.apache.kafka.connect.converters.ByteArrayConverter)"));
  EXPECT_THAT(trace, HasSubstr("\nCaused by: org.apache.kafka.connect.errors.DataException: "));
  EXPECT_EQ(task().metrics().record_errors.get(), 1);
}

TEST_F(SourceTaskTest, SkippedRecordsDoNotMoveTheOffsetByThemselves) {
  emit_once({{"t", "text"}});
  launch(make({{"value.converter", "org.apache.kafka.connect.converters.ByteArrayConverter"},
               {"errors.tolerance", "all"},
               {"errors.log.enable", "true"},
               {"errors.log.include.messages", "true"}}));
  ASSERT_TRUE(eventually([&] { return polls_ > 3; }));
  ASSERT_TRUE(task().commit_offsets());
  EXPECT_EQ(source_offset(), "");
  EXPECT_EQ(state(), State::kRunning);
  EXPECT_EQ(task().metrics().records_skipped.get(), 1);
  EXPECT_EQ(task().metrics().errors_logged.get(), 1);
}

TEST_F(SourceTaskTest, ASkippedRecordTellsOfThoseBeforeItThatCameWithoutAnOffset) {
  script_.poll = [this](mr_context* context, mr_error*) -> int32_t {
    if (polls_++ > 0) {
      context->wait(std::chrono::milliseconds(1));
      return MR_OK;
    }
    TestRecord written(*context, "t", "", 1), skipped(*context, "t", "text", 2);
    mr_record records[] = {written.get(), skipped.get()};
    records[0].value = records[0].source_offset = Value{};
    records[0].value_schema = 0;
    EXPECT_TRUE(context->emit(records));
    return MR_OK;
  };
  launch(make(
      {{"value.converter", "org.apache.kafka.connect.converters.ByteArrayConverter"}, {"errors.tolerance", "all"}}));
  EXPECT_TRUE(commits_offset(R"({"n":2})"));
  EXPECT_EQ(task().metrics().records_skipped.get(), 1);
}

TEST_F(SourceTaskTest, ARecordAboveMaxRequestSizeIsAFailedSend) {
  emit_once({{"t", "one"}});
  launch(make({{"producer.override.max.request.size", "10"}}));
  ASSERT_TRUE(fails());
  EXPECT_THAT(
      task_->status().trace,
      StartsWith("org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send "
                 "callback\nCaused by: org.apache.kafka.common.errors.RecordTooLargeException: The message is "));
  stop();
  polls_ = 0;
  launch(make({{"producer.override.max.request.size", "10"}, {"errors.tolerance", "all"}}));
  EXPECT_TRUE(eventually([&] { return task().metrics().records_skipped.get() == 1; }));
}

TEST_F(SourceTaskTest, TopicsAreCreatedAsTheirGroupSays) {
  emit_once({{"big", "x"}, {"small", "y"}});
  launch(make({{"topic.creation.default.partitions", "1"},
               {"topic.creation.default.replication.factor", "1"},
               {"topic.creation.groups", "wide"},
               {"topic.creation.wide.include", "b.*"},
               {"topic.creation.wide.partitions", "4"},
               {"topic.creation.wide.cleanup.policy", "compact"}}));
  EXPECT_TRUE(commits_offset(R"({"n":2})"));
  EXPECT_EQ(client_->admin().describe_topic("big")->partitions, 4);
  EXPECT_EQ(client_->admin().describe_topic("big")->configs.at("cleanup.policy"), "compact");
  EXPECT_EQ(client_->admin().describe_topic("small")->partitions, 1);
}

TEST_F(SourceTaskTest, ExactlyOnceWritesAPollAndItsOffsetInOneTransaction) {
  std::atomic<bool> go{false};
  script_.poll = [&](mr_context* context, mr_error*) -> int32_t {
    if (polls_++ > 0) return context->wait(std::chrono::milliseconds(1)), MR_OK;
    EXPECT_TRUE(emit_text(*context, "t", "one", 1));
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    EXPECT_TRUE(emit_text(*context, "t", "two", 2));
    return MR_OK;
  };
  launch(make({}, exactly_once_));
  const auto end = [&] { return client_->admin().latest_offset({"t", 0}).value_or(0); };
  ASSERT_TRUE(eventually([&] { return end() == 1; })) << "the first record is in the log";
  EXPECT_THAT(values("t"), IsEmpty()) << "but the poll has not ended";
  go = true;
  ASSERT_TRUE(eventually([&] { return values("t").size() == 2; }));
  ASSERT_TRUE(eventually([&] { return source_offset() == R"({"n":2})"; }));
  EXPECT_EQ(values("connect-offsets").size(), 1U);
  EXPECT_EQ(task().metrics().transaction_size.max(), 2);
}

TEST_F(SourceTaskTest, ExactlyOnceDropsWhatAFailedPollHasEmitted) {
  script_.poll = [&](mr_context* context, mr_error* error) -> int32_t {
    EXPECT_TRUE(emit_text(*context, "t", "half", 1));
    return refuse(error, MR_INTERNAL, "broken");
  };
  launch(make({}, exactly_once_));
  ASSERT_TRUE(fails());
  stop();
  EXPECT_THAT(values("t"), IsEmpty());
  EXPECT_EQ(source_offset(), "");
}

TEST_F(SourceTaskTest, ConnectorsMayEndTransactionsThemselves) {
  script_.poll = [&](mr_context* context, mr_error*) -> int32_t {
    if (polls_++ > 0) return context->wait(std::chrono::milliseconds(1)), MR_OK;
    EXPECT_TRUE(context->defines_transactions());
    EXPECT_TRUE(emit_text(*context, "t", "kept", 1));
    EXPECT_TRUE(context->commit_transaction());
    EXPECT_TRUE(emit_text(*context, "t", "dropped", 2));
    EXPECT_TRUE(context->abort_transaction());
    EXPECT_TRUE(emit_text(*context, "t", "open at the end", 3));
    return MR_OK;
  };
  launch(make({{"transaction.boundary", "connector"}}, exactly_once_));
  ASSERT_TRUE(eventually([&] { return polls_ > 2; }));
  stop();
  EXPECT_THAT(values("t"), ElementsAre("kept"));
  EXPECT_EQ(source_offset(), R"({"n":1})");
}

TEST_F(SourceTaskTest, AnIntervalsTransactionIsCommittedAtPauseAndStop) {
  emit_once({{"t", "one"}});
  launch(make({{"transaction.boundary", "interval"}, {"transaction.boundary.interval.ms", "3600000"}}, exactly_once_));
  ASSERT_TRUE(eventually([&] { return polls_ > 2; }));
  EXPECT_THAT(values("t"), IsEmpty());
  task_->set_paused(true);
  ASSERT_TRUE(eventually([&] { return state() == State::kPaused; }));
  EXPECT_THAT(values("t"), ElementsAre("one"));
  EXPECT_EQ(source_offset(), R"({"n":1})");
}

TEST_F(SourceTaskTest, ATransactionWithABrokenEmitIsNotCommittedAtStop) {
  script_.poll = [&](mr_context* context, mr_error*) -> int32_t {
    if (polls_++ == 0) {
      EXPECT_TRUE(emit_text(*context, "t", "one", 1));
      EXPECT_FALSE(emit_text(*context, "connect-offsets", "refused", 2));  // and the plugin says nothing of it
    }
    context->wait(std::chrono::milliseconds(1));
    return MR_OK;
  };
  launch(make({{"transaction.boundary", "interval"}, {"transaction.boundary.interval.ms", "3600000"}}, exactly_once_));
  ASSERT_TRUE(eventually([&] { return polls_ > 2; }));
  stop();
  EXPECT_THAT(values("t"), IsEmpty()) << "the offset of 'one' would pass over what came after it";
  EXPECT_EQ(source_offset(), "");
}

TEST_F(SourceTaskTest, ProgressIsInTheStatusUntilToldAnew) {
  script_.poll = [&](mr_context* context, mr_error*) -> int32_t {
    const mr_progress items[] = {{to_mr("table"), to_mr("db.t"), 0}, {to_mr("rows"), {nullptr, 0}, 7}};
    context->set_progress({items, polls_++ == 0 ? size_t{1} : size_t{2}});
    context->wait(std::chrono::milliseconds(1));
    return MR_OK;
  };
  launch(make({}));
  ASSERT_TRUE(eventually([&] { return task_->status().progress.size() == 2; }));
  EXPECT_EQ(task_->status().progress[0].text, "db.t");
  EXPECT_EQ(task_->status().progress[1].number, 7);
  task_->request_stop();
  ASSERT_TRUE(task_->await_end(std::chrono::steady_clock::now() + std::chrono::seconds(30)));
  EXPECT_TRUE(task_->status().progress.empty());
}

TEST_F(SourceTaskTest, SignalsWaitForAPluginThatAsks) {
  std::atomic<bool> asks = false;
  Guarded<std::vector<std::string>> taken;
  script_.poll = [&](mr_context* context, mr_error*) -> int32_t {
    while (asks) {
      const mr_str signal = context->take_signal();
      if (signal.data == nullptr) break;
      taken.with([&](auto& list) { list.emplace_back(signal.data, signal.size); });
    }
    context->wait(std::chrono::milliseconds(1));
    return MR_OK;
  };
  launch(make({}));
  ASSERT_TRUE(eventually([&] { return task_->status().state == State::kRunning; }));
  EXPECT_EQ(task_->post_signal(R"({"type":"log"})").error().code, ErrorCode::kConflict);
  asks = true;
  ASSERT_TRUE(eventually([&] { return task_->post_signal(R"({"type":"first"})").has_value(); }));
  ASSERT_TRUE(task_->post_signal(R"({"type":"second"})").has_value());
  ASSERT_TRUE(eventually([&] { return taken.with([](auto& list) { return list.size() == 2; }); }));
  EXPECT_THAT(taken.with([](auto& list) { return list; }),
              ::testing::ElementsAre(R"({"type":"first"})", R"({"type":"second"})"));
  task_->request_stop();
  ASSERT_TRUE(task_->await_end(std::chrono::steady_clock::now() + std::chrono::seconds(30)));
  EXPECT_EQ(task_->post_signal(R"({"type":"late"})").error().code, ErrorCode::kConflict);
}

TEST_F(SourceTaskTest, ASourceMayNotWriteToItsOwnOffsetsInTransactions) {
  emit_once({{"connect-offsets", "x"}});
  launch(make({}, exactly_once_));
  ASSERT_TRUE(fails());
  EXPECT_THAT(task_->status().trace, HasSubstr("Source tasks may not produce to their own offsets topics when "
                                               "exactly-once support is enabled"));
}

}  // namespace
}  // namespace millrace
