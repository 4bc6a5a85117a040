/// The rules of errors.* for one task (Connect's RetryWithToleranceOperator): what is tried again, what is skipped,
/// what is logged, and what fails the task.
#pragma once

#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/logger.h"
#include "runtime/error_policy.h"
#include "runtime/task_metrics.h"

namespace millrace {

/// Where in a record's way it failed.
enum class Stage { kTransformation, kKeyConverter, kValueConverter, kHeaderConverter, kTaskPut, kKafkaProduce };
/// As Connect spells it: VALUE_CONVERTER.
std::string_view stage_name(Stage stage);

/// The Java class that a trace shows for `error`.
std::string exception_class(const Error& error);

/// An error that a plugin was given and returned: with the causes that the ABI has no room for. `given` is what it was
/// given last, if anything.
Error with_causes(Error returned, std::optional<Error> given);

/// A record that failed. Borrowed for the call.
struct Failure {
  Stage stage;
  std::string_view class_name;  ///< of the converter, transformation or task that failed
  const Error& error;
  std::string_view topic;
  int32_t partition = -1;  ///< sinks
  int64_t offset = -1;     ///< sinks
  /// What errors.log.include.messages shows of the record: ", where consumed record is {…}".
  std::function<std::string()> record_text = {};
};

/// Threads: run() belongs to the task's thread; judge() may be called from any.
class ErrorHandler {
 public:
  /// Waits, less when a stop is asked for; true when one was.
  using Wait = std::function<bool(std::chrono::milliseconds)>;
  /// `policy` and `metrics` outlive the handler. `task`: Connect's id of it, name-0.
  ErrorHandler(const ErrorPolicy& policy, std::string task, Logger logger, TaskMetrics& metrics, Wait wait)
      : policy_(policy),
        task_(std::move(task)),
        logger_(std::move(logger)),
        metrics_(metrics),
        wait_(std::move(wait)) {}

  /// Calls `operation`, which returns an Expected or a Status, and calls it again while it fails with kUnavailable and
  /// errors.retry.timeout has not passed.
  template <class Operation>
  auto run(Operation&& operation) {
    auto result = operation();
    if (result || !result.error().retriable()) [[likely]]
      return result;
    Retries retries(*this);
    while (!result && result.error().retriable() && retries.again()) result = operation();
    return result;
  }

  /// Counts and logs a failure and says what follows: ok = skip the record; an error fails the task with it.
  Status judge(const Failure& failure);

 private:
  /// The pauses between the tries of one operation.
  class Retries {
   public:
    explicit Retries(ErrorHandler& owner);
    /// Pauses; false when there is no time left or a stop was asked for.
    bool again();

   private:
    std::chrono::milliseconds delay();
    ErrorHandler& owner_;
    const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    int attempt_ = 0;
  };
  void log(const Failure& failure);

  const ErrorPolicy& policy_;
  const std::string task_;
  const Logger logger_;
  TaskMetrics& metrics_;
  const Wait wait_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace millrace
