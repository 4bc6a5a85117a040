#include "runtime/plugin_bridge.h"

#include <algorithm>
#include <cstring>

#include "data/value.h"

namespace {
tl::unexpected<millrace::Error> not_here(const char* what) {
  return millrace::fail(millrace::ErrorCode::kInternal,
                        std::string("the plugin called ") + what + " where it is not available");
}
}  // namespace

millrace::Expected<mr_schema_id> mr_context::register_schema(const mr_schema&) { return not_here("register_schema"); }
const mr_schema* mr_context::describe_schema(mr_schema_id) { return nullptr; }
millrace::Expected<mr_value> mr_context::stored_offset(const mr_value&) { return not_here("stored_offset"); }
millrace::Status mr_context::emit(std::span<const mr_record>) { return not_here("emit"); }
millrace::Status mr_context::report(size_t, millrace::Error) { return not_here("report"); }
millrace::Status mr_context::seek(const mr_topic_partition&) { return not_here("seek"); }
millrace::Status mr_context::pause(std::span<const mr_topic_partition>) { return not_here("pause"); }
millrace::Status mr_context::resume(std::span<const mr_topic_partition>) { return not_here("resume"); }
millrace::Status mr_context::commit_transaction() { return not_here("commit_transaction"); }
millrace::Status mr_context::abort_transaction() { return not_here("abort_transaction"); }
void mr_context::raise_error(millrace::Error error) { logger().error("plugin_error", {{"error", error.message}}); }
void mr_context::add_task_config(millrace::ConfigMap) {
  logger().error("plugin_error", {{"error", "add_task_config outside task_configs"}});
}
void mr_context::log(millrace::LogLevel level, std::string_view message) { logger().write(level, message, {}); }
void mr_context::add_config_error(std::string_view key, std::string_view message) {
  logger().error("plugin_error", {{"error", "add_config_error outside validate"}, {"key", key}, {"message", message}});
}
void mr_context::add_preview(std::string_view line) {
  logger().error("plugin_error", {{"error", "add_preview outside preview"}, {"line", line}});
}

namespace millrace {
namespace {

int32_t finish(const Status& status, mr_error* error) {
  if (status) return MR_OK;
  fill_error(error, status.error());
  return static_cast<int32_t>(status.error().code);
}

void host_log(mr_context* context, int32_t level, mr_str message) {
  const LogLevel levels[] = {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError};
  context->log(levels[std::clamp(level, 0, 3)], view(message));
}

int32_t host_stopping(mr_context* context) { return context->stopping() ? 1 : 0; }
int32_t host_wait(mr_context* context, int64_t ms) { return context->wait(std::chrono::milliseconds(ms)) ? 1 : 0; }

int32_t host_register_schema(mr_context* context, const mr_schema* schema, mr_schema_id* id, mr_error* error) {
  auto made = context->register_schema(*schema);
  if (!made) return finish(fail(std::move(made.error())), error);
  *id = *made;
  return MR_OK;
}

const mr_schema* host_describe_schema(mr_context* context, mr_schema_id id) { return context->describe_schema(id); }

int32_t host_stored_offset(mr_context* context, const mr_value* partition, mr_value* offset, mr_error* error) {
  auto found = context->stored_offset(*partition);
  if (!found) return finish(fail(std::move(found.error())), error);
  *offset = *found;
  return MR_OK;
}

int32_t host_emit(mr_context* context, const mr_record* records, size_t count, mr_error* error) {
  return finish(context->emit({records, count}), error);
}

void host_request_commit(mr_context* context) { context->request_commit(); }

int32_t host_report(mr_context* context, size_t index, const mr_error* why, mr_error* error) {
  return finish(context->report(index, Error{static_cast<ErrorCode>(why->code), why->message, {}, {}, {}}), error);
}

int32_t host_seek(mr_context* context, const mr_topic_partition* to, mr_error* error) {
  return finish(context->seek(*to), error);
}

int32_t host_pause(mr_context* context, const mr_topic_partition* partitions, size_t count, mr_error* error) {
  return finish(context->pause({partitions, count}), error);
}

int32_t host_resume(mr_context* context, const mr_topic_partition* partitions, size_t count, mr_error* error) {
  return finish(context->resume({partitions, count}), error);
}

void host_request_reconfiguration(mr_context* context) { context->request_reconfiguration(); }

void host_raise_error(mr_context* context, const mr_error* error) {
  context->raise_error(Error{static_cast<ErrorCode>(error->code), error->message, {}, {}, {}});
}

void host_add_task_config(mr_context* context, const mr_config* config) {
  ConfigMap map;
  for (size_t i = 0; i < config->count; ++i)
    map[std::string(view(config->pairs[i].key))] = view(config->pairs[i].value);
  context->add_task_config(std::move(map));
}

void host_add_config_error(mr_context* context, mr_str key, mr_str message) {
  context->add_config_error(view(key), view(message));
}
mr_str host_connector_name(mr_context* context) { return to_mr(context->connector_name()); }
void host_set_progress(mr_context* context, const mr_progress* items, size_t count) {
  context->set_progress({items, count});
}
mr_str host_take_signal(mr_context* context) { return context->take_signal(); }
void host_add_preview(mr_context* context, mr_str line) { context->add_preview(view(line)); }

int32_t host_defines_transactions(mr_context* context) { return context->defines_transactions() ? 1 : 0; }
int32_t host_commit_transaction(mr_context* context, mr_error* error) {
  return finish(context->commit_transaction(), error);
}
int32_t host_abort_transaction(mr_context* context, mr_error* error) {
  return finish(context->abort_transaction(), error);
}
void host_timeout(mr_context* context, int64_t ms) { context->limit_next_wait(std::chrono::milliseconds(ms)); }

}  // namespace

const mr_host_v1& plugin_host_table() {
  static const mr_host_v1 table = {
      .struct_size = sizeof(mr_host_v1),
      .major = MR_ABI_MAJOR,
      .minor = MR_ABI_MINOR,
      .log = host_log,
      .stopping = host_stopping,
      .wait = host_wait,
      .register_schema = host_register_schema,
      .describe_schema = host_describe_schema,
      .stored_offset = host_stored_offset,
      .emit = host_emit,
      .request_commit = host_request_commit,
      .report = host_report,
      .seek = host_seek,
      .pause = host_pause,
      .resume = host_resume,
      .request_reconfiguration = host_request_reconfiguration,
      .raise_error = host_raise_error,
      .add_task_config = host_add_task_config,
      .add_config_error = host_add_config_error,
      .connector_name = host_connector_name,
      .defines_transactions = host_defines_transactions,
      .commit_transaction = host_commit_transaction,
      .abort_transaction = host_abort_transaction,
      .timeout = host_timeout,
      .add_preview = host_add_preview,
      .set_progress = host_set_progress,
      .take_signal = host_take_signal,
  };
  return table;
}

Status to_status(int32_t code, const mr_error& error) {
  if (code == MR_OK) return {};
  const bool known = code >= MR_UNAVAILABLE && code <= MR_INTERNAL;
  std::string message = error.message[0] != '\0' ? error.message : "the plugin reported a failure without a message";
  return fail(Error{known ? static_cast<ErrorCode>(code) : ErrorCode::kInternal,
                    std::move(message),
                    {},
                    std::chrono::milliseconds(error.retry_after_ms),
                    {}});
}

void fill_error(mr_error* to, const Error& from) {
  if (to == nullptr) return;
  to->code = static_cast<int32_t>(from.code);
  to->retry_after_ms = static_cast<int32_t>(from.retry_after.count());
  const size_t size = std::min(from.message.size(), sizeof(to->message) - 1);
  std::memcpy(to->message, from.message.data(), size);
  to->message[size] = '\0';
}

ConfigView::ConfigView(const ConfigMap& config) {
  pairs_.reserve(config.size());
  for (const auto& [key, value] : config) pairs_.push_back({to_mr(key), to_mr(value)});
  view_ = {pairs_.data(), pairs_.size()};
}

void StopSignal::request() {
  std::lock_guard lock(mutex_);
  requested_ = true;
  changed_.notify_all();
}

void StopSignal::reset() {
  std::lock_guard lock(mutex_);
  requested_ = false;
}

bool StopSignal::requested() const {
  std::lock_guard lock(mutex_);
  return requested_;
}

bool StopSignal::wait_for(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return requested_; });
}

}  // namespace millrace
