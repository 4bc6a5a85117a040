#include "connectors/file/file_source.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "connectors/file/utf8.h"

namespace millrace::file {
namespace {

using sdk::Code;
using sdk::ok;
using sdk::SourceContext;
using sdk::Status;

constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kLineBytesMax = size_t{1} << 31;  // as long as a Java string can be
constexpr int64_t kRecordsMax = 8192;              // more in one emit gains nothing
constexpr int64_t kIdleMs = 250;
constexpr int64_t kHeadBytes = 256;
constexpr std::string_view kIdentityOption = "offset.file.identity", kTruncationOption = "on.truncation";

// offset.file.identity and on.truncation are not listed: tools compare the list with Kafka's. See README.md.
constexpr sdk::ConfigKey kConfig[] = {
    {"file", sdk::Type::kString, sdk::kNull, sdk::Importance::kHigh, "File to read. Unset or empty: standard input."},
    {"topic", sdk::Type::kString, sdk::kNoDefault, sdk::Importance::kHigh, "Topic the lines are written to.", "", -1,
     sdk::Width::kNone, "", sdk::checks::non_empty},
    {"batch.size", sdk::Type::kInt, "2000", sdk::Importance::kLow, "Most lines that one poll takes from the file."},
};

std::string reason(int code) { return std::generic_category().message(code); }

/// Begins as Kafka Connect's does, which tools look for; then says what helps.
std::string cannot_open(const std::string& path, int code) {
  const std::string refused = code == EACCES ? "java.nio.file.AccessDeniedException: " + path
                                             : "java.nio.file.FileSystemException: " + path + ": " + reason(code);
  return refused + "; FileStreamSourceTask couldn't open it: let the worker's user read it and restart the task";
}

bool integer(const mr_value* value) { return value != nullptr && value->kind >= MR_INT8 && value->kind <= MR_INT64; }

int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// FNV-1a.
int64_t hash_of(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3u;
  return static_cast<int64_t>(hash);
}

}  // namespace

FileSourceTask::FileSourceTask() : buffer_(kReadBytes) {}

Status FileSourceTask::start(SourceContext& context) {
  path_ = context.string("file");
  standard_input_ = path_.empty();
  topic_ = context.string("topic");
  with_identity_ = context.boolean(kIdentityOption);
  const std::string truncation = context.string(kTruncationOption);
  if (!truncation.empty() && truncation != "restart" && truncation != "fail") {
    return {Code::kInvalidConfig,
            "Invalid value " + truncation + " for configuration on.truncation: must be restart or fail"};
  }
  fail_on_truncation_ = truncation == "fail";

  partition_[0] = sdk::string_value("filename");
  partition_[1] = sdk::string_value(path_);
  prepare_records(static_cast<size_t>(std::clamp<int64_t>(context.int64("batch.size"), 1, kRecordsMax)));
  const mr_schema_id schema = context.plain_schema(MR_STRING, /*optional=*/false);
  for (mr_record& record : records_) record.value_schema = schema;
  if (!standard_input_) return read_stored_offset(context);
  file_ = FileHandle::borrowed(STDIN_FILENO);
  return ok();
}

void FileSourceTask::prepare_records(size_t count) {
  constexpr std::string_view kIdentityNames[] = {"device", "inode", "head.bytes", "head.hash"};
  offset_values_ = with_identity_ ? 10 : 2;
  records_.assign(count, mr_record{});
  offsets_.assign(count * offset_values_, mr_value{});
  for (size_t i = 0; i < count; ++i) {
    mr_value* entries = &offsets_[i * offset_values_];
    entries[0] = sdk::string_value("position");
    entries[1] = sdk::int_value(MR_INT64, 0);
    for (size_t field = 0; with_identity_ && field < 4; ++field) {
      entries[2 + 2 * field] = sdk::string_value(kIdentityNames[field]);
      entries[3 + 2 * field] = sdk::int_value(MR_INT64, 0);
    }
    mr_record& record = records_[i];
    record.topic = sdk::to_mr(topic_);
    record.partition = MR_NO_PARTITION;
    if (standard_input_) continue;
    record.source_partition = sdk::map_value(partition_);
    record.source_offset = sdk::map_value({entries, offset_values_});
  }
}

Status FileSourceTask::read_stored_offset(SourceContext& context) {
  mr_value stored{};
  if (Status found = context.stored_offset(sdk::map_value(partition_), stored); !found.ok()) return found;
  const mr_value* position = sdk::find(stored, "position");
  if (position == nullptr || position->kind == MR_NULL) return ok();
  if (!integer(position)) return {Code::kInternal, "Offset position is the incorrect type"};
  stored_position_ = position->u.i64;
  const mr_value* fields[] = {sdk::find(stored, "device"), sdk::find(stored, "inode"), sdk::find(stored, "head.bytes"),
                              sdk::find(stored, "head.hash")};
  stored_identity_known_ = std::all_of(std::begin(fields), std::end(fields), integer);
  if (stored_identity_known_) {
    stored_identity_ = {fields[0]->u.i64, fields[1]->u.i64, fields[2]->u.i64, fields[3]->u.i64};
  }
  return ok();
}

Status FileSourceTask::poll(SourceContext& context) {
  repaired_.clear();
  if (!file_.is_open()) {
    if (Status opened = open(context); !opened.ok()) return opened;
    if (!file_.is_open()) {
      context.wait(kIdleMs);
      return ok();
    }
  }
  while (!context.stopping()) {
    const LineBuffer::Mark mark = buffer_.mark();
    if (collect()) return send(context, mark);
    size_t bytes = 0;
    if (Status read = fill(context, bytes); !read.ok()) return read;
    if (bytes == 0) return at_end(context);
  }
  return ok();
}

Status FileSourceTask::stop(SourceContext&) {
  file_ = FileHandle();
  return ok();
}

// ---- opening -------------------------------------------------------------------------------------------------------

Status FileSourceTask::open(SourceContext& context) {
  // Without O_NONBLOCK opening a named pipe would wait for its writer.
  FileHandle opened = FileHandle::owned(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened.is_open()) {
    const int code = errno;
    if (code != ENOENT) {
      return {Code::kInternal, cannot_open(path_, code)};
    }
    if (!missing_reported_) {
      context.warn("Couldn't find file '" + path_ + "' for FileStreamSourceTask, waiting for it to be created");
      missing_reported_ = true;
    }
    return ok();
  }
  struct ::stat status {};
  if (::fstat(opened.get(), &status) != 0) return read_failed(context, errno);
  if (S_ISDIR(status.st_mode)) return read_failed(context, EISDIR);  // a file may come in its place
  missing_reported_ = replaced_ = false;
  regular_ = S_ISREG(status.st_mode);
  file_ = std::move(opened);
  const int64_t position = first_open_ && regular_ ? start_position(context, status.st_size) : 0;
  first_open_ = false;
  if (position != 0 && ::lseek(file_.get(), position, SEEK_SET) < 0) return read_failed(context, errno);
  buffer_.reset(position);
  identity_ = {};
  refresh_identity();
  context.info("Reading '" + path_ + "' from byte " + std::to_string(position));
  return ok();
}

int64_t FileSourceTask::start_position(SourceContext& context, int64_t size) const {
  if (stored_position_ > size) {
    context.warn("'" + path_ + "' has " + std::to_string(size) + " bytes but was read up to byte " +
                 std::to_string(stored_position_) +
                 " before: it was truncated or replaced, reading it from the beginning");
    return 0;
  }
  if (with_identity_ && stored_identity_known_ && identity_of(stored_identity_.head_bytes) != stored_identity_) {
    context.warn("'" + path_ + "' is not the file that was read up to byte " + std::to_string(stored_position_) +
                 " before (other inode or other first bytes): reading it from the beginning");
    return 0;
  }
  return stored_position_;
}

FileSourceTask::Identity FileSourceTask::identity_of(int64_t head_bytes) const {
  struct ::stat status {};
  if (::fstat(file_.get(), &status) != 0) return {};
  char head[kHeadBytes];
  const auto wanted = static_cast<size_t>(std::clamp<int64_t>(head_bytes, 0, kHeadBytes));
  const ssize_t got = ::pread(file_.get(), head, wanted, 0);
  const auto size = static_cast<size_t>(std::max<ssize_t>(got, 0));
  return {static_cast<int64_t>(status.st_dev), static_cast<int64_t>(status.st_ino), static_cast<int64_t>(size),
          hash_of({head, size})};
}

void FileSourceTask::refresh_identity() {
  if (with_identity_ && regular_ && identity_.head_bytes < kHeadBytes) identity_ = identity_of(buffer_.position());
}

// ---- lines
// -----------------------------------------------------------------------------------------------------------

bool FileSourceTask::collect() {
  count_ = 0;
  std::string_view line;
  while (count_ < records_.size() && buffer_.next(line)) add_line(line, buffer_.position());
  return count_ != 0;
}

void FileSourceTask::add_line(std::string_view line, int64_t position) {
  if (!valid_utf8(line)) line = repaired_.emplace_back(repaired_utf8(line));
  records_[count_].value = sdk::string_value(line);
  offsets_[count_ * offset_values_ + 1].u.i64 = position;
  ++count_;
}

Status FileSourceTask::send(SourceContext& context, LineBuffer::Mark mark) {
  refresh_identity();
  const int64_t now = now_ms();
  for (size_t i = 0; i < count_; ++i) {
    records_[i].timestamp_ms = now;
    if (!with_identity_) continue;
    mr_value* entries = &offsets_[i * offset_values_];
    entries[3].u.i64 = identity_.device;
    entries[5].u.i64 = identity_.inode;
    entries[7].u.i64 = identity_.head_bytes;
    entries[9].u.i64 = identity_.head_hash;
  }
  Status sent = context.emit({records_.data(), count_});
  if (!sent.ok()) buffer_.rewind(mark);  // a poll after a passing failure must see these lines again
  return sent;
}

bool FileSourceTask::readable_now() const {
  if (regular_) return true;
  struct ::pollfd waited {
    file_.get(), POLLIN, 0
  };
  return ::poll(&waited, 1, 0) > 0;
}

Status FileSourceTask::fill(SourceContext& context, size_t& bytes) {
  bytes = 0;
  if (input_ended_ || !readable_now()) return ok();
  const std::span<char> room = buffer_.room(kLineBytesMax);
  if (room.empty()) {
    return {Code::kInternal, "the line of '" + path_ + "' at byte " + std::to_string(buffer_.position()) +
                                 " is longer than 2 GiB; is this a text file?"};
  }
  const ssize_t got = ::read(file_.get(), room.data(), room.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN ? ok() : read_failed(context, errno);
  bytes = static_cast<size_t>(got);
  buffer_.filled(bytes);
  if (bytes == 0)
    input_ended_ = standard_input_;
  else
    replaced_ = unreadable_reported_ = false;
  return ok();
}

/// A folder, a broken disk: says so once and goes on trying, as Connect's file source does.
Status FileSourceTask::read_failed(SourceContext& context, int code) {
  if (!unreadable_reported_)
    context.warn("Couldn't read '" + path_ + "': " + reason(code) + "; trying again until it can be read");
  unreadable_reported_ = true;
  return ok();
}

// ---- the end of the file
// ---------------------------------------------------------------------------------------------

Status FileSourceTask::at_end(SourceContext& context) {
  if (standard_input_ && input_ended_) {
    if (Status sent = send_rest(context, 0); !sent.ok()) return sent;
  }
  struct ::stat opened {
  }, named{};
  if (regular_ && ::fstat(file_.get(), &opened) == 0) {
    if (opened.st_size < buffer_.read_position()) return restart_truncated(context, opened.st_size);
    if (::stat(path_.c_str(), &named) == 0 && !same_file(opened, named)) {
      if (replaced_) return follow_replaced(context);
      replaced_ = true;
    }
  }
  context.wait(kIdleMs);
  return ok();
}

Status FileSourceTask::restart_truncated(SourceContext& context, int64_t size) {
  const std::string what = "'" + path_ + "' was truncated to " + std::to_string(size) +
                           " bytes after it was read up to byte " + std::to_string(buffer_.read_position());
  if (fail_on_truncation_)
    return {Code::kInternal, what + "; alter or reset the connector's offsets, or set on.truncation=restart"};
  context.warn(what + ": reading it from the beginning");
  if (::lseek(file_.get(), 0, SEEK_SET) < 0) return read_failed(context, errno);
  buffer_.reset(0);
  identity_ = {};
  return ok();
}

Status FileSourceTask::follow_replaced(SourceContext& context) {
  // The position of the last line must not be taken for one in the new file; the identity, if kept, says the same.
  if (Status sent = send_rest(context, with_identity_ ? buffer_.read_position() : 0); !sent.ok()) return sent;
  context.info("'" + path_ + "' was replaced by another file: reading the new one from the beginning");
  file_ = FileHandle();
  return ok();
}

/// Emits what stands after the last line end of an input that will not grow any more.
Status FileSourceTask::send_rest(SourceContext& context, int64_t position) {
  const LineBuffer::Mark mark = buffer_.mark();
  std::string_view line;
  if (!buffer_.rest(line)) return ok();
  count_ = 0;
  add_line(line, position);
  return send(context, mark);
}

// ---- the connector
// ---------------------------------------------------------------------------------------------------

std::span<const sdk::ConfigKey> FileStreamSource::config() { return kConfig; }

Status FileStreamSource::alter_offset(const sdk::Config& config, const mr_value& partition, const mr_value& offset) {
  const auto refuse = [](const char* why) { return Status(Code::kInternal, why); };
  if (config.string("file").empty()) {
    return refuse(
        "Offsets cannot be modified if the 'file' configuration is unspecified. "
        "This is because stdin is used for input and offsets are not tracked.");
  }
  if (offset.kind == MR_NULL) return ok();
  const mr_value* position = sdk::find(offset, "position");
  if (position == nullptr) return refuse("Offset objects should either be null or contain the key 'position'");
  if (!integer(position))
    return refuse("The value for the 'position' key in the offset is expected to be a Long value");
  if (position->u.i64 < 0)
    return refuse("The value for the 'position' key in the offset should be a non-negative value");
  if (partition.kind == MR_NULL) return refuse("Partition objects cannot be null");
  if (sdk::find(partition, "filename") == nullptr) return refuse("Partition objects should contain the key 'filename'");
  return ok();
}

}  // namespace millrace::file
