/// Write a connector in C++20 with this one header: derive a task, name it, export it.
///
///   struct CounterSource {
///     using Task = CounterTask;                                  // derives SourceTask or SinkTask
///     static constexpr std::string_view kName = "CounterSource", kVersion = "1.0.0";
///     static std::span<const sdk::ConfigKey> config() { return kConfig; }
///   };
///   MILLRACE_PLUGIN(CounterSource)
///
/// Build: g++ -std=c++20 -O2 -fPIC -shared -fvisibility=hidden counter.cc -o counter.so $(pkg-config --cflags millrace)
/// and copy the library into a folder of the worker's plugin.path.
///
/// The worker does threads, retries, offsets, conversion, transforms and back-pressure. It calls a task from one thread
/// at a time; only interrupt() comes from another. What a method returns says what happens next (Code). Exceptions that
/// leave a method fail the task with their text. Everything handed in is borrowed for the call.
#pragma once

#include <millrace/abi.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <deque>
#include <exception>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::sdk {

// ---- results
// ---------------------------------------------------------------------------------------------------------

enum class Code : int32_t {
  kOk = MR_OK,
  kUnavailable = MR_UNAVAILABLE,       ///< the worker calls again, with back-off
  kBadRecord = MR_BAD_RECORD,          ///< errors.tolerance decides
  kInvalidConfig = MR_INVALID_CONFIG,  ///< the user must change a setting
  kNotFound = MR_NOT_FOUND,
  kStopped = MR_STOPPED,    ///< a stop was asked for while waiting
  kInternal = MR_INTERNAL,  ///< fail the task
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message, int32_t retry_after_ms = 0)
      : code_(code), retry_after_ms_(retry_after_ms), message_(std::move(message)) {}
  bool ok() const { return code_ == Code::kOk; }
  explicit operator bool() const { return ok(); }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  int32_t retry_after_ms() const { return retry_after_ms_; }

 private:
  Code code_ = Code::kOk;
  int32_t retry_after_ms_ = 0;
  std::string message_;
};
inline Status ok() { return {}; }

inline std::string_view view(mr_str text) { return {text.data == nullptr ? "" : text.data, text.size}; }
inline mr_str to_mr(std::string_view text) { return {text.data(), text.size()}; }

// ---- options
// ---------------------------------------------------------------------------------------------------------

enum class Type : int32_t {
  kBoolean = MR_TYPE_BOOLEAN,
  kString = MR_TYPE_STRING,
  kInt = MR_TYPE_INT,
  kShort = MR_TYPE_SHORT,
  kInt64 = MR_TYPE_LONG,
  kLong = MR_TYPE_LONG,
  kDouble = MR_TYPE_DOUBLE,
  kList = MR_TYPE_LIST,
  kClass = MR_TYPE_CLASS,
  kPassword = MR_TYPE_PASSWORD,
};
/// What a source's `static Support exactly_once_support(const Config&)` says; without that function it is kUnstated.
enum class Support : int32_t {
  kUnstated = MR_SUPPORT_UNSTATED,
  kSupported = MR_SUPPORTED,
  kUnsupported = MR_UNSUPPORTED
};
enum class Importance : int32_t { kHigh = MR_HIGH, kMedium = MR_MEDIUM, kLow = MR_LOW };
enum class Width : int32_t {
  kNone = MR_WIDTH_NONE,
  kShort = MR_WIDTH_SHORT,
  kMedium = MR_WIDTH_MEDIUM,
  kLong = MR_WIDTH_LONG
};

struct NoDefault {};
struct NullDefault {};
inline constexpr NoDefault kNoDefault{};  ///< the option is required
inline constexpr NullDefault kNull{};     ///< optional, absent unless set

class Default {
 public:
  constexpr Default(NoDefault) : required_(true) {}
  constexpr Default(NullDefault) {}
  constexpr Default(const char* text) : text_(text), present_(true) {}
  constexpr bool required() const { return required_; }
  constexpr bool present() const { return present_; }
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_ = "";
  bool required_ = false, present_ = false;
};

/// One option; a constexpr array of them drives parsing, validation and documentation.
struct ConfigKey {
  std::string_view name;
  Type type;
  Default default_value;
  Importance importance;
  std::string_view documentation;
  std::string_view group = {};
  int order = -1;
  Width width = Width::kNone;
  std::string_view display_name = {};
  mr_check check = nullptr;  ///< see checks:: for ready-made ones
  std::span<const std::string_view> dependents = {};
};

/// Fills an mr_error and returns its code.
inline int32_t set_error(mr_error* error, int32_t code, std::string_view message, int32_t retry_after_ms = 0) {
  if (error != nullptr) {
    error->code = code;
    error->retry_after_ms = retry_after_ms;
    const size_t size = std::min(message.size(), sizeof(error->message) - 1);
    std::memcpy(error->message, message.data(), size);
    error->message[size] = '\0';
  }
  return code;
}
inline Status to_status(int32_t code, const mr_error& error) {
  if (code == MR_OK) return {};
  return {static_cast<Code>(code), error.message, error.retry_after_ms};
}

namespace checks {
inline int32_t non_empty(mr_str value, mr_error* error) {
  return value.size != 0 ? MR_OK : set_error(error, MR_INVALID_CONFIG, "String must be non-empty");
}
template <int64_t kMin>
int32_t at_least(mr_str value, mr_error* error) {
  int64_t number = 0;
  const auto text = view(value);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc() && number >= kMin) return MR_OK;
  return set_error(error, MR_INVALID_CONFIG, "Value must be at least " + std::to_string(kMin));
}
}  // namespace checks

/// The settings of a connector or task, with the defaults of its option table behind them. Values are trimmed text that
/// the worker has validated against the table.
class Config {
 public:
  Config() = default;
  Config(const mr_config& given, std::span<const ConfigKey> table) : table_(table) {
    for (size_t i = 0; i < given.count; ++i)
      values_[std::string(view(given.pairs[i].key))] = trim(view(given.pairs[i].value));
  }
  bool is_set(std::string_view key) const { return values_.find(key) != values_.end(); }
  /// The text set, else the default; nothing for an absent optional key.
  std::optional<std::string> get(std::string_view key) const {
    if (const auto at = values_.find(key); at != values_.end()) return at->second;
    for (const ConfigKey& option : table_) {
      if (option.name == key && option.default_value.present()) return std::string(option.default_value.text());
    }
    return std::nullopt;
  }
  std::string string(std::string_view key) const { return get(key).value_or(""); }
  int64_t int64(std::string_view key) const {
    const std::string text = string(key);
    int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
  bool boolean(std::string_view key) const {
    std::string text = string(key);
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return text == "true";
  }
  /// Split at commas, blanks around elements removed; empty text = no elements.
  std::vector<std::string> list(std::string_view key) const {
    std::vector<std::string> elements;
    const std::string text = string(key);
    if (text.empty()) return elements;
    for (size_t begin = 0; begin <= text.size();) {
      const size_t comma = std::min(text.find(',', begin), text.size());
      elements.push_back(trim(std::string_view(text).substr(begin, comma - begin)));
      begin = comma + 1;
    }
    return elements;
  }
  const std::map<std::string, std::string, std::less<>>& all() const { return values_; }

 private:
  static std::string trim(std::string_view text) {
    while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
    return std::string(text);
  }
  std::span<const ConfigKey> table_;
  std::map<std::string, std::string, std::less<>> values_;
};

// ---- values
// ----------------------------------------------------------------------------------------------------------

/// A simple value that owns its content, for connectors that do not build mr_value trees themselves.
class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool value) : value_(value) {}
  Value(int32_t value) : value_(value) {}
  Value(int64_t value) : value_(value) {}
  Value(double value) : value_(value) {}
  Value(std::string value) : value_(std::move(value)) {}
  Value(std::string_view value) : value_(std::string(value)) {}
  Value(const char* value) : value_(std::string(value)) {}

  /// Borrows this value's content.
  mr_value borrow() const {
    mr_value out{};
    if (const auto* b = std::get_if<bool>(&value_)) {
      out.kind = MR_BOOLEAN;
      out.u.i64 = *b ? 1 : 0;
    } else if (const auto* i = std::get_if<int32_t>(&value_)) {
      out.kind = MR_INT32;
      out.u.i64 = *i;
    } else if (const auto* l = std::get_if<int64_t>(&value_)) {
      out.kind = MR_INT64;
      out.u.i64 = *l;
    } else if (const auto* d = std::get_if<double>(&value_)) {
      out.kind = MR_FLOAT64;
      out.u.f64 = *d;
    } else if (const auto* s = std::get_if<std::string>(&value_)) {
      out.kind = MR_STRING;
      out.size = static_cast<uint32_t>(s->size());
      out.u.bytes = s->data();
    }
    return out;
  }

 private:
  std::variant<std::monostate, bool, int32_t, int64_t, double, std::string> value_;
};

inline mr_value string_value(std::string_view text) {
  mr_value value{};
  value.kind = MR_STRING;
  value.size = static_cast<uint32_t>(text.size());
  value.u.bytes = text.data();
  return value;
}
inline mr_value int_value(mr_kind kind, int64_t number) {
  mr_value value{};
  value.kind = static_cast<uint8_t>(kind);
  value.u.i64 = number;
  return value;
}
/// A MAP over `entries` (key and value in turn), which must outlive the value.
inline mr_value map_value(std::span<const mr_value> entries) {
  mr_value value{};
  value.kind = MR_MAP;
  value.size = static_cast<uint32_t>(entries.size() / 2);
  value.u.items = entries.data();
  return value;
}
/// The entry of a MAP with STRING keys, or nullptr.
inline const mr_value* find(const mr_value& map, std::string_view key) {
  if (map.kind != MR_MAP) return nullptr;
  for (uint32_t i = 0; i < map.size; ++i) {
    const mr_value& name = map.u.items[2 * i];
    if (name.kind == MR_STRING && std::string_view(name.u.bytes, name.size) == key) return &map.u.items[2 * i + 1];
  }
  return nullptr;
}

// ---- contexts
// --------------------------------------------------------------------------------------------------------

namespace detail {
inline const mr_host_v1* host = nullptr;  // set once by mr_plugin, before anything else runs

/// Whether the host, which may be older than this header, offers a function.
template <class F>
bool host_has(F mr_host_v1::*member) {
  const auto end = reinterpret_cast<const char*>(&(host->*member) + 1);
  return end <= reinterpret_cast<const char*>(host) + host->struct_size && host->*member != nullptr;
}
}  // namespace detail

/// What the worker offers a connector or a task. Lifetime: longer than the connector or task.
class Context {
 public:
  explicit Context(mr_context* context) : context_(context) {}
  std::string name() const { return std::string(view(detail::host->connector_name(context_))); }
  bool stopping() const { return detail::host->stopping(context_) != 0; }
  /// Sleeps, less when a stop is asked for; true when one was.
  bool wait(int64_t ms) const { return detail::host->wait(context_, ms) != 0; }
  void debug(std::string_view text) const { detail::host->log(context_, MR_DEBUG, to_mr(text)); }
  void info(std::string_view text) const { detail::host->log(context_, MR_INFO, to_mr(text)); }
  void warn(std::string_view text) const { detail::host->log(context_, MR_WARN, to_mr(text)); }
  void error(std::string_view text) const { detail::host->log(context_, MR_ERROR, to_mr(text)); }
  mr_context* raw() const { return context_; }

 protected:
  mr_context* context_;
};

/// A record of a simple source. Key and value become optional schemas of their type.
struct SourceRecord {
  std::string topic;
  Value key;
  Value value;
  std::string_view source_partition;  ///< a name for the stream this record belongs to; stored as {"partition": name}
  int64_t source_offset = 0;          ///< where to go on after a restart; stored as {"offset": n}
  std::optional<int64_t> timestamp_ms = {};
};

class TaskContext : public Context {
 public:
  TaskContext(mr_context* context, const Config* config) : Context(context), config_(config) {}

  const Config& config() const { return *config_; }
  std::string string(std::string_view key) const { return config_->string(key); }
  int64_t int64(std::string_view key) const { return config_->int64(key); }
  bool boolean(std::string_view key) const { return config_->boolean(key); }
  std::vector<std::string> list(std::string_view key) const { return config_->list(key); }

  /// Numbers a schema; equal schemas get the same number. Do it once, not per record.
  Status register_schema(const mr_schema& schema, mr_schema_id& id) const {
    mr_error error{};
    return to_status(detail::host->register_schema(context_, &schema, &id, &error), error);
  }
  /// A schema without name, for plain types.
  mr_schema_id plain_schema(mr_kind type, bool optional = true) {
    mr_schema_id& id = plain_[type * 2 + (optional ? 1 : 0)];
    if (id == 0) {
      mr_schema schema{};
      schema.struct_size = sizeof(schema);
      schema.type = static_cast<uint8_t>(type);
      schema.optional = optional ? 1 : 0;
      mr_error error{};
      detail::host->register_schema(context_, &schema, &id, &error);
    }
    return id;
  }
  const mr_schema* describe(mr_schema_id id) const { return detail::host->describe_schema(context_, id); }

 protected:
  const Config* config_;

 private:
  mr_schema_id plain_[2 * (MR_STRUCT + 1)] = {};
};

class SourceContext : public TaskContext {
 public:
  using TaskContext::TaskContext;

  /// What the task is at, for its status and /metrics; replaces what was told before. A few times a second at most.
  void progress(std::span<const mr_progress> items) const {
    if (detail::host_has(&mr_host_v1::set_progress)) detail::host->set_progress(context_, items.data(), items.size());
  }

  /// The oldest signal posted for the connector that this task has not taken yet: a JSON object with id, type and data;
  /// empty when there is none. Call it on the task's thread from the start on, or signals are refused.
  std::string_view take_signal() const {
    if (!detail::host_has(&mr_host_v1::take_signal)) return {};
    return view(detail::host->take_signal(context_));
  }

  /// The offset map stored last for a partition map; kind MR_NULL when none. Lives until the next call.
  Status stored_offset(const mr_value& partition, mr_value& offset) const {
    mr_error error{};
    return to_status(detail::host->stored_offset(context_, &partition, &offset, &error), error);
  }
  /// Of a simple SourceRecord's partition.
  int64_t source_offset_or(std::string_view partition, int64_t fallback) const {
    const mr_value entries[] = {string_value("partition"), string_value(partition)};
    mr_value offset{};
    if (!stored_offset(map_value(entries), offset).ok()) return fallback;
    const mr_value* number = find(offset, "offset");
    return number != nullptr && number->kind >= MR_INT8 && number->kind <= MR_INT64 ? number->u.i64 : fallback;
  }

  /// Hands records over; waits while the worker's queue is full. Copied when it returns.
  Status emit(std::span<const mr_record> records) const {
    mr_error error{};
    return to_status(detail::host->emit(context_, records.data(), records.size(), &error), error);
  }
  Status emit(std::span<const SourceRecord> records) {
    raw_.clear();
    entries_.resize(records.size() * 4);
    for (size_t i = 0; i < records.size(); ++i) raw_.push_back(to_raw(records[i], &entries_[i * 4]));
    return emit(std::span<const mr_record>(raw_));
  }
  Status emit(const std::vector<SourceRecord>& records) { return emit(std::span<const SourceRecord>(records)); }

  /// Whether this task ends its transactions itself (exactly-once support, transaction.boundary=connector).
  bool defines_transactions() const {
    return detail::host_has(&mr_host_v1::defines_transactions) && detail::host->defines_transactions(context_) != 0;
  }
  /// Within poll, between calls of emit: what was emitted becomes visible together with its offsets, durable when ok.
  /// Not ok: return that status from poll.
  Status commit_transaction() const { return end_transaction(&mr_host_v1::commit_transaction); }
  /// As commit_transaction(), but nobody ever sees what was emitted; its offsets go with the next commit.
  Status abort_transaction() const { return end_transaction(&mr_host_v1::abort_transaction); }

 private:
  Status end_transaction(int32_t (*mr_host_v1::*end)(mr_context*, mr_error*)) const {
    if (!detail::host_has(end)) return {Code::kInternal, "this worker has no transactions; it is too old"};
    mr_error error{};
    return to_status((detail::host->*end)(context_, &error), error);
  }
  mr_record to_raw(const SourceRecord& record, mr_value* entries) {
    mr_record raw{};
    raw.topic = to_mr(record.topic);
    raw.partition = MR_NO_PARTITION;
    raw.key = record.key.borrow();
    raw.value = record.value.borrow();
    if (raw.key.kind != MR_NULL) raw.key_schema = plain_schema(static_cast<mr_kind>(raw.key.kind));
    if (raw.value.kind != MR_NULL) raw.value_schema = plain_schema(static_cast<mr_kind>(raw.value.kind));
    raw.timestamp_ms = record.timestamp_ms.value_or(MR_NO_TIMESTAMP);
    entries[0] = string_value("partition");
    entries[1] = string_value(record.source_partition);
    entries[2] = string_value("offset");
    entries[3] = int_value(MR_INT64, record.source_offset);
    raw.source_partition = map_value({entries, 2});
    raw.source_offset = map_value({entries + 2, 2});
    return raw;
  }
  std::vector<mr_record> raw_;
  std::vector<mr_value> entries_;
};

class SinkContext : public TaskContext {
 public:
  using TaskContext::TaskContext;
  void request_commit() const { detail::host->request_commit(context_); }
  /// The next put follows within `ms`, empty when nothing has come. Counts once.
  void timeout(int64_t ms) const {
    if (detail::host_has(&mr_host_v1::timeout)) detail::host->timeout(context_, ms);
  }
  /// Reports record `index` of the current put as bad. Not ok: return that status from put.
  Status report(size_t index, const Status& why) const {
    mr_error reason{}, error{};
    set_error(&reason, static_cast<int32_t>(why.code()), why.message());
    return to_status(detail::host->report(context_, index, &reason, &error), error);
  }
  Status seek(const mr_topic_partition& to) const {
    mr_error error{};
    return to_status(detail::host->seek(context_, &to, &error), error);
  }
};

/// What a sink's preview() gets: a sink task's context that takes lines instead of reports.
class PreviewContext : public SinkContext {
 public:
  using SinkContext::SinkContext;
  /// One line of what put() would do: a statement, an object's name and content.
  void add(std::string_view line) const {
    if (detail::host->struct_size > offsetof(mr_host_v1, add_preview)) detail::host->add_preview(context_, to_mr(line));
  }
};

class ConnectorContext : public Context {
 public:
  using Context::Context;
  void request_reconfiguration() const { detail::host->request_reconfiguration(context_); }
  void raise_error(const Status& why) const {
    mr_error error{};
    set_error(&error, static_cast<int32_t>(why.code()), why.message());
    detail::host->raise_error(context_, &error);
  }
  void add_task_config(const std::map<std::string, std::string, std::less<>>& config) const {
    std::vector<mr_pair> pairs;
    for (const auto& [key, value] : config) pairs.push_back({to_mr(key), to_mr(value)});
    const mr_config raw{pairs.data(), pairs.size()};
    detail::host->add_task_config(context_, &raw);
  }
  /// Within validate: attaches a message to a key.
  void add_config_error(std::string_view key, std::string_view message) const {
    detail::host->add_config_error(context_, to_mr(key), to_mr(message));
  }
  Status stored_offset(const mr_value& partition, mr_value& offset) const {
    mr_error error{};
    return to_status(detail::host->stored_offset(context_, &partition, &offset, &error), error);
  }
};

// ---- tasks and connectors
// ----------------------------------------------------------------------------------------------

class SourceTask {
 public:
  virtual ~SourceTask() = default;
  virtual Status start(SourceContext& context) = 0;
  /// Emits what there is and returns. With nothing to read: context.wait(some ms), return ok().
  virtual Status poll(SourceContext& context) = 0;
  /// The offsets of records emitted so far have been stored up to some point.
  virtual Status commit(SourceContext&) { return ok(); }
  virtual Status stop(SourceContext&) { return ok(); }
  virtual void interrupt() {}
};

class SinkTask {
 public:
  virtual ~SinkTask() = default;
  virtual Status start(SinkContext& context) = 0;
  virtual Status open(SinkContext&, std::span<const mr_topic_partition>) { return ok(); }
  /// Offset order within a partition; may be empty. kUnavailable: the same records come again.
  virtual Status put(SinkContext& context, std::span<const mr_record> records) = 0;
  /// Makes everything put before durable; may lower `offsets` to what really is.
  virtual Status flush(SinkContext&, std::span<mr_topic_partition>) { return ok(); }
  virtual Status close(SinkContext&, std::span<const mr_topic_partition>) { return ok(); }
  virtual Status stop(SinkContext&) { return ok(); }
  virtual void interrupt() {}
};

/// Needed only by connectors that split work into tasks or watch the outside world; name it with `using Instance = …`.
class Connector {
 public:
  virtual ~Connector() = default;
  virtual Status start(ConnectorContext& context, const Config& config) = 0;
  /// Calls context.add_task_config() once a task, at most `tasks_max` times.
  virtual Status task_configs(ConnectorContext& context, int tasks_max) = 0;
  virtual Status stop(ConnectorContext&) { return ok(); }
};

// ---- the C boundary
// ----------------------------------------------------------------------------------------------------

namespace detail {

template <class F>
int32_t guarded(mr_error* error, F&& call) noexcept {
  try {
    const Status status = call();
    if (status.ok()) return MR_OK;
    return set_error(error, static_cast<int32_t>(status.code()), status.message(), status.retry_after_ms());
  } catch (const std::exception& exception) {
    return set_error(error, MR_INTERNAL, exception.what());
  } catch (...) {
    return set_error(error, MR_INTERNAL, "an exception of an unknown type left the plugin");
  }
}

template <class C>
inline constexpr bool is_source = std::is_base_of_v<SourceTask, typename C::Task>;

template <class C>
struct TaskBox {
  using ContextType = std::conditional_t<is_source<C>, SourceContext, SinkContext>;
  explicit TaskBox(mr_context* raw) : context(raw, &config) {}
  Config config;
  ContextType context;
  typename C::Task task;
};

template <class C>
struct ConnectorBox {
  explicit ConnectorBox(mr_context* raw) : context(raw) {}
  ConnectorContext context;
  Config config;
  typename C::Instance connector;
};

/// The option table in the ABI's form; lives as long as the library.
struct ConfigTable {
  explicit ConfigTable(std::span<const ConfigKey> keys) {
    for (const ConfigKey& key : keys) {
      mr_config_key raw{};
      raw.name = to_mr(key.name);
      raw.type = static_cast<int32_t>(key.type);
      raw.importance = static_cast<int32_t>(key.importance);
      raw.width = static_cast<int32_t>(key.width);
      raw.order = key.order;
      raw.required = key.default_value.required() ? 1 : 0;
      if (key.default_value.present()) raw.default_value = to_mr(key.default_value.text());
      raw.documentation = to_mr(key.documentation);
      if (!key.group.empty()) raw.group = to_mr(key.group);
      if (!key.display_name.empty()) raw.display_name = to_mr(key.display_name);
      auto& names = dependents.emplace_back();
      for (const std::string_view name : key.dependents) names.push_back(to_mr(name));
      raw.dependents = names.data();
      raw.dependent_count = names.size();
      raw.check = key.check;
      rows.push_back(raw);
    }
  }
  std::vector<mr_config_key> rows;
  std::deque<std::vector<mr_str>> dependents;
};

template <class C>
void set_task_functions(mr_connector_v1& table) {
  using Box = TaskBox<C>;
  table.task_create = [](mr_context* context, mr_error* error) -> void* {
    Box* box = nullptr;
    guarded(error, [&] {
      box = new Box(context);
      return ok();
    });
    return box;
  };
  table.task_start = [](void* task, const mr_config* config, mr_error* error) -> int32_t {
    auto& box = *static_cast<Box*>(task);
    return guarded(error, [&] {
      box.config = Config(*config, C::config());
      return box.task.start(box.context);
    });
  };
  table.task_stop = [](void* task, mr_error* error) -> int32_t {
    auto& box = *static_cast<Box*>(task);
    return guarded(error, [&] { return box.task.stop(box.context); });
  };
  table.task_destroy = [](void* task) {
    guarded(nullptr, [&] {
      delete static_cast<Box*>(task);
      return ok();
    });
  };
  table.task_interrupt = [](void* task) {
    guarded(nullptr, [&] {
      static_cast<Box*>(task)->task.interrupt();
      return ok();
    });
  };
  if constexpr (is_source<C>) {
    table.poll = [](void* task, mr_error* error) -> int32_t {
      auto& box = *static_cast<Box*>(task);
      return guarded(error, [&] { return box.task.poll(box.context); });
    };
    table.commit = [](void* task, mr_error* error) -> int32_t {
      auto& box = *static_cast<Box*>(task);
      return guarded(error, [&] { return box.task.commit(box.context); });
    };
  } else {
    table.open = [](void* task, const mr_topic_partition* partitions, size_t count, mr_error* error) -> int32_t {
      auto& box = *static_cast<Box*>(task);
      return guarded(error, [&] { return box.task.open(box.context, {partitions, count}); });
    };
    table.put = [](void* task, const mr_record* records, size_t count, mr_error* error) -> int32_t {
      auto& box = *static_cast<Box*>(task);
      return guarded(error, [&] { return box.task.put(box.context, {records, count}); });
    };
    table.flush = [](void* task, mr_topic_partition* offsets, size_t count, mr_error* error) -> int32_t {
      auto& box = *static_cast<Box*>(task);
      return guarded(error, [&] { return box.task.flush(box.context, {offsets, count}); });
    };
    table.close = [](void* task, const mr_topic_partition* partitions, size_t count, mr_error* error) -> int32_t {
      auto& box = *static_cast<Box*>(task);
      return guarded(error, [&] { return box.task.close(box.context, {partitions, count}); });
    };
  }
}

template <class C>
void set_connector_functions(mr_connector_v1& table) {
  if constexpr (requires(ConnectorContext & context, const Config& config) { C::validate(context, config); }) {
    table.validate = [](mr_context* raw, const mr_config* config, mr_error* error) -> int32_t {
      return guarded(error, [&] {
        ConnectorContext context(raw);
        return C::validate(context, Config(*config, C::config()));
      });
    };
  }
  if constexpr (requires(const Config& config, const mr_value& value) { C::alter_offset(config, value, value); }) {
    table.alter_offset = [](mr_context*, const mr_config* config, const mr_value* partition, const mr_value* offset,
                            mr_error* error) -> int32_t {
      return guarded(error, [&] { return C::alter_offset(Config(*config, C::config()), *partition, *offset); });
    };
  }
  if constexpr (requires(const Config& config) { C::exactly_once_support(config); }) {
    table.exactly_once_support = [](const mr_config* config) -> int32_t {
      Support support = Support::kUnstated;
      guarded(nullptr, [&] {
        support = C::exactly_once_support(Config(*config, C::config()));
        return ok();
      });
      return static_cast<int32_t>(support);
    };
  }
  if constexpr (requires(const Config& config) { C::can_define_transactions(config); }) {
    table.can_define_transactions = [](const mr_config* config) -> int32_t {
      bool can = false;
      guarded(nullptr, [&] {
        can = C::can_define_transactions(Config(*config, C::config()));
        return ok();
      });
      return can ? 1 : 0;
    };
  }
  if constexpr (requires(PreviewContext & context, std::span<const mr_record> records) {
                  C::preview(context, records);
                }) {
    table.preview = [](mr_context* raw, const mr_config* config, const mr_record* records, size_t count,
                       mr_error* error) -> int32_t {
      return guarded(error, [&] {
        const Config settings(*config, C::config());
        PreviewContext context(raw, &settings);
        return C::preview(context, std::span<const mr_record>(records, count));
      });
    };
  }
  if constexpr (requires { typename C::Instance; }) {
    using Box = ConnectorBox<C>;
    table.connector_create = [](mr_context* context, mr_error* error) -> void* {
      Box* box = nullptr;
      guarded(error, [&] {
        box = new Box(context);
        return ok();
      });
      return box;
    };
    table.connector_start = [](void* connector, const mr_config* config, mr_error* error) -> int32_t {
      auto& box = *static_cast<Box*>(connector);
      return guarded(error, [&] {
        box.config = Config(*config, C::config());
        return box.connector.start(box.context, box.config);
      });
    };
    table.connector_task_configs = [](void* connector, int32_t tasks_max, mr_error* error) -> int32_t {
      auto& box = *static_cast<Box*>(connector);
      return guarded(error, [&] { return box.connector.task_configs(box.context, tasks_max); });
    };
    table.connector_stop = [](void* connector, mr_error* error) -> int32_t {
      auto& box = *static_cast<Box*>(connector);
      return guarded(error, [&] { return box.connector.stop(box.context); });
    };
    table.connector_destroy = [](void* connector) {
      guarded(nullptr, [&] {
        delete static_cast<Box*>(connector);
        return ok();
      });
    };
  }
}

template <class C>
const mr_connector_v1* connector_table() {
  static const ConfigTable config(C::config());
  static const std::vector<mr_str> names = [] {
    std::vector<mr_str> all{to_mr(C::kName)};
    if constexpr (requires { C::kAliases; }) {
      for (const std::string_view alias : C::kAliases) all.push_back(to_mr(alias));
    }
    return all;
  }();
  static const mr_connector_v1 table = [] {
    mr_connector_v1 made{};
    made.struct_size = sizeof(made);
    made.major = MR_ABI_MAJOR;
    made.minor = MR_ABI_MINOR;
    made.kind = is_source<C> ? MR_SOURCE : MR_SINK;
    made.names = names.data();
    made.name_count = names.size();
    made.version = to_mr(C::kVersion);
    made.config = config.rows.data();
    made.config_count = config.rows.size();
    set_connector_functions<C>(made);
    set_task_functions<C>(made);
    return made;
  }();
  return &table;
}

}  // namespace detail

/// The plugin's table for connectors C…; what mr_plugin() returns.
template <class... C>
const mr_plugin_v1* expose(const mr_host_v1* host) noexcept {
  if (host == nullptr || host->major != MR_ABI_MAJOR) return nullptr;
  detail::host = host;
  try {
    static const mr_connector_v1* const connectors[] = {detail::connector_table<C>()...};
    static const mr_plugin_v1 plugin = {sizeof(mr_plugin_v1), MR_ABI_MAJOR, MR_ABI_MINOR, connectors, sizeof...(C)};
    return &plugin;
  } catch (...) {
    return nullptr;
  }
}

}  // namespace millrace::sdk

/// Exports connectors from this library. (A macro, because only a macro can name the one exported symbol for you.)
#define MILLRACE_PLUGIN(...)                                                                                 \
  extern "C" [[gnu::visibility("default")]] const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept { \
    return millrace::sdk::expose<__VA_ARGS__>(host);                                                         \
  }
