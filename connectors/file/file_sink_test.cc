#include <millrace/testing.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "connectors/file/file_sink.h"

extern "C" const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept;

namespace millrace::file {
namespace {

using sdk::FakeHost;
using sdk::TaskRunner;
using ::testing::HasSubstr;

class FileSink : public ::testing::Test {
 protected:
  FileSink() {
    char pattern[] = "/tmp/millrace-file-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    path_ = folder_ / "out.txt";
  }
  ~FileSink() override { std::filesystem::remove_all(folder_); }
  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path_, std::ios::binary).rdbuf();
    return text.str();
  }
  std::unique_ptr<TaskRunner> task(const std::string& file) {
    return std::make_unique<TaskRunner>(host_, FakeHost::connector(mr_plugin, "FileStreamSink"),
                                        FakeHost::Settings{{"file", file}});
  }
  static mr_record record(const mr_value& value, int64_t offset = 0) {
    mr_record made{};
    made.topic = made.original_topic = sdk::to_mr("t");
    made.value = value;
    made.offset = offset;
    return made;
  }
  std::filesystem::path folder_, path_;
  FakeHost host_;
};

TEST_F(FileSink, AppendsOneLineARecord) {
  std::ofstream(path_) << "before\n";
  auto sink = task(path_.string());
  ASSERT_TRUE(sink->start().ok());
  const mr_value entries[] = {sdk::string_value("a"), sdk::int_value(MR_INT64, 1)};
  const mr_record records[] = {record(sdk::string_value("one")), record(mr_value{}), record(sdk::map_value(entries))};
  ASSERT_TRUE(sink->put(records).ok());
  EXPECT_EQ(content(), "before\none\nnull\n{a=1}\n");
  ASSERT_TRUE(sink->flush().ok());
  ASSERT_TRUE(sink->put({}).ok());
  ASSERT_TRUE(sink->stop().ok());
}

TEST_F(FileSink, MissingFolderFailsTheTask) {
  const std::string file = (folder_ / "nowhere/out.txt").string();
  auto sink = task(file);
  const sdk::Status started = sink->start();
  EXPECT_EQ(started.code(), sdk::Code::kInternal);
  EXPECT_THAT(started.message(), HasSubstr("Couldn't find or create file '" + file + "' for FileStreamSinkTask"));
}

TEST_F(FileSink, FullDeviceIsPassingTrouble) {
  auto sink = task("/dev/full");
  ASSERT_TRUE(sink->start().ok());
  const mr_record records[] = {record(sdk::string_value("x"))};
  const sdk::Status put = sink->put(records);
  EXPECT_EQ(put.code(), sdk::Code::kUnavailable);
  EXPECT_THAT(put.message(), HasSubstr("No space left on device"));
}

/// A pipe that is full stops a write anywhere; the rest must follow once, without a repeated line.
TEST_F(FileSink, HalfWrittenPutGoesOnWhereItStopped) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const FileHandle reader = FileHandle::owned(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  auto sink = task(path_.string());
  ASSERT_TRUE(sink->start().ok());
  // The sink's own descriptor is found by its target, to make its writes stop instead of block.
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const int descriptor = std::stoi(entry.path().filename());
    if (std::filesystem::read_symlink(entry.path(), gone) == path_ && descriptor != reader.get()) {
      ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
    }
  }
  const std::string line(100'000, 'y');
  const mr_record records[] = {record(sdk::string_value(line), 1), record(sdk::string_value(line), 2)};
  EXPECT_EQ(sink->put(records).code(), sdk::Code::kUnavailable);
  std::string got;
  sdk::Status status{sdk::Code::kUnavailable, ""};
  while (!status.ok()) {
    char bytes[65536];
    for (ssize_t size; (size = ::read(reader.get(), bytes, sizeof(bytes))) > 0;)
      got.append(bytes, static_cast<size_t>(size));
    status = sink->put(records);
    ASSERT_TRUE(status.ok() || status.code() == sdk::Code::kUnavailable) << status.message();
  }
  char bytes[65536];
  for (ssize_t size; (size = ::read(reader.get(), bytes, sizeof(bytes))) > 0;)
    got.append(bytes, static_cast<size_t>(size));
  EXPECT_EQ(got, line + "\n" + line + "\n");
}

TEST_F(FileSink, OtherWriteErrorsFailTheTask) {
  auto sink = task(path_.string());
  ASSERT_TRUE(sink->start().ok());
  struct ::rlimit saved {};
  ::getrlimit(RLIMIT_FSIZE, &saved);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const struct ::rlimit limit { 4, saved.rlim_max };
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const mr_record records[] = {record(sdk::string_value("longer than four"))};
  const sdk::Status put = sink->put(records);
  ::setrlimit(RLIMIT_FSIZE, &saved);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(put.code(), sdk::Code::kInternal);
  EXPECT_THAT(put.message(), HasSubstr("File too large"));
}

TEST(FileSinkPlugin, NamesAndOptions) {
  const mr_connector_v1* plugin = FakeHost::connector(mr_plugin, "FileStreamSinkConnector");
  ASSERT_NE(plugin, nullptr);
  EXPECT_EQ(sdk::view(plugin->names[0]), "org.apache.kafka.connect.file.FileStreamSinkConnector");
  EXPECT_EQ(plugin->kind, MR_SINK);
  ASSERT_EQ(plugin->config_count, 1u);
  EXPECT_EQ(sdk::view(plugin->config[0].name), "file");
  EXPECT_EQ(plugin->config[0].default_value.data, nullptr);
}

}  // namespace
}  // namespace millrace::file
