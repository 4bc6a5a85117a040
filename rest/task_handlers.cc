#include <charconv>

#include "rest/call.h"
#include "rest/json_views.h"

namespace millrace {
namespace {

/// Java's Integer.valueOf.
std::optional<int> parse_task_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

RestResponse not_a_task_number() { return error_response(404, "HTTP 404 Not Found"); }

std::optional<bool> forward_of(const Call& call) {
  if (call.target.parameter("forward") == nullptr) return {};
  return call.target.flag("forward", false);
}

/// The answer to a request that no worker of the group has signed.
std::optional<RestResponse> refuse_unsigned(const Call& call) {
  const auto& rules = call.options.internal.signatures;
  return rules ? refuse_signature(rules(), call.request) : std::nullopt;
}

/// A worker whose group has no such endpoints knows no signature either.
RestResponse never_signed() { return error_response(400, "Internal request missing required signature"); }

}  // namespace

RestResponse get_tasks(const Call& call) {
  return answer(call.herder().task_configs(call.name()),
                [&](const auto& tasks) { return tasks_to_json(call.name(), tasks); });
}

RestResponse get_task_configs(const Call& call) {
  return answer(call.herder().task_configs(call.name()),
                [&](const auto& tasks) { return task_configs_to_json(call.name(), tasks); });
}

RestResponse get_task_status(const Call& call) {
  const auto task = parse_task_number(call.args[1]);
  if (!task) return not_a_task_number();
  return answer_text(call.herder().task_status(call.name(), *task), task_text);
}

RestResponse restart_task(const Call& call) {
  const auto task = parse_task_number(call.args[1]);
  if (!task) return not_a_task_number();
  return answer(call.herder().restart_task(call.name(), *task), 204);
}

RestResponse put_task_configs(const Call& call) {
  if (call.options.standalone) {
    return error_response(500,
                          "Kafka Connect in standalone mode does not support externally setting task configurations.");
  }
  auto configs = parse_task_configs_body(call.request.body);
  if (!configs) return error_response(configs.error());
  if (!call.options.internal.put_task_configs) return never_signed();
  if (auto refused = refuse_unsigned(call)) return *refused;
  return answer(call.options.internal.put_task_configs(call.name(), std::move(*configs), forward_of(call)), 204);
}

RestResponse fence_connector(const Call& call) {
  if (call.options.standalone) {
    return error_response(500, "Kafka Connect in standalone mode does not support exactly-once source connectors.");
  }
  if (!call.options.internal.fence) return never_signed();
  if (auto refused = refuse_unsigned(call)) return *refused;
  return answer(call.options.internal.fence(call.name(), forward_of(call)), 204);
}

}  // namespace millrace
