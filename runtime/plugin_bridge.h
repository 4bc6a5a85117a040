/// The host's side of the plugin ABI: what a plugin calls through mr_host_v1 arrives at a virtual function of the
/// context that its connector or task was created with.
#pragma once

#include <millrace/abi.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/logger.h"
#include "runtime/herder.h"

/// Behind the ABI's opaque pointer. Threads: each function says so in abi.h. The defaults refuse what a context of this
/// kind does not offer, so a sink that calls emit gets an error and not a crash.
struct mr_context {
  virtual ~mr_context() = default;
  virtual std::string_view connector_name() const = 0;
  virtual const millrace::Logger& logger() const = 0;
  virtual bool stopping() = 0;
  virtual bool wait(std::chrono::milliseconds timeout) = 0;

  virtual millrace::Expected<mr_schema_id> register_schema(const mr_schema& schema);
  virtual const mr_schema* describe_schema(mr_schema_id id);
  virtual millrace::Expected<mr_value> stored_offset(const mr_value& partition);
  virtual millrace::Status emit(std::span<const mr_record> records);
  virtual void request_commit() {}
  virtual millrace::Status report(size_t record_index, millrace::Error why);
  virtual millrace::Status seek(const mr_topic_partition& to);
  virtual millrace::Status pause(std::span<const mr_topic_partition> partitions);
  virtual millrace::Status resume(std::span<const mr_topic_partition> partitions);
  virtual bool defines_transactions() { return false; }
  virtual millrace::Status commit_transaction();
  virtual millrace::Status abort_transaction();
  virtual void limit_next_wait(std::chrono::milliseconds) {}
  virtual void request_reconfiguration() {}
  virtual void raise_error(millrace::Error error);
  virtual void add_task_config(millrace::ConfigMap config);
  virtual void add_config_error(std::string_view key, std::string_view message);
  /// A line of the plugin's; goes to logger().
  virtual void log(millrace::LogLevel level, std::string_view message);
  virtual void add_preview(std::string_view line);
  virtual void set_progress(std::span<const mr_progress>) {}
  virtual mr_str take_signal() { return {nullptr, 0}; }
};

namespace millrace {

/// The function table given to every plugin; lives as long as the process.
const mr_host_v1& plugin_host_table();

/// An ABI result as a Status.
Status to_status(int32_t code, const mr_error& error);
void fill_error(mr_error* to, const Error& from);

/// A config map as the ABI's array, borrowing from it.
class ConfigView {
 public:
  explicit ConfigView(const ConfigMap& config);
  const mr_config* get() const { return &view_; }

 private:
  std::vector<mr_pair> pairs_;
  mr_config view_{};
};

/// A stop request that a task or connector can wait on. Threads: any.
class StopSignal {
 public:
  void request();
  void reset();
  bool requested() const;
  /// Waits up to `timeout`; true when a stop was requested.
  bool wait_for(std::chrono::milliseconds timeout);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool requested_ = false;
};

/// What connector instances and validation calls share: a name, a logger, a stop signal.
class BasicContext : public mr_context {
 public:
  BasicContext(std::string name, Logger logger) : name_(std::move(name)), logger_(std::move(logger)) {}
  std::string_view connector_name() const override { return name_; }
  const Logger& logger() const override { return logger_; }
  bool stopping() override { return stop_.requested(); }
  bool wait(std::chrono::milliseconds timeout) override { return stop_.wait_for(timeout); }
  StopSignal& stop_signal() { return stop_; }

 private:
  const std::string name_;
  const Logger logger_;
  StopSignal stop_;
};

/// Collects what a plugin's validate() says about keys, and what it logs besides.
class ValidationContext final : public BasicContext {
 public:
  using BasicContext::BasicContext;
  void add_config_error(std::string_view key, std::string_view message) override { errors.emplace_back(key, message); }
  void log(LogLevel level, std::string_view message) override {
    lines.emplace_back(level, message);
    BasicContext::log(level, message);
  }
  std::vector<std::pair<LogLevel, std::string>> lines;      ///< in order
  std::vector<std::pair<std::string, std::string>> errors;  ///< key, message; in the order they were said
};

}  // namespace millrace
