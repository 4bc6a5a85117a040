#include "log/fault_file_system.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {

class FaultFileSystem::OpenFile final : public File {
 public:
  OpenFile(FaultFileSystem& fs, Path path, std::shared_ptr<Node> node)
      : fs_(fs), path_(std::move(path)), node_(std::move(node)) {}

  Expected<size_t> read_at(uint64_t position, char* to, size_t size) const override {
    std::lock_guard lock(fs_.mutex_);
    if (position >= node_->content.size()) return size_t{0};
    return node_->content.copy(to, size, position);
  }
  Status write_at(uint64_t position, std::string_view bytes) override {
    std::lock_guard lock(fs_.mutex_);
    Status allowed = fs_.operate("write", path_);
    const uint64_t growth =
        position + bytes.size() > node_->content.size() ? position + bytes.size() - node_->content.size() : 0;
    if (allowed && growth > 0 && fs_.used() + growth > fs_.capacity_) {
      allowed = fail(ErrorCode::kUnavailable, fmt::format("cannot write {}: No space left on device", path_.string()));
    }
    if (!allowed) {
      if (!fs_.torn_writes_) return allowed;
      bytes = bytes.substr(0, bytes.size() / 2);
    }
    if (node_->content.size() < position + bytes.size()) node_->content.resize(position + bytes.size());
    node_->content.replace(position, bytes.size(), bytes);
    return allowed;
  }
  Status truncate(uint64_t size) override {
    std::lock_guard lock(fs_.mutex_);
    if (auto allowed = fs_.operate("truncate", path_); !allowed) return allowed;
    node_->content.resize(size);
    return {};
  }
  Status sync() override {
    std::lock_guard lock(fs_.mutex_);
    if (auto allowed = fs_.operate("fdatasync", path_); !allowed) return allowed;
    node_->synced = node_->content;
    return {};
  }
  Expected<uint64_t> size() const override {
    std::lock_guard lock(fs_.mutex_);
    return node_->content.size();
  }
  int descriptor() const override { return -1; }

 private:
  FaultFileSystem& fs_;
  const Path path_;
  std::shared_ptr<Node> node_;  // co-owned with the names that lead to it
};

void FaultFileSystem::fail_nth(int64_t n, int64_t count) {
  std::lock_guard lock(mutex_);
  fail_from_ = operations_ + n;
  fail_to_ = fail_from_ + count;
}
void FaultFileSystem::set_torn_writes(bool torn) {
  std::lock_guard lock(mutex_);
  torn_writes_ = torn;
}
void FaultFileSystem::set_capacity(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  capacity_ = bytes;
}
int64_t FaultFileSystem::operations() const {
  std::lock_guard lock(mutex_);
  return operations_;
}

uint64_t FaultFileSystem::used() const {
  uint64_t total = 0;
  for (const auto& [path, node] : names_) total += node->content.size();
  return total;
}

Status FaultFileSystem::operate(std::string_view what, const Path& path) {
  const int64_t number = operations_++;
  if (number < fail_from_ || number >= fail_to_) return {};
  return fail(ErrorCode::kUnavailable, fmt::format("cannot {} {}: injected fault {}", what, path.string(), number));
}

void FaultFileSystem::crash(uint64_t seed) {
  std::lock_guard lock(mutex_);
  std::mt19937_64 random(seed);
  fail_from_ = fail_to_ = INT64_MAX;
  names_ = synced_names_;
  for (auto& [path, node] : names_) {
    const std::string unsynced =
        node->content.size() > node->synced.size() ? node->content.substr(node->synced.size()) : std::string();
    const bool appended_only = node->content.starts_with(node->synced);
    node->content = node->synced;
    if (appended_only && !unsynced.empty()) node->content += unsynced.substr(0, random() % (unsynced.size() + 1));
    node->synced = node->content;
  }
}

Expected<std::unique_ptr<File>> FaultFileSystem::open(const Path& path, Open mode) {
  std::lock_guard lock(mutex_);
  auto found = names_.find(path);
  if (found == names_.end()) {
    if (mode != Open::kCreate)
      return fail(ErrorCode::kNotFound, fmt::format("cannot open {}: No such file or directory", path.string()));
    if (auto allowed = operate("create", path); !allowed) return fail(std::move(allowed.error()));
    found = names_.emplace(path, std::make_shared<Node>()).first;
  }
  return std::make_unique<OpenFile>(*this, path, found->second);
}

Expected<std::vector<std::string>> FaultFileSystem::list(const Path& directory) {
  std::lock_guard lock(mutex_);
  std::set<std::string> children;
  for (const auto& [path, node] : names_) {
    if (path.parent_path() == directory) children.insert(path.filename().string());
    if (path.parent_path().parent_path() == directory) children.insert(path.parent_path().filename().string());
  }
  return std::vector<std::string>(children.begin(), children.end());
}

Status FaultFileSystem::create_directories(const Path& directory) {
  std::lock_guard lock(mutex_);
  directories_.insert(directory);
  return {};
}

Status FaultFileSystem::rename(const Path& from, const Path& to) {
  std::lock_guard lock(mutex_);
  if (auto allowed = operate("rename", from); !allowed) return allowed;
  std::map<Path, std::shared_ptr<Node>> moved;
  for (const auto& [path, node] : names_) {
    if (path == from) {
      moved[to] = node;
    } else if (path.parent_path() == from) {
      moved[to / path.filename()] = node;
    }
  }
  std::erase_if(names_, [&](const auto& each) { return each.first == from || each.first.parent_path() == from; });
  for (auto& [path, node] : moved) names_[path] = std::move(node);
  return {};
}

Status FaultFileSystem::remove(const Path& path) {
  std::lock_guard lock(mutex_);
  names_.erase(path);
  return {};
}

Status FaultFileSystem::remove_all(const Path& path) {
  std::lock_guard lock(mutex_);
  std::erase_if(names_, [&](const auto& each) { return each.first == path || each.first.parent_path() == path; });
  directories_.erase(path);
  return {};
}

bool FaultFileSystem::exists(const Path& path) const {
  std::lock_guard lock(mutex_);
  return names_.contains(path) || directories_.contains(path);
}

Status FaultFileSystem::sync_directory(const Path& directory) {
  std::lock_guard lock(mutex_);
  if (auto allowed = operate("fsync", directory); !allowed) return allowed;
  std::erase_if(synced_names_, [&](const auto& each) { return each.first.parent_path() == directory; });
  for (const auto& [path, node] : names_) {
    if (path.parent_path() == directory) synced_names_[path] = node;
  }
  return {};
}

}  // namespace millrace
