/// The one error type of millrace. A code tells the caller what to do next; the message tells the user.
/// Exceptions exist only inside an adapter call to a library that throws; they are translated at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace millrace {

/// What the caller does about an error. The numbers are those of the plugin ABI (sdk/include/millrace/abi.h).
enum class ErrorCode : int32_t {
  kUnavailable = 1,    ///< Passing trouble (server away, disk full): retry the same call with back-off.
  kBadRecord = 2,      ///< This record can never be processed: errors.tolerance and the dead letter queue decide.
  kInvalidConfig = 3,  ///< The user must change a setting: REST 400, or a failed connector.
  kNotFound = 4,       ///< The named thing does not exist: REST 404.
  kAlreadyExists = 5,  ///< The named thing exists: REST 409.
  kConflict = 6,       ///< The thing is in a state that forbids the call: REST 409 or 400.
  kFenced = 7,         ///< A newer owner has taken over: give up ownership.
  kCorruption = 8,     ///< Stored bytes contradict themselves: stop using this partition or file.
  kStopped = 9,        ///< The caller has asked for a stop while the call waited: return quietly.
  kInternal = 10,      ///< Anything else: fail the task with this message.
};

std::string_view error_code_name(ErrorCode code);

/// An error with its causes, outermost first: `cause` holds at most one element (a vector only because Error is
/// incomplete here). `exception` names the Java class that Kafka Connect would show in a trace; empty picks the
/// default of the code, for example org.apache.kafka.connect.errors.DataException for kBadRecord.
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string exception = {};
  std::chrono::milliseconds retry_after{0};  ///< 0 = the caller's own back-off
  std::vector<Error> cause = {};

  bool retriable() const { return code == ErrorCode::kUnavailable; }

  /// The same code behind a new outer message; this error becomes the cause.
  Error wrap(std::string outer_message) && {
    Error outer{code, std::move(outer_message), {}, retry_after, {}};
    outer.cause.push_back(std::move(*this));
    return outer;
  }
  /// As wrap(), but with `outer_code` deciding what happens next.
  Error wrap(ErrorCode outer_code, std::string outer_message) && {
    Error outer = std::move(*this).wrap(std::move(outer_message));
    outer.code = outer_code;
    return outer;
  }
};

/// Java's stack trace layout, which Kafka Connect UIs parse: `class: message` and `Caused by: class: message` lines.
std::string error_trace(const Error& error);

template <class T>
using Expected = tl::expected<T, Error>;
/// Success or an Error: `if (auto status = flush(); !status) return status;`
using Status = tl::expected<void, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), {}, {}, {}});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace millrace
