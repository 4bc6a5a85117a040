#include "connect_client/client_fixture.h"
#include "connect_client/completion.h"

namespace millrace::connect {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kOrders = "name=orders\nconnector.class=Known\npin=1\n";

class Commands : public ClientTest {
 protected:
  void add(const std::string& name, const std::string& state, const std::string& trace = "") {
    auto& connector = worker_.connectors_[name];
    connector.config = {{"name", name}, {"connector.class", "Known"}};
    connector.state = state;
    connector.trace = trace;
    connector.offsets = Json::parse(R"([{"partition":{"f":"a"},"offset":{"p":1}}])");
  }
};

TEST_F(Commands, ListShowsFailuresBelowTheirLine) {
  EXPECT_EQ(on_worker({"list"}), kOk);
  EXPECT_THAT(out_, HasSubstr("No connectors"));
  add("b", "RUNNING");
  add("a", "RUNNING", "x.Bad: no table\n\tat f");
  EXPECT_EQ(on_worker({"list"}), kOk);
  EXPECT_EQ(out_,
            "NAME  TYPE    STATE    TASKS  WORKER  CLASS\n"
            "a     source  FAILED   0/1    w:1     Known\n"
            "    task 0: x.Bad: no table\n"
            "b     source  RUNNING  1/1    w:1     Known\n");
  EXPECT_EQ(on_worker({"list", "--json"}), kOk);
  EXPECT_EQ(Json::parse(out_)[0]["state"], "FAILED");
}

TEST_F(Commands, ApplyCreatesUpdatesAndLeavesAlone) {
  const std::string file = write("o.properties", kOrders);
  EXPECT_EQ(on_worker({"apply", "-f", file, "--dry-run"}), kOk);
  EXPECT_THAT(out_, AllOf(HasSubstr("orders: would be created"), HasSubstr("+ pin = [hidden]")));
  EXPECT_TRUE(worker_.connectors_.empty());
  EXPECT_EQ(on_worker({"apply", "-f", file, "--wait"}), kOk);
  EXPECT_EQ(out_, "orders: created\norders: RUNNING\n");
  EXPECT_EQ(on_worker({"apply", "-f", file}), kOk);
  EXPECT_EQ(out_, "orders: unchanged\n");
  write("o.properties", "name=orders\nconnector.class=Known\npin=2\nnumber=3\n");
  EXPECT_EQ(on_worker({"apply", "-f", file}), kOk);
  EXPECT_EQ(out_, "orders: updated: number, pin\n");
  EXPECT_EQ(worker_.connectors_["orders"].config["pin"], "2");
}

TEST_F(Commands, ApplyTakesTheInitialState) {
  const std::string json = R"({"name":"o","config":{"connector.class":"Known"},"initial_state":"STOPPED"})";
  EXPECT_EQ(on_worker({"apply", "-f", "-", "--wait"}, json), kOk);
  EXPECT_EQ(worker_.connectors_["o"].state, "STOPPED");
}

TEST_F(Commands, ApplyNamesTheKeysThatAreWrongAndGoesOn) {
  const std::string files = R"([{"name":"bad","connector.class":"Known","number":"x"},{"name":"none","a":"b"},
                               {"name":"good","connector.class":"Known"}])";
  EXPECT_EQ(on_worker({"apply", "-f", "-"}, files), kFailed);
  EXPECT_EQ(out_, "none: created\ngood: created\n");
  EXPECT_THAT(err_, HasSubstr("'bad' (standard input) has 1 error(s):\n  number: Not a number\n"));
  EXPECT_EQ(on_worker({"validate", "-"}, files), kFailed);
  EXPECT_THAT(out_, AllOf(HasSubstr("number: Not a number"), HasSubstr("connector.class: it is missing"),
                          HasSubstr("good: valid")));
  EXPECT_EQ(on_worker({"validate", "-"}, R"({"name":"n","connector.class":"Unheard"})"), kFailed);
  EXPECT_THAT(out_, HasSubstr("no connector class 'Unheard'"));
}

TEST_F(Commands, WaitSaysWhyNot) {
  add("orders", "RUNNING", "x.Wrong: the table is gone");
  worker_.connectors_["orders"].config["pin"] = "1";
  EXPECT_EQ(on_worker({"apply", "-f", write("o.properties", kOrders), "--wait"}), kFailed);
  EXPECT_THAT(err_, HasSubstr("task 0 is FAILED: the table is gone"));
}

TEST_F(Commands, StatesChangeForOneAndForAll) {
  add("a", "RUNNING");
  add("b", "RUNNING");
  EXPECT_EQ(on_worker({"pause", "a", "--wait"}), kOk);
  EXPECT_EQ(out_, "a: PAUSED\n");
  EXPECT_EQ(on_worker({"stop", "--all"}), kOk);
  EXPECT_EQ(worker_.connectors_["a"].state, "STOPPED");
  EXPECT_EQ(worker_.connectors_["b"].state, "STOPPED");
  EXPECT_EQ(on_worker({"resume", "b", "nope"}), kFailed);
  EXPECT_EQ(worker_.connectors_["b"].state, "RUNNING");
  EXPECT_THAT(err_, HasSubstr("there is no connector 'nope'"));
  EXPECT_EQ(on_worker({"pause"}), kFailed);
  EXPECT_THAT(err_, HasSubstr("--all"));
}

TEST_F(Commands, OffsetsChangeOnlyWhileStopped) {
  add("a", "PAUSED");
  EXPECT_EQ(on_worker({"offsets", "get", "a"}), kOk);
  EXPECT_EQ(out_, "PARTITION  OFFSET\nf=a        p=1\n");
  EXPECT_EQ(on_worker({"offsets", "get", "a", "--json"}), kOk);
  std::string changed = out_;
  changed.replace(changed.find("\"p\": 1"), 6, "\"p\": 7");
  EXPECT_EQ(on_worker({"offsets", "set", "a", "-"}, changed), kFailed);
  EXPECT_THAT(err_, HasSubstr("Add --stop"));
  EXPECT_EQ(on_worker({"offsets", "set", "a", "-", "--stop"}, changed), kOk);
  EXPECT_EQ(worker_.connectors_["a"].offsets[0]["offset"]["p"], 7);
  EXPECT_EQ(worker_.connectors_["a"].state, "PAUSED") << "it is put back";
  EXPECT_EQ(on_worker({"offsets", "set", "a", "-"}, "{}"), kFailed);
  // A dump of an offset topic: the last offset of each partition of this connector counts, a null forgets.
  const std::string dump =
      "[\"a\",{\"f\":\"a\"}]\t{\"p\":8}\n[\"b\",{\"f\":\"a\"}]\t{\"p\":1}\n[\"a\",{\"f\":\"x\"}]\t{\"p\":2}\n"
      "[\"a\",{\"f\":\"a\"}]\t{\"p\":9}\n[\"a\",{\"f\":\"x\"}]\tnull\nProcessed a total of 5 messages\n";
  EXPECT_EQ(on_worker({"offsets", "set", "a", "-", "--stop"}, dump), kOk) << err_;
  EXPECT_EQ(worker_.connectors_["a"].offsets, Json::parse(R"([{"partition":{"f":"a"},"offset":{"p":9}}])"));
  EXPECT_EQ(on_worker({"offsets", "set", "c", "-"}, dump), kFailed);
  EXPECT_THAT(err_, HasSubstr("no offsets of 'c'"));
}

TEST_F(Commands, ResetAsks) {
  add("a", "STOPPED");
  EXPECT_EQ(on_worker({"offsets", "reset", "a"}), kUsage);
  EXPECT_EQ(on_worker({"offsets", "reset", "a"}, "n\n", true), kFailed);
  EXPECT_EQ(worker_.connectors_["a"].offsets.size(), 1u);
  EXPECT_EQ(on_worker({"offsets", "reset", "a"}, "y\n", true), kOk);
  EXPECT_TRUE(worker_.connectors_["a"].offsets.empty());
}

TEST_F(Commands, DeleteWithOffsetsStopsFirst) {
  add("a b", "RUNNING");
  EXPECT_EQ(on_worker({"delete", "a b", "--offsets"}), kOk);
  EXPECT_TRUE(worker_.connectors_.empty());
  EXPECT_THAT(worker_.requests(), Contains("DELETE /connectors/a%20b/offsets"));
  EXPECT_EQ(on_worker({"delete", "a b"}), kFailed);
}

TEST_F(Commands, ErrorsExplain) {
  add("a", "RUNNING", "x.Tolerance: Tolerance exceeded in error handler\nCaused by: x.Data: bad byte");
  EXPECT_EQ(on_worker({"errors", "a"}), kOk);
  EXPECT_THAT(out_,
              AllOf(HasSubstr("a, task 0 on w:1: FAILED\n  what:   bad byte\n"), HasSubstr("errors.tolerance=all")));
  EXPECT_EQ(on_worker({"status", "a"}), kOk);
  EXPECT_THAT(out_, HasSubstr("millrace connectors errors a"));
}

TEST_F(Commands, WatchEndsWhenTheStateIsThere) {
  add("a", "RUNNING");
  EXPECT_EQ(on_worker({"watch", "a", "--until", "RUNNING"}), kOk);
  EXPECT_THAT(out_, HasSubstr("a task 0  RUNNING"));
  EXPECT_EQ(on_worker({"watch", "--until", "STOPPED", "--until-timeout", "0.01"}), kFailed);
  EXPECT_THAT(err_, HasSubstr("not all connectors are STOPPED"));
}

TEST_F(Commands, LoggersAndPlugins) {
  EXPECT_EQ(on_worker({"loggers", "list"}), kOk);
  EXPECT_EQ(out_, "LOGGER  LEVEL\nroot    INFO\n");
  EXPECT_EQ(on_worker({"loggers", "set", "root", "debug"}), kOk);
  EXPECT_EQ(on_worker({"loggers", "set", "root", "loud"}), kUsage);
  EXPECT_EQ(on_worker({"plugins", "Known"}), kOk);
  EXPECT_THAT(out_, HasSubstr("pin     PASSWORD"));
  EXPECT_EQ(on_worker({"plugins", "Unknown"}), kFailed);
}

TEST_F(Commands, WrongUseIsTwoWithAHint) {
  EXPECT_EQ(on_worker({"list", "--frob"}), kUsage);
  EXPECT_EQ(run({"connectors", "lst"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("did you mean 'list'?"));
  EXPECT_EQ(run({"connectors", "offsets", "gte"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("did you mean 'get'?"));
  EXPECT_EQ(run({"connectors", "--url", "ftp://x", "list"}), kUsage);
  EXPECT_EQ(run({"connectors", "--help"}), kOk);
  EXPECT_THAT(out_, AllOf(HasSubstr("--password-file"), HasSubstr("Exit codes: 0")));
  EXPECT_EQ(run({"completion", "fish"}), kUsage);
}

TEST_F(Commands, CompletionKnowsCommandsOptionsAndNames) {
  add("orders-sink", "RUNNING");
  add("other", "RUNNING");
  const auto candidates = [&](std::vector<std::string> words) { return completion_candidates(words, {"standalone"}); };
  EXPECT_THAT(candidates({"st"}), ElementsAre("standalone"));
  EXPECT_THAT(candidates({"co"}), ElementsAre("completion", "connectors"));
  EXPECT_THAT(candidates({"connectors", "re"}), ElementsAre("restart", "resume"));
  EXPECT_THAT(candidates({"connectors", "offsets", ""}), ElementsAre("get", "reset", "set"));
  EXPECT_THAT(candidates({"connectors", "apply", "--wait"}), ElementsAre("--wait", "--wait-timeout"));
  EXPECT_THAT(candidates({"connectors", "list", "--password-"}), ElementsAre("--password-file"));
  EXPECT_THAT(candidates({"connectors", "--url", worker_.url(), "status", "or"}), ElementsAre("orders-sink"));
  EXPECT_THAT(candidates({"connectors", "--url", worker_.url(), "pause", "other", "o"}),
              ElementsAre("orders-sink", "other"));
  EXPECT_THAT(candidates({"connectors", "watch", "--until", "R"}), ElementsAre("RUNNING"));
  EXPECT_THAT(candidates({"connectors", "--url", "http://127.0.0.1:1", "status", ""}), ElementsAre());
  EXPECT_EQ(run({"completion", "bash"}), kOk);
  EXPECT_THAT(out_, HasSubstr("complete -o default -F _millrace millrace"));
}

}  // namespace
}  // namespace millrace::connect
