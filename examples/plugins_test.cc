#include <dlfcn.h>
#include <gtest/gtest.h>
#include <millrace/testing.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace millrace::sdk {
namespace {

const mr_connector_v1* connector(const std::string& library, const char* name) {
  void* handle = ::dlopen((std::string(MILLRACE_BINARY_DIR "/examples/plugins/") + library + ".so").c_str(),
                          RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return nullptr;
  return FakeHost::connector(reinterpret_cast<mr_plugin_entry>(::dlsym(handle, MR_PLUGIN_SYMBOL)), name);
}

TEST(Examples, SequenceSourceGoesOnAfterARestart) {
  FakeHost host;
  const mr_connector_v1* source = connector("sequence_source", "SequenceSource");
  ASSERT_NE(source, nullptr);
  for (const char* first : {"0", "3"}) {
    TaskRunner task(host, source, {{"topic", "numbers"}, {"batch.size", "3"}});
    ASSERT_TRUE(task.start().ok());
    ASSERT_TRUE(task.poll().ok());
    ASSERT_EQ(host.records().size(), 3u);
    EXPECT_EQ(host.records()[0].value.text(), first);
    EXPECT_EQ(host.records()[0].topic, "numbers");
    host.store_emitted_offsets();
    host.take_records();
  }
}

TEST(Examples, LineCountSinkWritesItsLedgerAtACommit) {
  char pattern[] = "/tmp/millrace-example-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(pattern);
  FakeHost host;
  const mr_connector_v1* sink = connector("line_count_sink", "LineCountSink");
  ASSERT_NE(sink, nullptr);
  TaskRunner task(host, sink, {{"ledger.file", (folder / "ledger").string()}, {"skip.null", "true"}});
  ASSERT_TRUE(task.start().ok());
  mr_record records[3]{};
  for (mr_record& record : records) record.original_topic = to_mr("t");
  records[0].value = records[2].value = string_value("x");
  ASSERT_TRUE(task.put(records).ok());
  mr_topic_partition offsets[] = {{to_mr("t"), 0, 0, 3}};
  ASSERT_TRUE(task.flush(offsets).ok());
  ASSERT_TRUE(task.flush(offsets).ok());
  std::ostringstream ledger;
  ledger << std::ifstream(folder / "ledger").rdbuf();
  EXPECT_EQ(ledger.str(), "t-0 3 2\n");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace millrace::sdk
