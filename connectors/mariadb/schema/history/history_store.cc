#include "connectors/mariadb/schema/history/history_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace millrace::mariadb {
namespace {

using Visit = std::function<Status(const HistoryRecord&)>;

class MemoryHistory final : public HistoryStore {
 public:
  Result<bool> empty() override { return records_.empty(); }
  Status append(const HistoryRecord& record) override {
    records_.push_back(record);
    return {};
  }
  Status read(const Visit& visit) override {
    for (const HistoryRecord& record : records_)
      if (Status status = visit(record); !status.ok()) return status;
    return {};
  }

 private:
  std::vector<HistoryRecord> records_;
};

/// One JSON document a line. A last line that a crash cut off is no record: it is overwritten.
class FileHistory final : public HistoryStore {
 public:
  explicit FileHistory(std::string path) : path_(std::move(path)) {}
  ~FileHistory() override {
    if (file_ >= 0) ::close(file_);
  }

  Status open() {
    const std::filesystem::path parent = std::filesystem::path(path_).parent_path();
    std::error_code ignored;
    if (!parent.empty()) std::filesystem::create_directories(parent, ignored);
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) return failed("opened");
    return drop_half_line();
  }

  Result<bool> empty() override {
    const off_t size = ::lseek(file_, 0, SEEK_END);
    if (size < 0) return failed("read");
    return size == 0;
  }

  Status append(const HistoryRecord& record) override {
    const std::string line = history_json(record) + "\n";
    if (::lseek(file_, 0, SEEK_END) < 0) return failed("written");
    for (size_t done = 0; done < line.size();) {
      const ssize_t wrote = ::write(file_, line.data() + done, line.size() - done);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return failed("written");
      done += static_cast<size_t>(wrote);
    }
    return ::fdatasync(file_) == 0 ? Status() : failed("written");
  }

  Status read(const Visit& visit) override {
    std::ifstream lines(path_);
    for (std::string line; std::getline(lines, line);) {
      if (line.find_first_not_of(" \r\t") == std::string::npos) continue;
      const Result<HistoryRecord> record = parse_history(line);
      if (!record.ok()) return record.status();
      if (Status status = visit(record.value()); !status.ok()) return status;
    }
    return {};
  }

 private:
  Status failed(const char* what) const {
    return Status(Code::kInternal,
                  "The schema history file " + path_ + " cannot be " + what + ": " + std::strerror(errno));
  }

  Status drop_half_line() {
    std::ifstream lines(path_, std::ios::binary);
    std::string line, last;
    off_t good = 0, at = 0;
    while (std::getline(lines, line)) {
      at += static_cast<off_t>(line.size());
      if (lines.eof()) {  // no line end: whole only if it can be read (Debezium may end its file so)
        last = line;
        break;
      }
      good = ++at;
    }
    if (last.empty()) return {};
    if (!parse_history(last).ok()) return ::ftruncate(file_, good) == 0 ? Status() : failed("written");
    if (::lseek(file_, 0, SEEK_END) < 0 || ::write(file_, "\n", 1) != 1) return failed("written");
    return {};
  }

  std::string path_;
  int file_ = -1;
};

class KafkaHistory final : public HistoryStore {
 public:
  explicit KafkaHistory(const HistoryOptions& options) : options_(options) {}

  Result<bool> empty() override {
    bool any = false;
    const Status status = documents([&any](const TopicDocument&) {
      any = true;
      return Status();
    });
    if (!status.ok()) return status;
    return !any;
  }

  Status append(const HistoryRecord& record) override {
    if (writer_ == nullptr) {
      Result<std::unique_ptr<TopicWriter>> writer = TopicWriter::open(options_.producer, options_.topic);
      if (!writer.ok()) return writer.status();
      writer_ = std::move(writer.value());
    }
    return writer_->append(std::nullopt, history_json(record));
  }

  Status read(const Visit& visit) override {
    return documents([&visit](const TopicDocument& document) {
      const Result<HistoryRecord> record = parse_history(*document.value);
      return record.ok() ? visit(record.value()) : record.status();
    });
  }

 private:
  Status documents(const std::function<Status(const TopicDocument&)>& visit) {
    Result<std::unique_ptr<TopicReader>> reader = TopicReader::open(options_.consumer, options_.topic, 0);
    if (!reader.ok()) return reader.status();
    const Result<std::vector<TopicDocument>> all = reader.value()->read_to_end();
    if (!all.ok()) return all.status().code() == Code::kNotFound ? Status() : all.status();
    for (const TopicDocument& document : all.value())
      if (document.value)
        if (Status status = visit(document); !status.ok()) return status;
    return {};
  }

  HistoryOptions options_;
  std::unique_ptr<TopicWriter> writer_;
};

/// The statement first, for what table changes do not say (databases, a renamed table's old name, what Debezium could
/// not read); then the recorded form of the tables, which is what was streamed with.
void replay(const HistoryRecord& record, SchemaRegistry& registry) {
  if (!record.change.ddl.empty()) registry.apply(record.change.database, record.change.ddl);
  for (const TableChange& change : record.change.changes) {
    if (change.previous_id) registry.remove(*change.previous_id);
    if (change.table)
      registry.put(*change.table);
    else
      registry.remove(change.id);
  }
}

}  // namespace

Result<std::unique_ptr<HistoryStore>> HistoryStore::open(const HistoryOptions& options) {
  switch (options.kind) {
    case HistoryOptions::Kind::kKafka:
      return std::unique_ptr<HistoryStore>(std::make_unique<KafkaHistory>(options));
    case HistoryOptions::Kind::kFile: {
      auto file = std::make_unique<FileHistory>(options.file);
      if (Status status = file->open(); !status.ok()) return status;
      return std::unique_ptr<HistoryStore>(std::move(file));
    }
    case HistoryOptions::Kind::kMemory:
      break;
  }
  return std::unique_ptr<HistoryStore>(std::make_unique<MemoryHistory>());
}

Result<Recovered> recover(HistoryStore& store, const std::string& server, const HistoryPosition& stop,
                          SchemaRegistry& registry) {
  Recovered recovered;
  const HistoryStop end(stop);
  const Status status = store.read([&](const HistoryRecord& record) {
    ++recovered.read;
    const bool ours = record.server.empty() || record.server == server;
    if (ours && record.position.at_or_before(end)) {
      replay(record, registry);
      ++recovered.applied;
    }
    return Status();
  });
  if (!status.ok()) return status;
  return recovered;
}

}  // namespace millrace::mariadb
