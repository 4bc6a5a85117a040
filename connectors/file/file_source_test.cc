#include <millrace/testing.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "connectors/file/file_source.h"

extern "C" const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept;

namespace millrace::file {
namespace {

using sdk::FakeHost;
using sdk::OwnedValue;
using sdk::TaskRunner;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class FileSource : public ::testing::Test {
 protected:
  FileSource() {
    char pattern[] = "/tmp/millrace-file-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    path_ = folder_ / "in.txt";
  }
  ~FileSource() override { std::filesystem::remove_all(folder_); }

  void append(std::string_view text) { std::ofstream(path_, std::ios::app | std::ios::binary) << text; }
  void overwrite(std::string_view text) { std::ofstream(path_, std::ios::trunc | std::ios::binary) << text; }

  TaskRunner& start(FakeHost::Settings more = {}) {
    task_.reset();
    FakeHost::Settings settings{{"topic", "lines"}, {"file", path_.string()}};
    for (auto& [key, value] : more) settings[key] = value;
    task_ = std::make_unique<TaskRunner>(host_, FakeHost::connector(mr_plugin, "FileStreamSource"), settings);
    EXPECT_TRUE(task_->start().ok());
    return *task_;
  }
  /// Polls until a poll had nothing to read.
  std::vector<std::string> lines() {
    const size_t before = host_.waits();
    while (host_.waits() == before) EXPECT_TRUE(task_->poll().ok());
    auto texts = host_.value_texts();
    taken_ = host_.take_records();
    return texts;
  }
  OwnedValue partition() const { return {{"filename", path_.string()}}; }
  void store(int64_t position) { host_.store_offset(partition(), {{"position", position}}); }
  static int64_t position(const sdk::OwnedRecord& record) { return record.source_offset.entry("position").u.i64; }

  std::filesystem::path folder_, path_;
  FakeHost host_;
  std::unique_ptr<TaskRunner> task_;
  std::vector<sdk::OwnedRecord> taken_;
};

TEST_F(FileSource, RecordsCarryWhatConnectGivesThem) {
  append("first\nüml\n");
  start();
  EXPECT_THAT(lines(), ElementsAre("first", "üml"));
  const auto& record = taken_[1];
  EXPECT_EQ(record.topic, "lines");
  EXPECT_EQ(record.partition, MR_NO_PARTITION);
  EXPECT_TRUE(record.key.null());
  EXPECT_EQ(record.key_schema, 0u);
  EXPECT_EQ(record.value_schema, taken_[0].value_schema);
  const mr_schema* schema = host_.describe(record.value_schema);
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(schema->type, MR_STRING);
  EXPECT_EQ(schema->optional, 0);
  EXPECT_GT(record.timestamp_ms, 1'600'000'000'000);
  EXPECT_THAT(record.headers, IsEmpty());
  EXPECT_EQ(record.source_partition.text(), "{filename=" + path_.string() + "}");
  EXPECT_EQ(record.source_offset.text(), "{position=11}");  // bytes, not characters
}

TEST_F(FileSource, GoesOnWhereItStopped) {
  append("one\ntwo\nthree\n");
  store(4);
  start();
  EXPECT_THAT(lines(), ElementsAre("two", "three"));
  host_.store_offset(taken_.back().source_partition, taken_.back().source_offset);
  append("four\n");
  start();
  EXPECT_THAT(lines(), ElementsAre("four"));
}

TEST_F(FileSource, UnfinishedLineWaitsForItsEnd) {
  append("one\ntw");
  start();
  EXPECT_THAT(lines(), ElementsAre("one"));
  append("o\n");
  EXPECT_THAT(lines(), ElementsAre("two"));
  EXPECT_EQ(position(taken_[0]), 8);
}

TEST_F(FileSource, BatchSizeBoundsAPollAndTheRestComesNext) {
  append("1\n2\n3\n4\n5\n");
  start({{"batch.size", "2"}});
  ASSERT_TRUE(task_->poll().ok());
  EXPECT_THAT(host_.value_texts(), ElementsAre("1", "2"));
  EXPECT_THAT(lines(), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_EQ(host_.emits(), 3u);
}

TEST_F(FileSource, BatchSizeZeroReadsLineByLine) {
  append("1\n2\n");
  start({{"batch.size", "0"}});
  EXPECT_THAT(lines(), ElementsAre("1", "2"));
}

TEST_F(FileSource, MissingFileIsAwaitedWithOneWarning) {
  start();
  EXPECT_THAT(lines(), IsEmpty());
  EXPECT_THAT(lines(), IsEmpty());
  EXPECT_EQ(host_.logged(MR_WARN), 1u);
  append("now\n");
  EXPECT_THAT(lines(), ElementsAre("now"));
}

TEST_F(FileSource, FolderInPlaceOfTheFileIsAwaitedToo) {
  std::filesystem::create_directory(path_);
  start();
  EXPECT_THAT(lines(), IsEmpty());
  EXPECT_THAT(lines(), IsEmpty());
  EXPECT_EQ(host_.logged(MR_WARN, "directory"), 1u);
  std::filesystem::remove(path_);
  append("now\n");
  EXPECT_THAT(lines(), ElementsAre("now"));
}

TEST_F(FileSource, ForbiddenFileFailsTheTask) {
  append("x\n");
  // A path through a file cannot be opened by anybody, not even by root.
  start({{"file", (path_ / "below").string()}});
  const sdk::Status polled = task_->poll();
  EXPECT_EQ(polled.code(), sdk::Code::kInternal);
  EXPECT_THAT(polled.message(), StartsWith("java.nio.file.FileSystemException: " + (path_ / "below").string()));
  EXPECT_THAT(polled.message(), HasSubstr("couldn't open"));
}

TEST_F(FileSource, TruncationIsNoticedWhileRunning) {
  append("one\ntwo\nthree\n");
  start();
  EXPECT_THAT(lines(), ElementsAre("one", "two", "three"));
  overwrite("new\n");
  EXPECT_THAT(lines(), ElementsAre("new"));
  EXPECT_EQ(position(taken_[0]), 4);
  EXPECT_EQ(host_.logged(MR_WARN, "truncated to 4 bytes"), 1u);
}

TEST_F(FileSource, TruncationCanFailTheTask) {
  append("one\ntwo\n");
  start({{"on.truncation", "fail"}});
  EXPECT_THAT(lines(), ElementsAre("one", "two"));
  overwrite("");
  EXPECT_EQ(task_->poll().code(), sdk::Code::kInternal);
}

TEST_F(FileSource, TruncationBeforeARestartStartsOver) {
  append("new\n");
  store(400);
  start();
  EXPECT_THAT(lines(), ElementsAre("new"));
  EXPECT_EQ(host_.logged(MR_WARN, "truncated or replaced"), 1u);
}

TEST_F(FileSource, RotatedFileIsReadToItsEndThenTheNewOne) {
  append("one\n");
  start();
  EXPECT_THAT(lines(), ElementsAre("one"));
  const auto old = folder_ / "in.txt.1";
  std::filesystem::rename(path_, old);
  std::ofstream(old, std::ios::app) << "late\nunfinished";
  append("fresh\n");
  EXPECT_THAT(lines(), ElementsAre("late"));
  EXPECT_THAT(lines(), ElementsAre("unfinished", "fresh"));
  EXPECT_EQ(position(taken_[0]), 0) << "a position in the old file must not be used for the new one";
  EXPECT_EQ(position(taken_[1]), 6);
}

TEST_F(FileSource, IdentityTellsAReplacedFileAfterARestart) {
  const FakeHost::Settings identity{{"offset.file.identity", "true"}};
  append("one\n");
  start(identity);
  EXPECT_THAT(lines(), ElementsAre("one"));
  host_.store_offset(taken_[0].source_partition, taken_[0].source_offset);
  append("two\n");
  start(identity);
  EXPECT_THAT(lines(), ElementsAre("two")) << "the same file, grown";
  host_.store_offset(taken_[0].source_partition, taken_[0].source_offset);
  std::filesystem::rename(path_, folder_ / "old");
  append("a longer first line\n");
  start(identity);
  EXPECT_THAT(lines(), ElementsAre("a longer first line"));
  EXPECT_EQ(host_.logged(MR_WARN, "is not the file"), 1u);
}

TEST_F(FileSource, OffsetsWithoutIdentityAreReadWithIt) {
  append("one\ntwo\n");
  store(4);
  start({{"offset.file.identity", "true"}});
  EXPECT_THAT(lines(), ElementsAre("two"));
}

TEST_F(FileSource, AnyIntegerIsAPositionAndNothingElse) {
  append("one\ntwo\n");
  host_.store_offset(partition(), {{"position", int32_t{4}}});
  start();
  EXPECT_THAT(lines(), ElementsAre("two"));
  host_.store_offset(partition(), {{"position", "4"}});
  TaskRunner task(host_, FakeHost::connector(mr_plugin, "FileStreamSource"),
                  {{"topic", "t"}, {"file", path_.string()}});
  EXPECT_EQ(task.start().message(), "Offset position is the incorrect type");
}

TEST_F(FileSource, LinesOfAFailedEmitComeAgain) {
  append("one\r\ntwo\n");
  start();
  host_.fail_next_emit({sdk::Code::kUnavailable, "full"});
  EXPECT_EQ(task_->poll().code(), sdk::Code::kUnavailable);
  EXPECT_THAT(lines(), ElementsAre("one", "two"));
}

TEST_F(FileSource, MalformedUtf8IsReplaced) {
  append("a\xFFz\n");
  start();
  EXPECT_THAT(lines(), ElementsAre("a\uFFFDz"));
  EXPECT_EQ(position(taken_[0]), 4);
}

TEST_F(FileSource, LinesLongerThanABufferAndManyBuffers) {
  const std::string longer(300'000, 'x');
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line " + std::to_string(i) + "\n";
  append(text + longer + "\nlast\n");
  start();
  const auto all = lines();
  ASSERT_EQ(all.size(), 50'002u);
  EXPECT_EQ(all[49'999], "line 49999");
  EXPECT_EQ(all[50'000], longer);
  EXPECT_EQ(position(taken_.back()), static_cast<int64_t>(text.size() + longer.size() + 6));
}

TEST_F(FileSource, NamedPipeIsReadWithoutBlocking) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  store(77);  // means nothing for a pipe
  start();
  EXPECT_THAT(lines(), IsEmpty());
  const FileHandle writer = FileHandle::owned(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::write(writer.get(), "piped\n", 6), 6);
  EXPECT_THAT(lines(), ElementsAre("piped"));
}

TEST_F(FileSource, StandardInputHasNoOffsets) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const int saved = ::dup(STDIN_FILENO);
  ::dup2(ends[0], STDIN_FILENO);
  start({{"file", ""}});
  ASSERT_EQ(::write(ends[1], "typed\nrest", 10), 10);
  EXPECT_THAT(lines(), ElementsAre("typed"));
  EXPECT_TRUE(taken_[0].source_partition.null());
  ::close(ends[1]);
  EXPECT_THAT(lines(), ElementsAre("rest")) << "nothing more can come";
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
  ::close(ends[0]);
}

TEST(FileSourcePlugin, NamesAndOptions) {
  const mr_connector_v1* plugin = FakeHost::connector(mr_plugin, "FileStreamSourceConnector");
  ASSERT_NE(plugin, nullptr);
  EXPECT_EQ(sdk::view(plugin->names[0]), "org.apache.kafka.connect.file.FileStreamSourceConnector");
  EXPECT_EQ(sdk::view(plugin->version), "0.1.0");
  EXPECT_EQ(plugin->kind, MR_SOURCE);
  ASSERT_EQ(plugin->config_count, 3u);
  EXPECT_EQ(sdk::view(plugin->config[1].name), "topic");
  EXPECT_EQ(plugin->config[1].required, 1);
  mr_error error{};
  EXPECT_NE(plugin->config[1].check(mr_str{"", 0}, &error), MR_OK);
  EXPECT_STREQ(error.message, "String must be non-empty");
  EXPECT_EQ(sdk::view(plugin->config[2].default_value), "2000");
  EXPECT_EQ(plugin->connector_create, nullptr) << "always one task";
}

TEST(FileSourcePlugin, FilesAreReadExactlyOnceButNotStandardInput) {
  const auto* plugin = FakeHost::connector(mr_plugin, "FileStreamSource");
  const mr_pair pairs[] = {{sdk::to_mr("file"), sdk::to_mr("in.txt")}};
  const mr_config with_file{pairs, 1}, without{nullptr, 0};
  ASSERT_NE(plugin->exactly_once_support, nullptr);
  EXPECT_EQ(plugin->exactly_once_support(&with_file), MR_SUPPORTED);
  EXPECT_EQ(plugin->exactly_once_support(&without), MR_UNSUPPORTED);
  EXPECT_EQ(plugin->can_define_transactions, nullptr);
}

std::string altered(const char* file, const OwnedValue& partition, const OwnedValue& offset) {
  FakeHost host;
  const mr_pair pairs[] = {{sdk::to_mr("file"), sdk::to_mr(file)}};
  const mr_config config{pairs, 1};
  mr_error error{};
  const auto* plugin = FakeHost::connector(mr_plugin, "FileStreamSource");
  return plugin->alter_offset(host.context(), &config, &partition.get(), &offset.get(), &error) == MR_OK
             ? ""
             : error.message;
}

TEST(FileSourcePlugin, AlteredOffsetsAreChecked) {
  const OwnedValue file{{"filename", "x"}}, null, position{{"position", int64_t{4}}};
  EXPECT_EQ(altered("x", file, position), "");
  EXPECT_EQ(altered("x", file, null), "");
  EXPECT_EQ(altered("x", null, null), "");
  EXPECT_EQ(altered("", file, null),
            "Offsets cannot be modified if the 'file' configuration is unspecified. "
            "This is because stdin is used for input and offsets are not tracked.");
  const char* kNoPosition = "Offset objects should either be null or contain the key 'position'";
  EXPECT_EQ(altered("x", file, {{"pos", int64_t{4}}}), kNoPosition);
  const char* kNotLong = "The value for the 'position' key in the offset is expected to be a Long value";
  EXPECT_EQ(altered("x", file, {{"position", "4"}}), kNotLong);
  EXPECT_EQ(altered("x", file, {{"position", 1.5}}), kNotLong);
  EXPECT_EQ(altered("x", file, {{"position", nullptr}}), kNotLong);
  EXPECT_EQ(altered("x", file, {{"position", int64_t{-1}}}),
            "The value for the 'position' key in the offset should be a non-negative value");
  EXPECT_EQ(altered("x", null, position), "Partition objects cannot be null");
  EXPECT_EQ(altered("x", {{"file", "x"}}, position), "Partition objects should contain the key 'filename'");
}

}  // namespace
}  // namespace millrace::file
