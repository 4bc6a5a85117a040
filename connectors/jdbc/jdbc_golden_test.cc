/// Replays the recorded cases of Confluent's connectors (golden/jdbc) through the fake host.
/// Left to the worker's tests: cases with transforms, converters' refusals and texts that the worker writes.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <thread>

#include "connectors/jdbc/golden_json.h"
#include "connectors/jdbc/golden_servers.h"

extern "C" const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept;

namespace millrace::jdbc::golden {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

fs::path root() {
  if (const char* given = std::getenv("MILLRACE_GOLDEN"); given != nullptr) return fs::path(given) / "jdbc";
  const fs::path shared = fs::path(MILLRACE_SOURCE_DIR) / "../shared/golden/jdbc";
  return fs::exists(shared) ? shared : fs::path(MILLRACE_SOURCE_DIR) / "tests/golden/jdbc";
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

std::set<std::string> known_differences() {
  std::set<std::string> cases;
  std::ifstream file(fs::path(MILLRACE_SOURCE_DIR) / "tests/golden/known-differences.json");
  if (!file) return cases;
  for (const Json& entry : Json::parse(file)) cases.insert(entry.at("case").get<std::string>());
  return cases;
}

/// One recorded case against the server. problems() is empty when all is as recorded.
class Replay {
 public:
  Replay(const Server& server, Json recorded) : server_(server), case_(std::move(recorded)) {
    database_ = case_.value("database", "");
    host_.on_wait([](int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(std::min<int64_t>(ms, 2))); });
    for (const auto& [key, value] : case_.at("config").items()) settings_[key] = resolved(value.get<std::string>());
    connector_ = FakeHost::connector(mr_plugin, settings_.at("connector.class"));
    // The worker's work: a report succeeds only with errors.tolerance=all and somewhere to report to.
    host_.refuse_reports(setting("errors.tolerance") != "all" || setting("errors.deadletterqueue.topic.name").empty());
  }

  const std::vector<std::string>& run() {
    if (!database_.empty()) {
      sql(server_.create_database(database_), "");
    }
    std::vector<std::string> setup = server_.prologue();
    for (const Json& statement : case_.value("setup", Json::array())) setup.push_back(resolved(statement));
    if (!database_.empty()) sql(setup, database_);
    if (case_.contains("validate") || case_.contains("create_error")) {
      validate();
    } else if (case_.at("kind") == "source") {
      source();
    } else {
      sink();
    }
    for (const Json& statement : case_.value("teardown", Json::array())) server_.run({resolved(statement)}, database_);
    if (!database_.empty()) server_.run(server_.drop_database(database_), "");
    return problems_;
  }

 private:
  std::string setting(const std::string& key) const { return settings_.contains(key) ? settings_.at(key) : ""; }
  std::string resolved(std::string text) const {
    replace_all(text, "${URL}", server_.url(case_.value("dialect", ""), database_));
    replace_all(text, "${USER}", server_.user());
    replace_all(text, "${PASSWORD}", server_.password());
    replace_all(text, "${DATABASE}", database_);
    replace_all(text, "${HOSTPORT}", server_.host_port());
    replace_all(text, "${TOPIC_PREFIX}", "p_");
    replace_all(text, "${NAME}", "test-connector");
    return text;
  }
  void sql(const std::vector<std::string>& statements, const std::string& database) {
    if (const std::string error = server_.run(statements, database); !error.empty())
      problems_.push_back("setup: " + error);
  }
  void differ(const std::string& what, const std::string& expected, const std::string& actual) {
    problems_.push_back(what + "\n    recorded " + expected.substr(0, 1500) + "\n    got      " +
                        actual.substr(0, 1500));
  }

  // ---- validation

  void validate() {
    std::map<std::string, std::vector<std::string>> found;
    for (size_t i = 0; i < connector_->config_count; ++i) {
      const mr_config_key& key = connector_->config[i];
      const std::string name(sdk::view(key.name));
      mr_error error{};
      if (key.check == nullptr || !settings_.contains(name) || key.check(sdk::to_mr(settings_[name]), &error) == MR_OK)
        continue;
      found[name].push_back(error.message);
    }
    if (found.empty()) {
      std::vector<mr_pair> pairs;
      for (const auto& [key, value] : settings_) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
      const mr_config config{pairs.data(), pairs.size()};
      mr_error error{};
      connector_->validate(host_.context(), &config, &error);
      for (const auto& problem : host_.config_errors()) found[problem.key].push_back(problem.message);
    }
    if (case_.contains("create_error")) {
      const std::string message = resolved(case_["create_error"]["message"]);
      for (const auto& [key, messages] : found) {
        const std::string own = messages[0].substr(0, 60);
        if (message.find(own) == std::string::npos) differ("create_error", message, messages[0]);
      }
      if (found.empty()) differ("create_error", message, "no error");
      return;
    }
    for (const auto& [key, messages] : case_["validate"]["errors"].items()) {
      for (const Json& message : messages) compare_message(key, resolved(message), found);
      found.erase(key);
    }
    for (const auto& [key, messages] : found) differ("validate " + key, "no error", messages[0]);
  }

  void compare_message(const std::string& key, const std::string& expected,
                       std::map<std::string, std::vector<std::string>>& found) {
    // What the worker itself says about types, required keys and its own settings is tested there.
    if (expected.find("Not a number") != std::string::npos || expected.find("Missing required") != std::string::npos ||
        key == "tasks.max" || key.starts_with("topics") || expected.find("must be non-null") != std::string::npos) {
      return;
    }
    std::string part = expected;
    if (const size_t at = part.find(" for configuration " + key + ": ");
        part.starts_with("Invalid value ") && at != std::string::npos) {
      part = part.substr(at + 20 + key.size() + 1);
    }
    if (part.starts_with("Could not connect to database. "))
      part = part.find("Access denied") != std::string::npos ? part.substr(part.find("Access denied"))
                                                             : "Could not connect";
    for (const std::string& message : found[key]) {
      if (message.find(part) != std::string::npos) return;
    }
    differ("validate " + key, expected, found[key].empty() ? "no error" : found[key][0]);
  }

  // ---- source

  bool start_tasks() {
    tasks_.clear();
    for (const auto& config : host_.task_configs()) {
      auto task = std::make_unique<sdk::TaskRunner>(host_, connector_, config);
      const Status status = task->start();
      if (!status.ok()) failure_ = status.message();
      if (status.ok()) tasks_.push_back(std::move(task));
    }
    return failure_.empty();
  }
  using Status = sdk::Status;

  void poll_once() {
    for (const auto& task : tasks_) {
      const Status status = task->poll();
      if (!status.ok() && status.code() != sdk::Code::kUnavailable) failure_ = status.message();
      if (!failure_.empty()) return;
    }
  }

  template <class Condition>
  void poll_until(Condition condition, int64_t ms) {
    const auto deadline = Clock::now() + std::chrono::milliseconds(ms);
    while (!condition() && failure_.empty() && Clock::now() < deadline) poll_once();
  }

  void source() {
    connector_runner_ = std::make_unique<sdk::ConnectorRunner>(host_, connector_);
    Status status = connector_runner_->start(settings_);
    if (status.ok())
      status = connector_runner_->task_configs(std::stoi(setting("tasks.max").empty() ? "1" : setting("tasks.max")));
    if (status.ok()) {
      start_tasks();
    } else {
      failure_ = status.message();
    }
    for (const Json& step : case_.value("steps", Json::array())) source_step(step);
    for (int i = 0; i < 3 && failure_.empty(); ++i) poll_once();
    tasks_.clear();
    (void)connector_runner_->stop();
    compare_state();
    compare_records();
    compare_offsets();
  }

  void reconfigure() {
    if (host_.reconfiguration_requests() == reconfigured_) return;
    reconfigured_ = host_.reconfiguration_requests();
    host_.store_emitted_offsets();
    const size_t old = host_.task_configs().size();
    (void)connector_runner_->task_configs(std::stoi(setting("tasks.max").empty() ? "1" : setting("tasks.max")));
    tasks_.clear();
    for (size_t i = old; i < host_.task_configs().size(); ++i) {
      auto task = std::make_unique<sdk::TaskRunner>(host_, connector_, host_.task_configs()[i]);
      const Status s = task->start();
      if (!s.ok()) failure_ = s.message();
      if (s.ok()) tasks_.push_back(std::move(task));
    }
  }

  void source_step(const Json& step) {
    if (step.contains("sql")) {
      std::vector<std::string> statements = server_.prologue();
      for (const Json& statement : step["sql"]) statements.push_back(resolved(statement));
      sql(statements, database_);
    } else if (step.contains("expect_records")) {
      poll_until(
          [&] {
            reconfigure();
            return host_.records().size() >= step["expect_records"].get<size_t>();
          },
          15'000);
    } else if (step.contains("expect_state")) {
      poll_until([] { return false; }, 5'000);
    } else if (step.contains("sleep_ms")) {
      poll_until([] { return false; }, std::min<int64_t>(step["sleep_ms"].get<int64_t>(), 3000));
    } else if (step.contains("restart") || step.contains("alter_offsets")) {
      host_.store_emitted_offsets();
      for (const auto& record : host_.records()) {
        if (step.value("reset_first", false)) host_.store_offset(record.source_partition, sdk::OwnedValue());
      }
      for (const Json& offset : step.value("alter_offsets", Json::array())) {
        host_.store_offset(map_of(offset.at("partition")), map_of(offset.at("offset")));
      }
      start_tasks();
    }
  }

  sdk::OwnedValue map_of(const Json& json) const {
    std::vector<mr_value> entries;
    std::deque<std::string> texts;
    for (const auto& [key, value] : json.items()) {
      entries.push_back(sdk::string_value(texts.emplace_back(key)));
      entries.push_back(value.is_string() ? sdk::string_value(texts.emplace_back(resolved(value)))
                                          : sdk::int_value(MR_INT64, value));
    }
    return sdk::OwnedValue(sdk::map_value(entries));
  }

  void compare_state() {
    const bool failed =
        case_["state"]["connector"] == "FAILED" || case_["state"]["tasks"].dump().find("FAILED") != std::string::npos;
    if (failed && failure_.empty()) differ("state", "FAILED: " + case_.value("trace_first_line", ""), "RUNNING");
    if (!failed && !failure_.empty()) differ("state", "RUNNING", "FAILED: " + failure_);
    if (!failed || failure_.empty()) return;
    std::vector<std::string> lines = {case_.value("trace_first_line", "")};
    for (const Json& line : case_.value("trace_caused_by", Json::array())) lines.push_back(line);
    std::string last = resolved(lines.back());
    const bool own = last.starts_with("org.apache.kafka") || last.starts_with("io.confluent");
    if (!own || last.find("java.sql") != std::string::npos || last.find("com.mysql") != std::string::npos ||
        last.find("org.postgresql") != std::string::npos)
      return;
    last = last.substr(last.find(": ") + 2);
    replace_all(last, "timestamp=${TIMESTAMP}", "timestamp=null");
    if (failure_.find(last) == std::string::npos) differ("message", last, failure_);
  }

  void compare_records() {
    std::map<std::string, std::vector<Json>> expected, actual;
    std::set<std::string> volatile_paths;
    for (const Json& path : case_.value("volatile", Json::array())) volatile_paths.insert(path);
    for (size_t i = 0; i < case_["records"].size(); ++i) {
      Json record = case_["records"][i];
      Json value = record["value"];
      for (const std::string& path : volatile_paths) {
        const std::string prefix = "records[" + std::to_string(i) + "].value.payload.";
        constexpr std::string_view kAny = "records[*].value.payload.";
        if (path.starts_with(kAny)) value["payload"][path.substr(kAny.size())] = "volatile";
        if (path.starts_with(prefix)) value["payload"][path.substr(prefix.size())] = "volatile";
      }
      // Java's text of a float is another than ours, but means the same float.
      for (const Json& field : value.is_object() ? value["schema"].value("fields", Json::array()) : Json::array()) {
        Json& number = value["payload"][field["field"].get<std::string>()];
        if (field["type"] == "float" && number.is_number()) number = static_cast<double>(number.get<float>());
      }
      expected[resolved(record["topic"])].push_back(value);
    }
    for (const auto& record : host_.records()) {
      const Json value = {{"schema", schema_json(host_, record.value_schema)},
                          {"payload", value_json(host_, record.value.get(), record.value_schema)}};
      actual[record.topic].push_back(value);
    }
    for (auto& [topic, values] : expected) {
      auto& ours = actual[topic];
      const bool first_only = setting("mode") == "bulk" || !case_.value("volatile", Json::array()).empty();
      if (first_only && ours.size() > values.size()) ours.resize(values.size());
      if (ours.size() != values.size())
        differ("records of " + topic, std::to_string(values.size()), std::to_string(ours.size()));
      for (size_t i = 0; i < std::min(values.size(), ours.size()); ++i) {
        for (auto& [field, value] : values[i]["payload"].items()) {
          if (value == "volatile") ours[i]["payload"][field] = value;
        }
        // Compared without member order, which JSON does not have; field order is compared in "fields".
        if (nlohmann::json::parse(values[i].dump()) != nlohmann::json::parse(ours[i].dump()))
          differ("record " + std::to_string(i) + " of " + topic, values[i].dump(), ours[i].dump());
      }
    }
    for (const auto& [topic, values] : actual) {
      if (!expected.contains(topic) && !values.empty())
        differ("records of " + topic, "none", std::to_string(values.size()));
    }
  }

  void compare_offsets() {
    for (const Json& path : case_.value("volatile", Json::array())) {
      if (path.get<std::string>().find("offset") != std::string::npos) return;
    }
    host_.store_emitted_offsets();
    for (const Json& offset : case_.value("offsets", Json::array())) {
      const auto partition = map_of(offset.at("partition"));
      const auto* ours = host_.offset(partition);
      const std::string expected = nlohmann::json::parse(resolved(offset.at("offset").dump())).dump();
      const std::string actual =
          ours == nullptr ? "nothing" : nlohmann::json::parse(value_json(host_, ours->get(), 0).dump()).dump();
      if (expected != actual) differ("offset of " + partition.text(), expected, actual);
    }
  }

  // ---- sink

  void sink() {
    Decoder decoder(host_, setting("value.converter.replace.null.with.default") != "false");
    std::vector<mr_record> records;
    std::deque<std::string> topics;
    std::map<std::string, int64_t> offsets;
    for (const Json& produced : case_.value("produce", Json::array())) {
      for (int i = 1; i <= produced.value("repeat", 1); ++i) {
        mr_record record{};
        const auto fill = [&](const char* what, mr_schema_id& schema, mr_value& value) {
          if (!produced.contains(what) || produced[what].is_null()) return;
          std::string text = produced[what].dump();
          replace_all(text, "\"${i}\"", std::to_string(i));
          replace_all(text, "${i}", std::to_string(i));
          const Json json = Json::parse(text);
          if (json.at("schema").is_null()) return;
          schema = decoder.schema(json.at("schema"));
          value = decoder.value(json.at("payload"), schema);
        };
        fill("key", record.key_schema, record.key);
        fill("value", record.value_schema, record.value);
        record.topic = sdk::to_mr(topics.emplace_back(produced.at("topic")));
        record.original_topic = record.topic;
        record.partition = record.original_partition = produced.value("partition", 0);
        record.offset = offsets[topics.back() + std::to_string(record.partition)]++;
        record.timestamp_ms = MR_NO_TIMESTAMP;
        records.push_back(record);
      }
    }
    sdk::TaskRunner task(host_, connector_, settings_);
    Status status = task.start();
    const auto sinks_sql = [&](const Json& step) {
      if (!step.contains("sql")) return;
      for (const Json& statement : step["sql"]) sql({resolved(statement)}, database_);
    };
    bool repaired = false;
    for (int attempt = 0; status.ok() && attempt < 30; ++attempt) {
      status = task.put(records);
      if (status.ok() || status.code() != sdk::Code::kUnavailable) break;
      if (!repaired) {
        for (const Json& step : case_.value("steps", Json::array())) sinks_sql(step);
      }
      repaired = true;
      status = Status();
    }
    (void)task.stop();
    const Json steps = case_.value("steps", Json::array());
    if (!status.ok() && !repaired &&
        std::any_of(steps.begin(), steps.end(), [](const Json& step) { return step.contains("restart"); })) {
      for (const Json& step : steps) sinks_sql(step);
      sdk::TaskRunner again(host_, connector_, settings_);
      status = again.start();
      if (status.ok()) status = again.put(records);
    }
    if (!status.ok()) failure_ = status.message();
    compare_state();
    compare_tables();
  }

  void compare_tables() {
    for (const auto& [table, expected] : case_["ddl"].items()) {
      std::string mine, theirs;
      for (const Json& column : expected["columns"]) {
        theirs += column["column"].get<std::string>() + " " + column["type"].get<std::string>() +
                  (column["nullable"] == true ? " YES " : " NO ") +
                  (column["default"].is_null() ? std::string("\\N") : column["default"].get<std::string>()) + " " +
                  column["key"].get<std::string>() + "; ";
      }
      for (const auto& row : server_.describe(database_, table))
        mine += row[0] + " " + row[1] + " " + row[2] + " " + row[3] + " " + (row.size() > 4 ? row[4] : "") + "; ";
      if (mine != theirs) differ("ddl of " + table, theirs, mine);
    }
    for (const auto& [table, expected] : case_["rows"].items()) {
      if (expected.is_array()) compare_rows(table, expected);
    }
  }

  void compare_rows(const std::string& table, const Json& expected) {
    std::multiset<std::string> theirs, ours;
    for (const Json& row : expected) {
      std::string line;
      for (const auto& [name, value] : row.items())
        line += name + "=" + (value.is_null() ? std::string("\\N") : value.get<std::string>()) + ";";
      theirs.insert(line);
    }
    for (const std::string& line : server_.lines(database_, table)) ours.insert(line);
    if (theirs == ours) return;
    std::string left, right;
    for (const auto& line : theirs) left += line + " | ";
    for (const auto& line : ours) right += line + " | ";
    differ("rows of " + table, left, right);
  }

  const Server& server_;
  Json case_;
  std::string database_, failure_;
  FakeHost host_;
  FakeHost::Settings settings_;
  const mr_connector_v1* connector_ = nullptr;
  std::unique_ptr<sdk::ConnectorRunner> connector_runner_;
  std::vector<std::unique_ptr<sdk::TaskRunner>> tasks_;
  size_t reconfigured_ = 0;
  std::vector<std::string> problems_;
};

/// Why a case is another module's business; empty when it is ours.
std::string not_ours(const Json& recorded) {
  const Json& config = recorded.at("config");
  if (config.contains("transforms")) return "transforms";
  if (config.contains("value.converter") || config.contains("key.converter") ||
      config.contains("value.converter.schemas.enable"))
    return "converter";
  for (const Json& produced : recorded.value("produce", Json::array())) {
    if (produced.contains("value_raw")) return "converter";
    const Json value = produced.value("value", Json());
    if (value.is_object() && !value.contains("schema")) return "converter";
  }
  for (const Json& cause : recorded.value("trace_caused_by", Json::array())) {
    if (cause.get<std::string>().find("Kafka Connect Time type") != std::string::npos) return "converter";
  }
  return "";
}

/// Replays all cases of the dialects that `ours` accepts.
void replay_cases(const Server& server, bool (*ours)(const std::string& dialect)) {
  if (!server.problem().empty()) GTEST_SKIP() << server.problem();
  const std::set<std::string> known = known_differences();
  const char* only = std::getenv("MILLRACE_GOLDEN_CASE");
  std::map<std::string, int> skipped;
  int run = 0, failed = 0;
  for (const char* folder : {"source", "sink"}) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(root() / folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& path : files) {
      const std::string name = std::string(folder) + "/" + path.stem().string();
      if (only != nullptr && name.find(only) == std::string::npos) continue;
      std::ifstream file(path);
      Json recorded = Json::parse(file);
      if (!ours(recorded.value("dialect", ""))) continue;
      std::string why = not_ours(recorded);
      if (known.contains("jdbc/" + name)) why = "known difference";
      if (!why.empty()) {
        ++skipped[why];
        continue;
      }
      if (std::getenv("MILLRACE_GOLDEN_TRACE") != nullptr) std::cerr << name << "\n";
      ++run;
      std::string problems;
      Replay replay(server, std::move(recorded));
      for (const std::string& problem : replay.run()) problems += "\n  " + problem;
      if (!problems.empty()) ++failed;
      EXPECT_TRUE(problems.empty()) << name << problems;
    }
  }
  std::cout << run << " cases, " << failed << " differ";
  for (const auto& [why, count] : skipped) std::cout << "; skipped " << count << " (" << why << ")";
  std::cout << "\n";
}

TEST(GoldenJdbc, MariaDbCasesAreAsRecorded) {
  if (!fs::exists(root())) GTEST_SKIP() << "no recordings at " << root();
  replay_cases(MariaDb(), [](const std::string& dialect) { return dialect != "postgresql"; });
}

TEST(GoldenJdbc, PostgresCasesAreAsRecorded) {
  if (!fs::exists(root())) GTEST_SKIP() << "no recordings at " << root();
  replay_cases(Postgres(), [](const std::string& dialect) { return dialect == "postgresql"; });
}

}  // namespace
}  // namespace millrace::jdbc::golden
