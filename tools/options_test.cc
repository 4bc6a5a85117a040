#include "tools/options.h"

#include <gmock/gmock.h>

#include "tools/connection_options.h"
#include "tools/tool_table.h"
#include "tools/tool_testing.h"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

CommandSpec sample(CommandSpec::Style style = CommandSpec::Style::kJopt) {
  CommandSpec spec;
  spec.program = "sample";
  spec.description = "A sample.";
  spec.style = style;
  spec.options = {
      {.name = "topic", .argument = "topic", .description = "REQUIRED: The topic.", .required = true},
      {.name = "partition", .description = "The partition.", .type = OptionType::kInteger, .default_value = "7"},
      {.name = "property",
       .argument = "prop",
       .description = "A property.",
       .repeatable = true,
       .aliases = {"reader-property"}},
      {.name = "sync", .description = "One by one.", .type = OptionType::kFlag},
      {.name = "codec", .description = "A codec.", .takes = OptionSpec::Takes::kOptional},
      {.name = "props", .description = "Many.", .takes = OptionSpec::Takes::kMany},
  };
  return spec;
}

TEST(Options, ValuesBehindBlankOrEqualsSign) {
  const CommandSpec spec = sample();
  CapturedIo io;
  auto options = parse_options(spec, io.io(), words("--topic", "t", "--partition=3", "--sync"));
  ASSERT_TRUE(options) << io.err();
  EXPECT_EQ(options->text("topic"), "t");
  EXPECT_EQ(options->number("partition"), 3);
  EXPECT_TRUE(options->has("sync"));
  EXPECT_FALSE(options->has("codec"));
}

TEST(Options, DefaultsCountAsNotGiven) {
  const CommandSpec spec = sample();
  CapturedIo io;
  auto options = parse_options(spec, io.io(), words("--topic", "t"));
  ASSERT_TRUE(options);
  EXPECT_FALSE(options->has("partition"));
  EXPECT_EQ(options->number("partition"), 7);
}

TEST(Options, RepeatedAndRenamedOptionsGatherValues) {
  const CommandSpec spec = sample();
  CapturedIo io;
  auto options = parse_options(
      spec, io.io(), words("--topic", "t", "--property", "a=1", "--reader-property", "b=2", "--property=c=3"));
  ASSERT_TRUE(options);
  EXPECT_THAT(options->values("property"), ElementsAre("a=1", "b=2", "c=3"));
}

TEST(Options, OptionalValueIsNotTakenFromTheNextOption) {
  const CommandSpec spec = sample();
  CapturedIo io;
  auto options = parse_options(spec, io.io(), words("--codec", "--topic", "t"));
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->has("codec"));
  EXPECT_EQ(options->text("codec"), "");
  EXPECT_EQ(options->text("topic"), "t");
}

TEST(Options, ManyValuesEndAtTheNextOption) {
  const CommandSpec spec = sample(CommandSpec::Style::kArgparse);
  CapturedIo io;
  auto options = parse_options(spec, io.io(), words("--props", "a=1", "b=-1", "--topic", "t"));
  ASSERT_TRUE(options) << io.err();
  EXPECT_THAT(options->values("props"), ElementsAre("a=1", "b=-1"));
}

TEST(Options, NegativeNumbersAreValues) {
  const CommandSpec spec = sample(CommandSpec::Style::kArgparse);
  CapturedIo io;
  auto options = parse_options(spec, io.io(), words("--partition", "-1", "--topic", "t"));
  ASSERT_TRUE(options) << io.err();
  EXPECT_EQ(options->number("partition"), -1);
}

struct Mistake {
  std::vector<std::string> words;
  std::string message;
};

TEST(Options, MistakesGetMessageAndUsage) {
  const CommandSpec spec = sample();
  for (const Mistake& mistake :
       {Mistake{{"--tpic", "t"}, "tpic is not a recognized option\n"},
        Mistake{{"--topic"}, "Option topic requires an argument\n"},
        Mistake{{"--sync"}, "Missing required argument \"[topic]\"\n"},
        Mistake{{"--topic", "t", "--partition", "x"}, "Cannot parse argument 'x' of option partition\n"},
        Mistake{{"--topic", "t", "--topic", "u"},
                "Found multiple arguments for option topic, but you asked for only one\n"},
        Mistake{{}, "A sample.\n"}}) {
    CapturedIo io;
    auto options = parse_options(spec, io.io(), mistake.words);
    ASSERT_FALSE(options) << mistake.message;
    EXPECT_EQ(options.error(), kToolFailed);
    EXPECT_THAT(io.err(), StartsWith(mistake.message));
    EXPECT_THAT(io.err(), HasSubstr("--partition <Integer>"));
  }
}

TEST(Options, MistakesInArgparseStyleNameTheProgram) {
  const CommandSpec spec = sample(CommandSpec::Style::kArgparse);
  for (const Mistake& mistake :
       {Mistake{{"--foo"}, "sample: error: unrecognized arguments: '--foo'\n"},
        Mistake{{"--sync"}, "sample: error: argument --topic is required\n"},
        Mistake{{"--topic", "--sync"}, "sample: error: argument --topic: expected one argument\n"}}) {
    CapturedIo io;
    auto options = parse_options(spec, io.io(), mistake.words);
    ASSERT_FALSE(options);
    EXPECT_THAT(io.err(), testing::EndsWith(mistake.message));
  }
}

TEST(Options, HelpAndVersionNeedNothingElse) {
  const CommandSpec spec = sample();
  CapturedIo io;
  auto help = parse_options(spec, io.io(), words("--help"));
  ASSERT_FALSE(help);
  EXPECT_EQ(help.error(), kToolOk);
  EXPECT_THAT(io.out(), HasSubstr("--topic <String: topic>"));
  CapturedIo second;
  auto version = parse_options(spec, second.io(), words("--version"));
  ASSERT_FALSE(version);
  EXPECT_EQ(second.out(), std::string(kKafkaToolsVersion) + "\n");
}

TEST(Options, UsageKeepsToItsColumns) {
  for (const Tool& tool : tools()) {
    CapturedIo io;
    EXPECT_EQ(tool.run(io.io(), words("--help")), kToolOk) << tool.name;
    std::string_view text = io.out();
    text.remove_prefix(text.find('\n') + 1);  // the description may be long
    while (!text.empty()) {
      const size_t end = text.find('\n');
      EXPECT_LE(end, 120u) << tool.name << ": " << text.substr(0, end);
      text.remove_prefix(end + 1);
    }
  }
}

TEST(ToolTable, NamesOfKafkasScripts) {
  for (const char* name :
       {"console-producer", "kafka-console-producer", "kafka-console-producer.sh", "/opt/bin/kafka-console-producer"}) {
    const Tool* tool = find_tool(name);
    ASSERT_NE(tool, nullptr) << name;
    EXPECT_EQ(tool->name, "console-producer");
  }
  EXPECT_EQ(find_tool("standalone"), nullptr);
}

TEST(ConnectionOptions, ServersAreHostAndPort) {
  CommandSpec spec;
  spec.options = {bootstrap_option()};
  for (const auto& [servers, fine] : {std::pair{"a:1", true},
                                      {"a:1,b:65535", true},
                                      {"a", false},
                                      {"a:1,", false},
                                      {"a:70000", false},
                                      {":1", false}}) {
    CapturedIo io;
    auto options = parse_options(spec, io.io(), words("--broker-list", servers));
    ASSERT_TRUE(options);
    EXPECT_EQ(bootstrap_problem(*options).empty(), fine) << servers;
  }
}

}  // namespace
}  // namespace millrace
