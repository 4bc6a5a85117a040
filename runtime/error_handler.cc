#include "runtime/error_handler.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {

using namespace std::chrono_literals;

std::string_view stage_name(Stage stage) {
  switch (stage) {
    case Stage::kTransformation:
      return "TRANSFORMATION";
    case Stage::kKeyConverter:
      return "KEY_CONVERTER";
    case Stage::kValueConverter:
      return "VALUE_CONVERTER";
    case Stage::kHeaderConverter:
      return "HEADER_CONVERTER";
    case Stage::kTaskPut:
      return "TASK_PUT";
    case Stage::kKafkaProduce:
      return "KAFKA_PRODUCE";
  }
  return "";
}

std::string exception_class(const Error& error) {
  const std::string trace = error_trace(error);
  return trace.substr(0, trace.find(':'));
}

Error with_causes(Error returned, std::optional<Error> given) {
  const bool same = given && given->code == returned.code && given->message.starts_with(returned.message);
  return same ? std::move(*given) : std::move(returned);
}

ErrorHandler::Retries::Retries(ErrorHandler& owner) : owner_(owner) {}

/// Doubling from 300 ms; above the bound a random time below it, so that tasks do not come back in step.
std::chrono::milliseconds ErrorHandler::Retries::delay() {
  const auto doubled = 300ms * (int64_t{1} << std::min(attempt_ - 1, 32));
  const auto most = owner_.policy_.retry_delay_max;
  if (doubled <= most) return doubled;
  std::uniform_int_distribution<int64_t> below(0, std::max<int64_t>(most.count() - 1, 0));
  return std::chrono::milliseconds(below(owner_.random_));
}

bool ErrorHandler::Retries::again() {
  ++attempt_;
  owner_.metrics_.record_failures.add();
  auto pause = delay();
  if (owner_.policy_.retry_timeout >= 0ms) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(begun_ + owner_.policy_.retry_timeout -
                                                                            std::chrono::steady_clock::now());
    if (left <= 0ms) return false;
    pause = std::min(pause, left);
  }
  if (owner_.wait_(pause)) return false;
  owner_.metrics_.retries.add();
  return true;
}

void ErrorHandler::log(const Failure& failure) {
  const std::string record = policy_.log_messages && failure.record_text ? failure.record_text() : std::string();
  logger_.error(fmt::format("Error encountered in task {}. Executing stage '{}' with class '{}'{}.", task_,
                            stage_name(failure.stage), failure.class_name, record),
                {{"error", error_trace(failure.error)}});
  metrics_.errors_logged.add();
}

Status ErrorHandler::judge(const Failure& failure) {
  if (failure.error.code == ErrorCode::kStopped) return fail(failure.error);
  metrics_.record_failures.add();
  metrics_.record_errors.add();
  metrics_.last_error_ms.set(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  if (policy_.log) log(failure);
  if (policy_.tolerate_all) {
    metrics_.records_skipped.add();
    return {};
  }
  const std::string place =
      failure.offset < 0 ? fmt::format("a record for topic {}", failure.topic)
                         : fmt::format("the record at {}-{}@{}", failure.topic, failure.partition, failure.offset);
  return fail(
      Error(failure.error)
          .wrap(ErrorCode::kInternal,
                fmt::format("Tolerance exceeded in error handler: {} failed in stage {} ({}). Correct the record "
                            "or the configuration, or skip such records with errors.tolerance=all",
                            place, stage_name(failure.stage), failure.class_name)));
}

}  // namespace millrace
