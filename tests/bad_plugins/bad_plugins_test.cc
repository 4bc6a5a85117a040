#include <dlfcn.h>
#include <gmock/gmock.h>
#include <millrace/testing.hpp>

#include <filesystem>
#include <fstream>
#include <future>

#include "core/file_system.h"
#include "core/logger.h"
#include "runtime/plugin_host.h"

namespace millrace {
namespace {

using sdk::FakeHost;
using sdk::TaskRunner;
using ::testing::HasSubstr;

Path library_of(const std::string& fault) {
  return Path(MILLRACE_BINARY_DIR) / "tests/bad_plugins" / fault / (fault + ".so");
}

struct Refusal {
  const char* fault;
  const char* reason;
};
void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.fault; }

class RefusedPlugin : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusedPlugin, IsRefusedWithAReason) {
  PosixFileSystem files;
  PluginHost host(files, FakeHost::table(), Logger());
  const auto loaded = host.load(library_of(GetParam().fault));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidConfig);
  EXPECT_THAT(loaded.error().message, HasSubstr(GetParam().reason));
  EXPECT_THAT(loaded.error().message, HasSubstr(std::string(GetParam().fault) + ".so")) << "which library it was";
  EXPECT_TRUE(host.connectors().empty());
}

INSTANTIATE_TEST_SUITE_P(Faults, RefusedPlugin,
                         ::testing::Values(Refusal{"missing_symbol", "does not export the symbol mr_plugin"},
                                           Refusal{"null_connector", "connector table is NULL"},
                                           Refusal{"null_functions", "a source has no poll"},
                                           Refusal{"null_table", "returned NULL"}, Refusal{"small_struct", "too small"},
                                           Refusal{"throws_on_load", "returned NULL"},
                                           Refusal{"unresolved_symbol", "millrace_test_function_that_does_not_exist"},
                                           Refusal{"wrong_connector_major", "ABI version 2"},
                                           Refusal{"wrong_major", "ABI version 2"}),
                         [](const auto& fault) { return std::string(fault.param.fault); });

/// One folder with good and bad libraries: the bad ones are listed, the others work.
TEST(BadPlugins, DoNotKeepTheOthersFromLoading) {
  PosixFileSystem files;
  PluginHost host(files, FakeHost::table(), Logger());
  host.scan(Path(MILLRACE_BINARY_DIR) / "tests/bad_plugins");
  EXPECT_EQ(host.refused().size(), 9u);
  for (const char* name : {"ThrowsInStartSource", "ThrowsInPollSource", "BadOffsetsSource", "NoMapOffsetsSource",
                           "BadSchemaIdSource", "HangsInStopSource"}) {
    EXPECT_TRUE(host.find(name).has_value()) << name;
  }
}

const mr_connector_v1* connector(const std::string& fault, const char* name) {
  void* library = ::dlopen(library_of(fault).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  return FakeHost::connector(reinterpret_cast<mr_plugin_entry>(::dlsym(library, MR_PLUGIN_SYMBOL)), name);
}

TEST(BadPlugins, ExceptionInStartIsAnError) {
  FakeHost host;
  TaskRunner task(host, connector("throws_in_start", "ThrowsInStartSource"), {});
  const sdk::Status started = task.start();
  EXPECT_EQ(started.code(), sdk::Code::kInternal);
  EXPECT_EQ(started.message(), "thrown in start");
}

TEST(BadPlugins, ExceptionOfAnyTypeInPollIsAnError) {
  FakeHost host;
  TaskRunner task(host, connector("throws_in_poll", "ThrowsInPollSource"), {});
  ASSERT_TRUE(task.start().ok());
  ASSERT_TRUE(task.poll().ok());
  ASSERT_TRUE(task.poll().ok());
  const sdk::Status polled = task.poll();
  EXPECT_EQ(polled.code(), sdk::Code::kInternal);
  EXPECT_THAT(polled.message(), HasSubstr("unknown type"));
}

TEST(BadPlugins, OffsetsAndSchemasAreAsBadAsTheySay) {
  FakeHost host;
  TaskRunner nested(host, connector("bad_offsets", "BadOffsetsSource"), {});
  ASSERT_TRUE(nested.poll().ok());
  EXPECT_EQ(host.take_records().at(0).source_offset.text(), "{offset=[x]}");
  TaskRunner no_map(host, connector("bad_offsets", "NoMapOffsetsSource"), {});
  ASSERT_TRUE(no_map.poll().ok());
  EXPECT_EQ(host.take_records().at(0).source_offset.text(), "7");
  TaskRunner schema(host, connector("bad_schema_id", "BadSchemaIdSource"), {});
  ASSERT_TRUE(schema.poll().ok());
  EXPECT_EQ(host.describe(host.records().at(0).value_schema), nullptr);
}

TEST(BadPlugins, HangingStopEndsWhenReleased) {
  char pattern[] = "/tmp/millrace-bad-XXXXXX";
  const Path folder = ::mkdtemp(pattern);
  FakeHost host;
  TaskRunner task(host, connector("hangs_in_stop", "HangsInStopSource"), {{"release.file", (folder / "go").string()}});
  ASSERT_TRUE(task.start().ok());
  auto stopped = std::async(std::launch::async, [&] { return task.stop().ok(); });
  EXPECT_EQ(stopped.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  std::ofstream(folder / "go") << "";
  EXPECT_TRUE(stopped.get());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace millrace
