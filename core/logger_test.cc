#include "core/logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

TEST(LogLevels, ParentsPassTheirLevelOnUntilAChildHasItsOwn) {
  LogLevels levels(LogLevel::kWarn);
  const auto task = levels.threshold("a.b.c");
  EXPECT_FALSE(task->lets_through(LogLevel::kInfo));
  levels.configure("a", LogLevel::kDebug);
  EXPECT_TRUE(task->lets_through(LogLevel::kDebug));
  levels.configure("a.b", LogLevel::kError);
  EXPECT_FALSE(task->lets_through(LogLevel::kWarn));
  EXPECT_TRUE(levels.threshold("a.x")->lets_through(LogLevel::kDebug));
  EXPECT_FALSE(levels.threshold("other")->lets_through(LogLevel::kInfo));
  EXPECT_EQ(levels.level("a.b")->last_modified_ms, std::nullopt);
}

TEST(LogLevels, SetReachesEveryNameBelowAndTellsWhich) {
  LogLevels levels(LogLevel::kInfo);
  EXPECT_THAT(levels.set("gold", LogLevel::kDebug, 1), ElementsAre("gold"));
  EXPECT_FALSE(levels.level("gold.a"));
  EXPECT_THAT(levels.set("gold.a.b", LogLevel::kError, 2), ElementsAre("gold.a.b"));
  EXPECT_THAT(levels.set("gold", LogLevel::kError, 3), ElementsAre("gold", "gold.a.b"));
  EXPECT_EQ(levels.level("gold")->last_modified_ms, 3);
  EXPECT_EQ(levels.level("gold.a.b")->last_modified_ms, 2) << "it had the level already";
  EXPECT_THAT(levels.set("ROOT", LogLevel::kOff, 4), ElementsAre("gold", "gold.a.b", "root"));
  EXPECT_FALSE(levels.threshold("gold.new")->lets_through(LogLevel::kFatal));
}

TEST(LogLevels, NamesOfKafkaConnectStandForOurs) {
  LogLevels levels(LogLevel::kInfo);
  const auto rest = levels.threshold("millrace.rest");
  const auto runtime = levels.threshold("millrace.runtime");
  EXPECT_THAT(levels.set("org.apache.kafka.connect.runtime.rest", LogLevel::kTrace, 1),
              ElementsAre("millrace.rest", "org.apache.kafka.connect.runtime.rest"));
  EXPECT_TRUE(rest->lets_through(LogLevel::kTrace));
  EXPECT_FALSE(runtime->lets_through(LogLevel::kDebug));
  levels.set("org.apache.kafka.connect", LogLevel::kError, 2);
  EXPECT_FALSE(rest->lets_through(LogLevel::kWarn));
  EXPECT_FALSE(runtime->lets_through(LogLevel::kWarn));
}

TEST(LogLevels, NamesWithoutUsersAreForgotten) {
  LogLevels levels(LogLevel::kInfo);
  const auto kept = levels.threshold("kept");
  levels.set("chosen", LogLevel::kDebug, 1);
  for (int i = 0; i < 1000; ++i) levels.threshold("task-" + std::to_string(i));
  EXPECT_LT(levels.all().size(), 300U);
  EXPECT_TRUE(levels.level("kept"));
  EXPECT_TRUE(levels.level("chosen"));
}

TEST(LogLevels, Names) {
  for (const char* name : {"OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"}) {
    ASSERT_TRUE(parse_log_level(name)) << name;
    EXPECT_EQ(log_level_name(*parse_log_level(name)), name);
  }
  EXPECT_EQ(parse_log_level("wArN"), LogLevel::kWarn);
  EXPECT_FALSE(parse_log_level("LOUD"));
  EXPECT_FALSE(parse_log_level(""));
}

TEST(Logger, TextKeepsItsForm) {
  std::ostringstream out;
  const Logger logger = Logger::to_stream(out);
  logger.named("orders|task-0").info("polled", {{"rows", 3}, {"table", "a b"}, {"empty", ""}, {"all", true}});
  EXPECT_THAT(out.str(), EndsWith(" I [orders|task-0] polled rows=3 table=\"a b\" empty=\"\" all=true\n"));
}

TEST(Logger, ContextsHaveLoggersOfTheirOwn) {
  std::ostringstream out;
  const Logger logger = Logger::to_stream(out);
  const Logger task = logger.module("millrace.runtime").named("orders|task-0");
  const Logger worker = logger.module("millrace.runtime").named("orders|worker");
  EXPECT_THAT(logger.levels()->set("millrace.runtime.task.orders-0", LogLevel::kDebug, 1), testing::SizeIs(1));
  task.debug("shown");
  worker.debug("hidden");
  EXPECT_TRUE(logger.levels()->level("millrace.runtime.connector.orders"));
  EXPECT_THAT(out.str(), HasSubstr("shown"));
  EXPECT_THAT(out.str(), testing::Not(HasSubstr("hidden")));
}

TEST(Logger, JsonIsOneValidObjectWhateverComes) {
  std::ostringstream out;
  const Logger logger = Logger::to_stream(out);
  ASSERT_TRUE(logger.configure({{"millrace.log.format", "json"}}));
  const std::string bytes("\x00\x01\xff\xc0\xaf\xed\xa0\x80\xe2\x82 \"\\\n\xf0\x9f\x8c\xbe", 18);
  logger.named("c|task-1")
      .warn("odd", {{"bytes", bytes},
                    {"number", -1.5},
                    {"nan", std::numeric_limits<double>::quiet_NaN()},
                    {"infinite", std::numeric_limits<double>::infinity()},
                    {"flag", false},
                    {"big", std::numeric_limits<int64_t>::max()},
                    {"zip", "007"}});
  const std::string line = out.str();
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["level"], "WARN");
  EXPECT_EQ(json["logger"], "millrace.task.c-1");
  EXPECT_EQ(json["context"], "c|task-1");
  EXPECT_EQ(json["event"], "odd");
  EXPECT_EQ(json["fields"]["number"], -1.5);
  EXPECT_EQ(json["fields"]["nan"], "nan");
  EXPECT_EQ(json["fields"]["infinite"], "inf");
  EXPECT_EQ(json["fields"]["flag"], false);
  EXPECT_EQ(json["fields"]["big"], std::numeric_limits<int64_t>::max());
  EXPECT_EQ(json["fields"]["zip"], "007");
  EXPECT_THAT(json["fields"]["bytes"].get<std::string>(), EndsWith("\"\\\n🌾"));
  EXPECT_THAT(json["ts"].get<std::string>(), testing::MatchesRegex("....-..-..T..:..:..\\....Z"));
}

TEST(Logger, SettingsAreChecked) {
  std::ostringstream out;
  const Logger logger = Logger::to_stream(out);
  EXPECT_TRUE(
      logger.configure({{"millrace.log.level", "warn"}, {"millrace.log.level.millrace.rest", "DEBUG"}, {"x", "y"}}));
  logger.info("hidden");
  logger.module("millrace.rest").debug("shown");
  EXPECT_THAT(out.str(), testing::AllOf(HasSubstr("shown"), testing::Not(HasSubstr("hidden"))));
  EXPECT_THAT(logger.configure({{"millrace.log.format", "xml"}}).error().message, HasSubstr("text or json"));
  EXPECT_THAT(logger.configure({{"millrace.log.level.a", "loud"}}).error().message, HasSubstr("millrace.log.level.a"));
}

struct Counted {
  int* formatted;
};
}  // namespace
}  // namespace millrace

template <>
struct fmt::formatter<millrace::Counted> : fmt::formatter<std::string_view> {
  auto format(const millrace::Counted& value, fmt::format_context& context) const {
    ++*value.formatted;
    return fmt::formatter<std::string_view>::format("x", context);
  }
};

namespace millrace {
namespace {

TEST(Logger, LinesThatAreOffFormatNothing) {
  std::ostringstream out;
  const Logger logger = Logger::to_stream(out);
  int formatted = 0;
  logger.debug("off", {{"value", Counted{&formatted}}});
  Logger().error("nowhere", {{"value", Counted{&formatted}}});
  EXPECT_EQ(formatted, 0);
  logger.info("on", {{"value", Counted{&formatted}}});
  EXPECT_EQ(formatted, 1);
}

TEST(Logger, LevelsChangeWhileOthersWrite) {
  std::ostringstream out;
  const Logger logger = Logger::to_stream(out, LogLevel::kOff);
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      for (int j = 0; j < 2000; ++j) logger.named("c|task-" + std::to_string(j % 7)).info("line");
    });
  }
  for (int i = 0; i < 200; ++i) logger.levels()->set("root", i % 2 == 0 ? LogLevel::kError : LogLevel::kOff, i);
  for (auto& writer : writers) writer.join();
  logger.levels()->set("root", LogLevel::kInfo, 1000);
  logger.info("last");
  EXPECT_THAT(out.str(), EndsWith(" I last\n"));
}

}  // namespace
}  // namespace millrace
