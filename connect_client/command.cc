#include "connect_client/command.h"

#include <fmt/format.h>

#include <thread>

#include "connect_client/text.h"
#include "connect_client/trace.h"

namespace millrace::connect {
namespace {

using Clock = std::chrono::steady_clock;

/// What stands in the way of `state`, in a few words.
std::string obstacles(const Connector& connector, const std::string& state) {
  std::string text;
  for (const PartStatus& part : connector.parts()) {
    if (part.state == state) continue;
    text += fmt::format("\n  {} is {}", part.label(), part.state.empty() ? "unknown" : part.state);
    if (part.failed()) text += ": " + first_line(explain(part.trace, connector.name).what);
  }
  if (state == "RUNNING" && connector.tasks.empty()) text += "\n  it has no task";
  return text;
}

}  // namespace

Expected<std::vector<std::string>> chosen_names(Session& session, const std::vector<std::string>& names, bool all) {
  if (all != names.empty())
    return fail(ErrorCode::kInvalidConfig, "name connectors, or all of them with --all (not both)");
  return all ? session.api.names() : Expected<std::vector<std::string>>(names);
}

void print_error(std::ostream& to, const Error& error) {
  for (const Error* at = &error; at != nullptr; at = at->cause.empty() ? nullptr : &at->cause.front()) {
    to << (at == &error ? "millrace: " : "  because: ") << at->message << '\n';
  }
  to.flush();
}

Expected<Connector> wait_for_state(Session& session, const std::string& name, const std::string& state,
                                   std::chrono::milliseconds timeout) {
  const Pace& pace = session.terminal.pace;
  const auto end = Clock::now() + timeout;
  auto settled_since = Clock::time_point::max();
  auto failed_since = Clock::time_point::max();
  while (true) {
    auto seen = session.api.status(name);
    // A connector has no status until a worker has taken it up.
    if (!seen && seen.error().code != ErrorCode::kNotFound) return seen;
    const auto now = Clock::now();
    const bool settled = seen && seen->settled_in(state);
    const bool failed = seen && seen->state() == "FAILED" && state == "RUNNING";
    settled_since = settled ? std::min(settled_since, now) : Clock::time_point::max();
    failed_since = failed ? std::min(failed_since, now) : Clock::time_point::max();
    const auto steady = state == "RUNNING" ? pace.steady : std::chrono::milliseconds(0);
    if (settled && now - settled_since >= steady) return seen;
    const std::string what = seen ? obstacles(*seen, state) : "\n  it has no status yet";
    if (failed && now - failed_since >= pace.steady_failed)
      return fail(ErrorCode::kConflict,
                  fmt::format("'{0}' does not get {1}:{2}\nMore: millrace connectors errors {0}", name, state, what));
    if (now >= end)
      return fail(ErrorCode::kUnavailable, fmt::format("'{}' is not {} after {} s:{}", name, state,
                                                       std::chrono::duration<double>(timeout).count(), what));
    std::this_thread::sleep_for(pace.wait_poll);
  }
}

Expected<std::string> stopped(Session& session, const std::string& name, bool stop_it,
                              std::chrono::milliseconds timeout) {
  auto status = session.api.status(name);
  if (!status) return fail(std::move(status.error()));
  std::string before =
      status->self.state == "PAUSED" || status->self.state == "STOPPED" ? status->self.state : "RUNNING";
  if (status->settled_in("STOPPED")) return before;
  if (!stop_it && before != "STOPPED")
    return fail(ErrorCode::kConflict,
                fmt::format("'{0}' is {1}; offsets can be changed only while it is STOPPED. Add --stop, which stops it "
                            "and puts it back afterwards, or: millrace connectors stop {0}",
                            name, status->self.state));
  if (Status done = session.api.change_state(name, "stop"); !done) return fail(std::move(done.error()));
  if (auto waited = wait_for_state(session, name, "STOPPED", timeout); !waited) return fail(std::move(waited.error()));
  return before;
}

Status back_to(Session& session, const std::string& name, const std::string& state) {
  if (state == "STOPPED") return {};
  return session.api.change_state(name, state == "PAUSED" ? "pause" : "resume");
}

}  // namespace millrace::connect
