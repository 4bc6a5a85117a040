#include "runtime/herder/local_herder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <future>
#include <thread>

#include "client/embedded_log_client.h"
#include "core/clock.h"
#include "runtime/herder/fake_connector.h"
#include "runtime/herder/internal_topics.h"
#include "runtime/metrics/metrics_page.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

template <class F>
bool eventually(F&& condition) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

/// A worker without REST: the herder on a log in a folder of its own.
class LocalHerderTest : public ::testing::Test {
 protected:
  LocalHerderTest() : plugins_(files_, plugin_host_table(), {}) {
    std::string name = (std::filesystem::temp_directory_path() / "millrace-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    plugins_.add(fake_connector_plugin());
  }
  ~LocalHerderTest() override {
    close();
    std::filesystem::remove_all(folder_);
  }

  void open(WorkerMode mode, ConfigMap more = {}) {
    ConfigMap settings = {{"key.converter", "org.apache.kafka.connect.json.JsonConverter"},
                          {"value.converter", "org.apache.kafka.connect.json.JsonConverter"},
                          {"offset.storage.file.filename", (folder_ / "offsets").string()},
                          {"bootstrap.servers", "localhost:9092"},
                          {"group.id", "workers"},
                          {"config.storage.topic", "connect-configs"},
                          {"offset.storage.topic", "connect-offsets"},
                          {"status.storage.topic", "connect-status"}};
    for (auto& [key, value] : more) settings[key] = value;
    auto config = WorkerConfig::parse(settings, mode, files_);
    ASSERT_TRUE(config) << config.error().message;
    config_ = std::move(*config);
    auto client = EmbeddedLogClient::open(files_, clock_, {.directory = folder_ / "log"}, {});
    ASSERT_TRUE(client) << error_trace(client.error());
    client_ = std::move(*client);
    const InternalTopics topics = internal_topics(config_);
    configs_ = std::make_unique<ConfigStore>(*TopicStore::open(*client_, topics.config));
    offsets_ = std::make_unique<OffsetStore>(*TopicStore::open(*client_, topics.offset));
    statuses_ = std::make_unique<StatusStore>(*TopicStore::open(*client_, topics.status),
                                              StatusStore::Identity{"here:8083", 1}, Logger());
    auto providers = ConfigProviders::create(config_.all, files_);
    ASSERT_TRUE(providers) << providers.error().message;
    herder_ = std::make_unique<LocalHerder>(
        config_, "here:8083", WorkerInfo{},
        LocalHerder::Services{*client_, plugins_, *offsets_, *configs_, *statuses_, std::move(*providers)}, Logger());
    herder_->start({});
  }
  void close() {
    herder_.reset();
    statuses_.reset();
    offsets_.reset();
    configs_.reset();
    client_.reset();
  }

  Expected<Herder::Created> put(const std::string& name, RawConfig settings = {},
                                TargetState initial = TargetState::kStarted, bool replace = true) {
    settings["connector.class"] = "FakeConnector";
    settings["name"] = name;
    return herder_->put_connector(name, settings, initial, replace);
  }
  std::vector<State> states(const std::string& name) {
    const auto status = herder_->connector_status(name);
    if (!status) return {};
    std::vector<State> found = {status->connector.state};
    for (const auto& task : status->tasks) found.push_back(task.state);
    return found;
  }
  bool reaches(const std::string& name, const std::vector<State>& wanted) {
    return eventually([&] { return states(name) == wanted; });
  }
  /// What a reader of the topic finds now.
  std::map<std::string, std::string> topic(const std::string& name) {
    statuses_->flush();
    return (*TopicStore::open(*client_, {.topic = name}))->with_prefix("");
  }

  FakeWorld world_;
  PosixFileSystem files_;
  SystemClock clock_;
  Path folder_;
  PluginHost plugins_;
  WorkerConfig config_;
  std::unique_ptr<EmbeddedLogClient> client_;
  std::unique_ptr<ConfigStore> configs_;
  std::unique_ptr<OffsetStore> offsets_;
  std::unique_ptr<StatusStore> statuses_;
  std::unique_ptr<LocalHerder> herder_;
};

const std::vector<State> kRunning = {State::kRunning, State::kRunning};

TEST_F(LocalHerderTest, AloneACreationAnswersWithItsTasks) {
  open(WorkerMode::kStandalone);
  const auto created = put("a", {{"tasks", "2"}, {"tasks.max", "2"}});
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_TRUE(created->created);
  EXPECT_EQ(created->info.tasks, (std::vector<int>{0, 1}));
  EXPECT_TRUE(reaches("a", {State::kRunning, State::kRunning, State::kRunning}));
}

TEST_F(LocalHerderTest, DistributedACreationAnswersBeforeTheStart) {
  open(WorkerMode::kDistributed);
  const auto created = put("a", {{"start.waits", "true"}});
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_TRUE(created->info.tasks.empty());
  EXPECT_FALSE(herder_->connector_status("a"));
  ASSERT_TRUE(put("stopped", {}, TargetState::kStopped));
  EXPECT_EQ(states("stopped"), std::vector<State>{State::kStopped});
  world_.open_gate();
  EXPECT_TRUE(reaches("a", kRunning));
}

TEST_F(LocalHerderTest, ASlowStartHoldsUpNoOtherConnector) {
  for (const WorkerMode mode : {WorkerMode::kStandalone, WorkerMode::kDistributed}) {
    open(mode);
    auto slow = std::async(std::launch::async, [&] { return put("slow", {{"start.waits", "true"}}); });
    ASSERT_TRUE(world_.wait_for("start slow", 1));
    ASSERT_TRUE(put("quick"));
    EXPECT_TRUE(reaches("quick", kRunning));
    ASSERT_TRUE(herder_->set_target_state("quick", TargetState::kPaused));
    EXPECT_TRUE(reaches("quick", {State::kPaused, State::kPaused}));
    ASSERT_TRUE(herder_->restart_connector("quick", {.include_tasks = true}));
    EXPECT_TRUE(herder_->connector_info("slow")) << "reading never waits";
    EXPECT_EQ(herder_->connector_status("slow").error().message, "No status found for connector slow");
    ASSERT_TRUE(herder_->delete_connector("quick"));
    // To delete it ends the wait, too: the gate is still shut.
    ASSERT_TRUE(herder_->delete_connector("slow"));
    EXPECT_TRUE(slow.get());
    EXPECT_FALSE(herder_->connector_status("slow"));
    close();
    std::filesystem::remove_all(folder_ / "log");
  }
}

TEST_F(LocalHerderTest, AConnectorThatDoesNotStopIsLeftBehind) {
  open(WorkerMode::kStandalone, {{"task.shutdown.graceful.timeout.ms", "50"}});
  ASSERT_TRUE(put("a", {{"stop.waits", "true"}}));
  ASSERT_TRUE(herder_->delete_connector("a"));
  EXPECT_TRUE(herder_->connectors()->empty());
  EXPECT_TRUE(herder_->left_behind());
  world_.note("stop");
  EXPECT_TRUE(eventually([&] { return !herder_->left_behind(); }));
}

TEST_F(LocalHerderTest, AStopOfTheWorkerInterruptsAStartWithoutAFailure) {
  open(WorkerMode::kDistributed);
  ASSERT_TRUE(put("a", {{"start.waits", "true"}}));
  ASSERT_TRUE(world_.wait_for("start a", 1));
  herder_->stop();
  EXPECT_EQ(states("a"), std::vector<State>{State::kUnassigned});
  EXPECT_NE(topic("connect-status").at("status-connector-a").find("UNASSIGNED"), std::string::npos);
}

TEST_F(LocalHerderTest, ManyOperationsOnManyConnectorsSideBySide) {
  open(WorkerMode::kDistributed);
  std::vector<std::future<void>> users;
  for (int user = 0; user < 4; ++user) {
    users.push_back(std::async(std::launch::async, [&, user] {
      const std::string own = "c" + std::to_string(user);
      for (int round = 0; round < 10; ++round) {
        EXPECT_TRUE(put(own, {{"round", std::to_string(round)}}));
        EXPECT_TRUE(put("shared", {{"round", std::to_string(user * 100 + round)}}));
        EXPECT_TRUE(herder_->set_target_state(own, TargetState::kStopped));
        EXPECT_TRUE(herder_->set_target_state(own, TargetState::kStarted));
        (void)herder_->restart_connector("shared", {.include_tasks = true});
        EXPECT_TRUE(herder_->delete_connector(own));
      }
    }));
  }
  for (auto& user : users) user.get();
  EXPECT_EQ(*herder_->connectors(), std::vector<std::string>{"shared"});
  EXPECT_TRUE(reaches("shared", kRunning));
}

TEST_F(LocalHerderTest, AStartThatFailsInPassingIsTriedAgain) {
  open(WorkerMode::kStandalone);
  ASSERT_TRUE(put("a", {{"start.fails", "unavailable"}, {"start.failures", "2"}}));
  EXPECT_EQ(states("a").front(), State::kFailed);
  EXPECT_EQ(herder_->connector_status("a")->connector.restarts, 1);
  EXPECT_TRUE(reaches("a", kRunning));
  EXPECT_EQ(world_.count("start a"), 3);
  EXPECT_EQ(herder_->connector_status("a")->connector.restarts, 0);
}

TEST_F(LocalHerderTest, APermanentFailureAndRestartNoneStayFailed) {
  open(WorkerMode::kStandalone);
  ASSERT_TRUE(put("internal", {{"start.fails", "internal"}}));
  ASSERT_TRUE(put("none", {{"start.fails", "unavailable"}, {"millrace.restart", "none"}}));
  ASSERT_TRUE(put("again", {{"start.fails", "unavailable"}}));
  ASSERT_TRUE(world_.wait_for("start again", 3));
  EXPECT_EQ(world_.count("start internal"), 1);
  EXPECT_EQ(world_.count("start none"), 1);
  const auto status = herder_->connector_status("internal");
  EXPECT_EQ(status->connector.state, State::kFailed);
  EXPECT_NE(status->connector.trace.find("as told: internal"), std::string::npos);
  const auto restarted = herder_->restart_connector("internal", {});
  ASSERT_FALSE(restarted);
  EXPECT_EQ(restarted.error().message, "Failed to start connector: internal");
}

TEST_F(LocalHerderTest, FailedTasksRestartByThemselvesOnlyWhenTheCauseMayPass) {
  open(WorkerMode::kStandalone);
  ASSERT_TRUE(put("passing", {{"task.fails", "unavailable"}}));
  ASSERT_TRUE(put("lasting", {{"task.fails", "internal"}}));
  ASSERT_TRUE(world_.wait_for("task passing", 3));
  EXPECT_TRUE(reaches("lasting", {State::kRunning, State::kFailed}));
  EXPECT_EQ(world_.count("task lasting"), 1);
  EXPECT_GE(herder_->task_status("passing", 0)->restarts, 2);
}

TEST_F(LocalHerderTest, ARestartPlanNamesWhatWillRestart) {
  open(WorkerMode::kDistributed);
  ASSERT_TRUE(put("a", {{"task.fails", "internal"}}));
  ASSERT_TRUE(reaches("a", {State::kRunning, State::kFailed}));
  const auto nothing = herder_->restart_connector("a", {.only_failed = true});
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->connector.state, State::kRunning);
  EXPECT_EQ(nothing->tasks[0].state, State::kFailed);
  const auto failed = herder_->restart_connector("a", {.include_tasks = true, .only_failed = true});
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->connector.state, State::kRunning);
  EXPECT_EQ(failed->tasks[0].state, State::kRestarting);
  EXPECT_FALSE(failed->tasks[0].trace.empty()) << "the old trace is still shown";
  ASSERT_TRUE(world_.wait_for("task a", 2));
  EXPECT_TRUE(reaches("a", {State::kRunning, State::kFailed}));
  EXPECT_EQ(topic("connect-configs").at("restart-connector-a"), R"({"include-tasks":true,"only-failed":true})");
  EXPECT_EQ(world_.count("start a"), 1);
}

TEST_F(LocalHerderTest, TasksThatAreNotThere) {
  open(WorkerMode::kDistributed);
  ASSERT_TRUE(put("a"));
  ASSERT_TRUE(reaches("a", kRunning));
  EXPECT_EQ(herder_->restart_task("a", 7).error().message, "Unknown task: a-7");
  EXPECT_EQ(herder_->restart_task("b", 0).error().message, "Unknown connector: b");
  ASSERT_TRUE(herder_->set_target_state("a", TargetState::kStopped));
  EXPECT_EQ(herder_->restart_task("a", 0).error().code, ErrorCode::kConflict);
  close();
  open(WorkerMode::kStandalone);
  ASSERT_TRUE(reaches("a", {State::kStopped}));
  EXPECT_EQ(herder_->restart_task("a", 0).error().message, "Task a-0 not found");
}

TEST_F(LocalHerderTest, TheTopicsHoldConnectsRecords) {
  open(WorkerMode::kDistributed);
  ASSERT_TRUE(put("a", {{"emits", "numbers"}}));
  ASSERT_TRUE(eventually([&] { return !herder_->active_topics("a")->empty(); }));
  auto configs = topic("connect-configs");
  EXPECT_EQ(configs.at("target-state-a"), R"({"state":"STARTED","state.v2":"STARTED"})");
  EXPECT_EQ(configs.at("commit-a"), R"({"tasks":1})");
  EXPECT_EQ(configs.at("connector-a"),
            R"({"properties":{"connector.class":"FakeConnector","emits":"numbers","name":"a"}})");
  EXPECT_NE(configs.at("task-a-0").find(R"("number":"0")"), std::string::npos);
  ASSERT_TRUE(reaches("a", kRunning));
  auto statuses = topic("connect-status");
  const std::string running = R"({"state":"RUNNING","trace":null,"worker_id":"here:8083","generation":1})";
  EXPECT_EQ(statuses.at("status-connector-a"), running);
  EXPECT_EQ(statuses.at("status-task-a-0"), running);
  EXPECT_TRUE(statuses.at("status-topic-numbers:connector-a")
                  .starts_with(R"({"topic":{"name":"numbers","connector":"a","task":0,"discoverTimestamp":)"));
  ASSERT_TRUE(herder_->set_target_state("a", TargetState::kStopped));
  configs = topic("connect-configs");
  EXPECT_EQ(configs.at("target-state-a"), R"({"state":"PAUSED","state.v2":"STOPPED"})");
  EXPECT_EQ(configs.at("commit-a"), R"({"tasks":0})");
  EXPECT_FALSE(topic("connect-status").contains("status-task-a-0"));
  ASSERT_TRUE(herder_->delete_connector("a"));
  EXPECT_FALSE(topic("connect-configs").contains("connector-a"));
  EXPECT_FALSE(topic("connect-configs").contains("target-state-a"));
  EXPECT_TRUE(topic("connect-status").empty());
}

TEST_F(LocalHerderTest, StatesAndTopicsAreReadBack) {
  open(WorkerMode::kDistributed);
  ASSERT_TRUE(put("runs", {{"emits", "numbers"}}));
  ASSERT_TRUE(put("paused"));
  ASSERT_TRUE(put("fails", {{"start.fails", "internal"}}));
  ASSERT_TRUE(eventually([&] { return !herder_->active_topics("runs")->empty(); }));
  ASSERT_TRUE(reaches("paused", kRunning));
  ASSERT_TRUE(reaches("fails", {State::kFailed}));
  ASSERT_TRUE(herder_->set_target_state("paused", TargetState::kPaused));
  herder_->stop();
  EXPECT_NE(topic("connect-status").at("status-connector-runs").find("UNASSIGNED"), std::string::npos);
  EXPECT_NE(topic("connect-status").at("status-task-runs-0").find("UNASSIGNED"), std::string::npos);
  close();
  open(WorkerMode::kDistributed);
  EXPECT_EQ(herder_->active_topics("runs"), std::vector<std::string>{"numbers"});
  EXPECT_EQ(states("fails"), std::vector<State>{State::kFailed});
  EXPECT_TRUE(reaches("runs", kRunning));
  EXPECT_TRUE(reaches("paused", {State::kPaused, State::kPaused})) << "tasks are there and idle";
  ASSERT_TRUE(herder_->reset_active_topics("runs"));
  EXPECT_TRUE(herder_->active_topics("runs")->empty());
}

TEST_F(LocalHerderTest, TopicTrackingCanBeOff) {
  open(WorkerMode::kStandalone, {{"topic.tracking.enable", "false"}});
  EXPECT_EQ(herder_->active_topics("a").error().message, "Topic tracking is disabled.");
  EXPECT_EQ(herder_->reset_active_topics("a").error().message, "Topic tracking is disabled.");
  close();
  open(WorkerMode::kStandalone, {{"topic.tracking.allow.reset", "false"}});
  EXPECT_TRUE(herder_->active_topics("a"));
  EXPECT_EQ(herder_->reset_active_topics("a").error().message, "Topic tracking reset is disabled.");
}

TEST_F(LocalHerderTest, SecretsAreResolvedLateAndNeverShown) {
  const std::string secrets = (folder_ / "secrets.properties").string();
  ASSERT_TRUE(files_.write_file_atomically(secrets, "password=sesame\n"));
  open(WorkerMode::kStandalone,
       {{"config.providers", "file"},
        {"config.providers.file.class", "org.apache.kafka.common.config.provider.FileConfigProvider"}});
  const std::string variable = "${file:" + secrets + ":password}";
  const auto created = put("a", {{"password", variable}});
  ASSERT_TRUE(created) << created.error().message;
  ASSERT_TRUE(world_.wait_for("password sesame", 1));
  EXPECT_EQ(created->info.config.at("password"), variable);
  EXPECT_EQ(herder_->task_configs("a")->front().config.at("password"), variable);
  for (const auto& [key, value] : topic("connect-configs")) EXPECT_EQ(value.find("sesame"), std::string::npos) << key;
  ASSERT_TRUE(files_.write_file_atomically(secrets, "password=open\n"));
  ASSERT_TRUE(herder_->restart_task("a", 0));
  ASSERT_TRUE(world_.wait_for("password open", 1));
  ASSERT_TRUE(files_.remove(secrets));
  EXPECT_EQ(herder_->restart_connector("a", {}).error().message, "Could not read properties from file " + secrets);
  EXPECT_TRUE(reaches("a", {State::kUnassigned, State::kRunning})) << "the task goes on";
}

TEST_F(LocalHerderTest, OffsetsOfAStoppedSource) {
  open(WorkerMode::kStandalone);
  ASSERT_TRUE(put("a"));
  const std::vector<ConnectorOffset> change = {{R"({"file":"x"})", R"({"position":3})"}};
  EXPECT_EQ(herder_->alter_offsets("a", change).error().code, ErrorCode::kInvalidConfig);
  EXPECT_EQ(herder_->alter_offsets("b", {}).error().code, ErrorCode::kInvalidConfig) << "the list is looked at first";
  EXPECT_EQ(herder_->alter_offsets("b", change).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(herder_->set_target_state("a", TargetState::kStopped));
  ASSERT_TRUE(herder_->alter_offsets("a", change));
  ASSERT_EQ(herder_->offsets("a")->size(), 1u);
  EXPECT_EQ(herder_->offsets("a")->front().offset, R"({"position":3})");
  const auto refused = herder_->alter_offsets("a", {{R"({"file":"x"})", R"({"a":3,"b":4})"}});
  EXPECT_EQ(refused.error().code, ErrorCode::kInternal);
  ASSERT_TRUE(herder_->reset_offsets("a"));
  EXPECT_TRUE(herder_->offsets("a")->empty());
}

TEST_F(LocalHerderTest, TheOffsetFileLeadsInAndOut) {
  const Path path = folder_ / "offsets";
  ASSERT_TRUE(write_offset_file(
      files_, path, {{R"(["a",{"file":"x"}])", R"({"position":3})"}, {R"(["a",{"f":1,"g":2}])", R"({"position":4})"}}));
  open(WorkerMode::kStandalone);
  ASSERT_TRUE(offsets_->write_json("a", {{R"({"g":2,"f":1})", R"({"position":9})"}}));
  OffsetFileKeeper keeper(files_, path, *offsets_, 1h, {});
  ASSERT_TRUE(keeper.import());
  const auto all = offsets_->all("a");
  EXPECT_EQ(all.size(), 2u) << "what the store knows wins, whatever the order of members";
  ASSERT_TRUE(offsets_->write_json("a", {{R"({"file":"x"})", R"({"position":5})"}}));
  keeper.tick();  // the first write needs no interval to have passed
  EXPECT_EQ(read_offset_file(files_, path)->at(R"(["a",{"file":"x"}])"), R"({"position":5})");
  ASSERT_TRUE(offsets_->write_json("a", {{R"({"file":"x"})", R"({"position":6})"}}));
  keeper.tick();
  EXPECT_EQ(read_offset_file(files_, path)->at(R"(["a",{"file":"x"}])"), R"({"position":5})") << "not before the hour";
  keeper.flush();
  EXPECT_EQ(read_offset_file(files_, path)->at(R"(["a",{"file":"x"}])"), R"({"position":6})");
}

// ---- what /metrics shows

TEST_F(LocalHerderTest, MetricsAndStageDoNotWaitForAStart) {
  open(WorkerMode::kDistributed);
  const MetricsPage page(config_, "3.9.1", "c", clock_);
  ASSERT_TRUE(put("quick"));
  ASSERT_TRUE(reaches("quick", kRunning));
  ASSERT_TRUE(put("slow", {{"start.waits", "true"}}));
  ASSERT_TRUE(world_.wait_for("start slow", 1));
  EXPECT_THAT(herder_->stage(), HasSubstr("The worker is currently starting connector slow, which began at 20"));
  const std::string text = page.render(herder_.get());
  EXPECT_THAT(text, HasSubstr(R"(kafka_connect_connector_metrics_status{connector="slow",status="unassigned"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(kafka_connect_connector_metrics_status{connector="quick",status="running"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(kafka_connect_connector_metrics_status{connector="quick",status="failed"} 0)"));
  EXPECT_THAT(text, HasSubstr("kafka_connect_connect_worker_metrics_connector_startup_attempts_total 1\n"));
  EXPECT_THAT(text, HasSubstr(R"(connect_worker_rebalance_metrics_info{connect_protocol="sessioned",leader_name="h)"));
  world_.open_gate();
  ASSERT_TRUE(reaches("slow", kRunning));
  EXPECT_TRUE(eventually([&] { return herder_->stage().starts_with("The last operation the worker completed was "); }));
}

TEST_F(LocalHerderTest, FailedStartsAreCounted) {
  open(WorkerMode::kStandalone);
  ASSERT_TRUE(put("broken", {{"start.fails", "internal"}}));
  ASSERT_TRUE(put("half", {{"task.fails", "internal"}, {"tasks", "2"}, {"tasks.max", "2"}}));
  ASSERT_TRUE(put("fine"));
  ASSERT_TRUE(reaches("half", {State::kRunning, State::kFailed, State::kFailed}));
  ASSERT_TRUE(reaches("fine", kRunning));
  EXPECT_EQ(herder_->startups().connectors.successes.get(), 2);
  EXPECT_EQ(herder_->startups().connectors.failures.get(), 1);
  EXPECT_TRUE(eventually([&] { return herder_->startups().tasks.failures.get() == 2; }));
  EXPECT_TRUE(eventually([&] { return herder_->startups().tasks.successes.get() == 1; }));
  const std::string text = MetricsPage(config_, "3.9.1", "c", clock_).render(herder_.get());
  EXPECT_THAT(text, HasSubstr(R"(connector_failed_task_count{connector="half"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(connector_task_metrics_status{connector="half",task="1",status="failed"} 1)"));
  EXPECT_THAT(text, HasSubstr("connect_worker_metrics_task_count 3\n"));
  EXPECT_THAT(text, Not(HasSubstr("rebalance"))) << "Kafka has that group in distributed workers only";
}

}  // namespace
}  // namespace millrace
