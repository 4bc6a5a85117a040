#include "connect_client/client_fixture.h"
#include "connect_client/import_plan.h"

namespace millrace::connect {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::StartsWith;

/// worker_ is where connectors come to; old_ is where they come from.
class ImportTest : public ClientTest {
 protected:
  void add(const std::string& name, const std::string& state, Json config = Json::object()) {
    auto& connector = old_.connectors_[name];
    config.update(Json{{"name", name}, {"connector.class", "Known"}});
    connector.config = std::move(config);
    connector.state = state;
    connector.offsets = Json::parse(R"([{"partition":{"z":"a","b":1},"offset":{"p":14}}])");
  }
  int import(std::vector<std::string> more) {
    std::vector<std::string> arguments{"import",      old_.url(),  "--to",
                                       worker_.url(), "--journal", (folder_ / "journal.json").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  FakeWorker old_;
};

TEST_F(ImportTest, WithoutApplyBothSidesAreOnlyRead) {
  add("runs", "RUNNING", {{"secret", "${vault:a:b}"}});
  add("stopped", "STOPPED");
  EXPECT_EQ(import({}), kOk);
  EXPECT_THAT(out_,
              AllOf(HasSubstr("1, moving  create"), HasSubstr("provider 'vault'"), HasSubstr("Nothing was changed")));
  EXPECT_TRUE(worker_.connectors_.empty());
  EXPECT_THAT(old_.requests(), Each(StartsWith("GET ")));
  EXPECT_EQ(import({"--start"}), kUsage);
}

TEST_F(ImportTest, WhatCannotRunHereIsRefused) {
  add("bad", "STOPPED", {{"number", "x"}});
  EXPECT_EQ(import({}), kFailed);
  EXPECT_THAT(out_, HasSubstr("refused: number: Not a number"));
  worker_.known_class_ = "Another";
  EXPECT_EQ(import({"--apply"}), kFailed);
  EXPECT_THAT(err_, HasSubstr("no connector class 'Known'"));
  EXPECT_TRUE(worker_.connectors_.empty());
}

TEST_F(ImportTest, ApplyPlacesThemStoppedAndLeavesTheOldAlone) {
  add("runs", "RUNNING");
  EXPECT_EQ(import({"--apply", "--start"}), kOk) << err_;
  EXPECT_EQ(worker_.connectors_["runs"].state, "STOPPED") << "it still runs there";
  EXPECT_EQ(worker_.connectors_["runs"].offsets, old_.connectors_["runs"].offsets) << "with the order of members";
  EXPECT_EQ(config_of(worker_.connectors_["runs"].config), config_of(old_.connectors_["runs"].config));
  EXPECT_THAT(old_.requests(), Each(StartsWith("GET ")));
}

TEST_F(ImportTest, ASecondRunContinuesAndStartsWhatRan) {
  add("runs", "RUNNING");
  add("paused", "PAUSED");
  add("stopped", "STOPPED");
  EXPECT_EQ(import({"--apply"}), kOk);
  old_.connectors_["runs"].offsets[0]["offset"]["p"] = 99;
  EXPECT_EQ(import({}), kOk);
  EXPECT_THAT(out_, HasSubstr("set offsets"));
  EXPECT_EQ(import({"--apply", "--stop-old"}), kOk) << err_;
  EXPECT_EQ(old_.connectors_["runs"].state, "STOPPED");
  EXPECT_EQ(worker_.connectors_["runs"].offsets[0]["offset"]["p"], 99);
  EXPECT_EQ(worker_.connectors_["runs"].state, "STOPPED");
  // Only the journal knows by now what ran there.
  EXPECT_EQ(import({"--apply", "--start"}), kOk) << err_;
  EXPECT_EQ(worker_.connectors_["runs"].state, "RUNNING");
  EXPECT_EQ(worker_.connectors_["paused"].state, "PAUSED");
  EXPECT_EQ(worker_.connectors_["stopped"].state, "STOPPED");
  EXPECT_EQ(import({"--apply", "--start"}), kOk);
  EXPECT_THAT(out_, HasSubstr("runs: not touched"));
}

TEST_F(ImportTest, OffsetsAreReadBack) {
  add("a", "STOPPED");
  worker_.loses_offsets_ = true;
  EXPECT_EQ(import({"--apply"}), kFailed);
  EXPECT_THAT(err_, HasSubstr("are not those that were set"));
}

TEST_F(ImportTest, AnotherConnectorOfTheNameIsNotOverwritten) {
  add("a", "STOPPED");
  worker_.connectors_["a"].config = {{"name", "a"}, {"connector.class", "Known"}, {"x", "y"}};
  EXPECT_EQ(import({"--apply"}), kFailed);
  EXPECT_THAT(err_, HasSubstr("differs in: x"));
  EXPECT_EQ(worker_.connectors_["a"].config["x"], "y");
}

TEST_F(ImportTest, OnlyTheNamedOnes) {
  add("a", "STOPPED");
  add("b", "STOPPED");
  EXPECT_EQ(import({"--apply", "--only", "b"}), kOk);
  EXPECT_FALSE(worker_.connectors_.contains("a"));
  EXPECT_EQ(import({"--only", "c"}), kFailed);
  EXPECT_EQ(run({"import", old_.url(), "--to", old_.url()}), kUsage);
}

TEST(HoldsOffsets, LooksForEachPartition) {
  const Json here =
      Json::parse(R"([{"partition":{"a":"x","b":2},"offset":{"p":1}},{"partition":{"t":"q"},"offset":{"o":4}}])");
  EXPECT_TRUE(holds_offsets(here, Json::array()));
  EXPECT_TRUE(holds_offsets(here, Json::parse(R"([{"partition":{"b":2,"a":"x"},"offset":{"p":"1"}}])")));
  EXPECT_FALSE(holds_offsets(here, Json::parse(R"([{"partition":{"b":2,"a":"x"},"offset":{"p":2}}])")));
  EXPECT_FALSE(holds_offsets(here, Json::parse(R"([{"partition":{"a":"x"},"offset":{"p":1}}])")));
}

}  // namespace
}  // namespace millrace::connect
