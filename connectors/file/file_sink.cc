#include "connectors/file/file_sink.h"

#include <fcntl.h>
#include <millrace/text.hpp>

#include <cerrno>
#include <system_error>

namespace millrace::file {
namespace {

using sdk::Code;
using sdk::ok;
using sdk::SinkContext;
using sdk::Status;

constexpr size_t kKeptBytes = 1024 * 1024;  // a larger text buffer is given back after its put

constexpr sdk::ConfigKey kConfig[] = {
    {"file", sdk::Type::kString, sdk::kNull, sdk::Importance::kHigh,
     "File to append to; made when absent, its folder is not. Unset or empty: standard output."},
};

std::string reason(int code) { return std::generic_category().message(code); }

/// Makes the entry of a file that may be new durable. A folder that cannot be opened is no reason to fail: the file's
/// own fsync still decides.
void sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const FileHandle handle = FileHandle::owned(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.is_open()) ::fsync(handle.get());
}

void append_line(std::string& text, const SinkContext& context, const mr_record& record) {
  if (record.value.kind == MR_STRING) {
    text.append(record.value.u.bytes, record.value.size);
  } else {
    sdk::append_text(text, record.value, record.value_schema, [&](mr_schema_id id) { return context.describe(id); });
  }
}

}  // namespace

Status FileSinkTask::start(SinkContext& context) {
  path_ = context.string("file");
  if (path_.empty()) {
    path_ = "standard output";
    file_ = FileHandle::borrowed(STDOUT_FILENO);
  } else {
    file_ = FileHandle::owned(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
    if (!file_.is_open()) {
      const int code = errno;
      return {Code::kInternal, "Couldn't find or create file '" + path_ + "' for FileStreamSinkTask: " + reason(code)};
    }
    sync_folder_of(path_);
  }
  struct ::stat status {};
  syncable_ = ::fstat(file_.get(), &status) == 0 && S_ISREG(status.st_mode);
  return ok();
}

Status FileSinkTask::put(SinkContext& context, std::span<const mr_record> records) {
  if (written_ < text_.size()) {
    // The last put failed halfway. Its records come again: they are already in text_, only the rest is to be written.
    const bool same = batch_of(records) == pending_;
    if (Status wrote = write_out(); !wrote.ok() || same) return wrote;
  }
  if (records.empty()) return ok();
  if (text_.capacity() > kKeptBytes) text_ = std::string();
  text_.clear();
  written_ = 0;
  for (const mr_record& record : records) {
    append_line(text_, context, record);
    text_ += '\n';
  }
  pending_ = batch_of(records);
  return write_out();
}

FileSinkTask::Batch FileSinkTask::batch_of(std::span<const mr_record> records) {
  if (records.empty()) return {};
  const mr_record& first = records.front();
  return {std::string(sdk::view(first.original_topic)), first.original_partition, first.offset, records.size()};
}

Status FileSinkTask::write_out() {
  while (written_ < text_.size()) {
    const ssize_t wrote = ::write(file_.get(), text_.data() + written_, text_.size() - written_);
    if (wrote >= 0) {
      written_ += static_cast<size_t>(wrote);
      unsynced_ = true;
      continue;
    }
    const int code = errno;
    if (code == EINTR) continue;
    const std::string message = "Couldn't write to '" + path_ + "': " + reason(code);
    if (code == ENOSPC || code == EDQUOT)
      return {Code::kUnavailable, message + "; free space, writing goes on by itself"};
    if (code == EAGAIN) return {Code::kUnavailable, message};
    return {Code::kInternal, message};
  }
  return ok();
}

Status FileSinkTask::flush(SinkContext&, std::span<mr_topic_partition>) {
  if (!unsynced_ || !syncable_) return ok();
  // After a failed fsync the kernel may have dropped the pages: only reading the records again repairs that.
  if (::fsync(file_.get()) != 0)
    return {Code::kInternal, "Couldn't sync '" + path_ + "': " + reason(errno) + "; offsets stay where they were"};
  unsynced_ = false;
  return ok();
}

Status FileSinkTask::stop(SinkContext&) {
  file_ = FileHandle();
  return ok();
}

std::span<const sdk::ConfigKey> FileStreamSink::config() { return kConfig; }

Status FileStreamSink::preview(sdk::PreviewContext& context, std::span<const mr_record> records) {
  for (const mr_record& record : records) {
    std::string line;
    append_line(line, context, record);
    context.add(line);
  }
  return ok();
}

}  // namespace millrace::file
