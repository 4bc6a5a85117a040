/// A worker in a test's process: drives a connector through its C table, as the real worker does, and remembers what
/// the connector did. Needs no broker, no threads and no time.
///
///   FakeHost host;
///   host.store_offset({{"filename", "/tmp/a"}}, {{"position", int64_t{4}}});
///   TaskRunner task(host, FakeHost::connector(mr_plugin, "FileStreamSource"), {{"topic", "t"}, {"file", "/tmp/a"}});
///   ASSERT_TRUE(task.start().ok());
///   ASSERT_TRUE(task.poll().ok());
///   EXPECT_EQ(host.records()[0].value.text(), "first line");
///
/// Threads: the host's functions may be called from any thread; the inspecting members from the test's thread while no
/// other one runs connector code, except stop(), stopping() and log().
#pragma once

#include <millrace/connector.hpp>
#include <millrace/text.hpp>

#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::sdk {

/// A deep copy of an mr_value. Copies share the content, which never changes.
class OwnedValue {
 public:
  OwnedValue() = default;
  explicit OwnedValue(const mr_value& value) : content_(std::make_shared<Content>()), root_(copy(value)) {}
  /// A map with STRING keys, as source partitions and offsets are: {{"filename", "/tmp/a"}, {"position", int64_t{4}}}.
  OwnedValue(std::initializer_list<std::pair<std::string_view, Value>> entries) {
    std::vector<mr_value> flat;
    for (const auto& [key, value] : entries) {
      flat.push_back(string_value(key));
      flat.push_back(value.borrow());
    }
    *this = OwnedValue(map_value(flat));
  }
  const mr_value& get() const { return root_; }
  bool null() const { return root_.kind == MR_NULL; }
  /// Java's toString, without schema: fields of structs are not shown.
  std::string text() const { return to_text(root_); }
  /// An entry of a map with STRING keys; null when absent.
  mr_value entry(std::string_view key) const {
    const mr_value* found = find(root_, key);
    return found == nullptr ? mr_value{} : *found;
  }

 private:
  struct Content {
    std::deque<std::string> texts;
    std::deque<std::vector<mr_value>> lists;
  };
  mr_value copy(const mr_value& from) {
    mr_value to = from;
    if (from.kind == MR_STRING || from.kind == MR_BYTES || from.kind == MR_DECIMAL) {
      to.u.bytes = content_->texts.emplace_back(from.u.bytes == nullptr ? "" : from.u.bytes, from.size).data();
    } else if (from.kind == MR_ARRAY || from.kind == MR_MAP || from.kind == MR_STRUCT) {
      const size_t count = from.kind == MR_MAP ? size_t{2} * from.size : from.size;
      std::vector<mr_value>& list = content_->lists.emplace_back(count);
      for (size_t i = 0; i < count; ++i) list[i] = copy(from.u.items[i]);
      to.u.items = list.data();
    }
    return to;
  }
  std::shared_ptr<Content> content_;  // shared by copies of this value, whose pointers lead into it
  mr_value root_{};
};

/// A record that a source emitted, deep-copied.
struct OwnedRecord {
  struct Header {
    std::string key;
    mr_schema_id schema = 0;
    OwnedValue value;
  };
  std::string topic;
  int32_t partition = MR_NO_PARTITION;
  mr_schema_id key_schema = 0, value_schema = 0;
  OwnedValue key, value;
  std::vector<Header> headers;
  int64_t timestamp_ms = MR_NO_TIMESTAMP;
  OwnedValue source_partition, source_offset;

  explicit OwnedRecord(const mr_record& from)
      : topic(view(from.topic)),
        partition(from.partition),
        key_schema(from.key_schema),
        value_schema(from.value_schema),
        key(from.key),
        value(from.value),
        timestamp_ms(from.timestamp_ms),
        source_partition(from.source_partition),
        source_offset(from.source_offset) {
    for (uint32_t i = 0; i < from.header_count; ++i) {
      const mr_header& header = from.headers[i];
      headers.push_back({std::string(view(header.key)), header.schema, OwnedValue(header.value)});
    }
  }
};

class FakeHost {
 public:
  struct LogLine {
    mr_level level;
    std::string text;
  };
  struct Report {
    size_t index;
    int32_t code;
    std::string message;
  };
  struct ConfigError {
    std::string key, message;
  };
  struct Seek {
    std::string topic;
    int32_t partition;
    int64_t offset;
  };
  using Settings = std::map<std::string, std::string, std::less<>>;

  FakeHost() = default;
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  /// The function table for a plugin's mr_plugin.
  static const mr_host_v1& table();
  mr_context* context() { return reinterpret_cast<mr_context*>(this); }  // opaque to the plugin

  /// The connector of a plugin that has `name` among its names; nullptr when there is none.
  static const mr_connector_v1* connector(mr_plugin_entry entry, std::string_view name) {
    const mr_plugin_v1* plugin = entry(&table());
    for (size_t i = 0; plugin != nullptr && i < plugin->connector_count; ++i) {
      const mr_connector_v1* found = plugin->connectors[i];
      for (size_t n = 0; n < found->name_count; ++n) {
        if (view(found->names[n]) == name) return found;
      }
    }
    return nullptr;
  }

  // ---- what a test sets

  void store_offset(const OwnedValue& partition, const OwnedValue& offset) { offsets_[partition.text()] = offset; }
  /// What the worker does once the log has acknowledged everything emitted so far.
  void store_emitted_offsets() {
    for (const OwnedRecord& record : records_) {
      if (!record.source_partition.null()) offsets_[record.source_partition.text()] = record.source_offset;
    }
  }
  /// The next emit fails; its records are not taken.
  void fail_next_emit(Status failure) { emit_failure_ = std::move(failure); }
  /// report() answers with a failure, as without errors.tolerance=all.
  void refuse_reports(bool refuse) { refuse_reports_ = refuse; }
  /// Called when the connector waits, with the milliseconds. Without it a wait is over at once.
  void on_wait(std::function<void(int64_t)> action) { on_wait_ = std::move(action); }
  void set_name(std::string name) { name_ = std::move(name); }
  void stop() { set_stopping(true); }
  void set_stopping(bool stopping) {
    std::lock_guard lock(mutex_);
    stopping_ = stopping;
  }

  // ---- what a test looks at

  const std::vector<OwnedRecord>& records() const { return records_; }
  std::vector<OwnedRecord> take_records() { return std::exchange(records_, {}); }
  std::vector<std::string> value_texts() const {
    std::vector<std::string> texts;
    for (const OwnedRecord& record : records_) texts.push_back(text(record.value, record.value_schema));
    return texts;
  }
  size_t emits() const { return emits_; }
  const OwnedValue* offset(const OwnedValue& partition) const {
    const auto at = offsets_.find(partition.text());
    return at == offsets_.end() ? nullptr : &at->second;
  }
  std::vector<LogLine> log() const {
    std::lock_guard lock(mutex_);
    return log_;
  }
  size_t logged(mr_level level, std::string_view part = "") const {
    const auto lines = log();
    return static_cast<size_t>(std::count_if(lines.begin(), lines.end(), [&](const LogLine& line) {
      return line.level == level && line.text.find(part) != std::string::npos;
    }));
  }
  size_t waits() const { return waits_; }
  bool stopping() const {
    std::lock_guard lock(mutex_);
    return stopping_;
  }
  const std::vector<Report>& reports() const { return reports_; }
  const std::vector<ConfigError>& config_errors() const { return config_errors_; }
  const std::vector<Settings>& task_configs() const { return task_configs_; }
  const std::vector<Seek>& seeks() const { return seeks_; }
  size_t commit_requests() const { return commit_requests_; }
  size_t reconfiguration_requests() const {
    std::lock_guard lock(mutex_);
    return reconfiguration_requests_;
  }
  /// For take_signal to give out.
  void post_signal(std::string json) {
    std::lock_guard lock(mutex_);
    signals_.push_back(std::move(json));
  }
  /// What set_progress was told last; numbers as std::to_string prints them.
  const std::map<std::string, std::string>& progress() const { return progress_; }
  const std::vector<std::string>& raised_errors() const { return raised_errors_; }
  const std::vector<std::string>& paused() const { return paused_; }  ///< "topic-partition", in pausing order

  const mr_schema* describe(mr_schema_id id) const {
    return id == 0 || id > schemas_.size() ? nullptr : &schemas_[id - 1]->raw;
  }
  size_t schema_count() const { return schemas_.size(); }
  /// Registers a schema for sink records.
  mr_schema_id add_schema(const mr_schema& schema);
  std::string text(const OwnedValue& value, mr_schema_id schema) const {
    return to_text(value.get(), schema, [this](mr_schema_id id) { return describe(id); });
  }

 private:
  struct OwnedSchema {
    mr_schema raw{};
    std::deque<std::string> texts;
    std::vector<mr_pair> parameters;
    std::vector<mr_field> fields;
    OwnedValue default_value;
    std::string identity;  // equal schemas have equal identities
  };
  mr_str keep(OwnedSchema& schema, mr_str text) {
    if (text.data == nullptr) return {};
    return to_mr(schema.texts.emplace_back(view(text)));
  }
  bool known(mr_schema_id id) const { return id != 0 && id <= schemas_.size(); }
  std::string problem_in(const mr_schema& schema) const;
  std::string identity_of(const mr_schema& schema) const;
  static std::string partition_name(const mr_topic_partition& of) {
    return std::string(view(of.topic)) + "-" + std::to_string(of.partition);
  }
  static FakeHost& of(mr_context* context) { return *reinterpret_cast<FakeHost*>(context); }
  static mr_host_v1 make_table();
  static void add_sink_functions(mr_host_v1& table);
  static void add_connector_functions(mr_host_v1& table);

  mutable std::mutex mutex_;  // log_, stopping_
  std::vector<LogLine> log_;
  bool stopping_ = false;
  std::vector<OwnedRecord> records_;
  std::map<std::string, OwnedValue> offsets_;  // by the partition map's text
  OwnedValue last_stored_;
  Status emit_failure_;
  bool refuse_reports_ = false;
  std::function<void(int64_t)> on_wait_;
  std::string name_ = "test-connector";
  size_t emits_ = 0, waits_ = 0, commit_requests_ = 0, reconfiguration_requests_ = 0;
  std::vector<Report> reports_;
  std::vector<ConfigError> config_errors_;
  std::vector<Settings> task_configs_;
  std::vector<Seek> seeks_;
  std::vector<std::string> raised_errors_, paused_;
  std::map<std::string, std::string> progress_;
  std::deque<std::string> signals_;
  std::string signal_;
  std::deque<std::unique_ptr<OwnedSchema>> schemas_;
};

/// One task, from create to destroy. Lifetime: shorter than the host's.
class TaskRunner {
 public:
  TaskRunner(FakeHost& host, const mr_connector_v1* connector, FakeHost::Settings settings)
      : connector_(connector), settings_(std::move(settings)) {
    mr_error error{};
    task_ = connector_->task_create(host.context(), &error);
  }
  TaskRunner(const TaskRunner&) = delete;
  TaskRunner& operator=(const TaskRunner&) = delete;
  ~TaskRunner() { connector_->task_destroy(task_); }

  Status start() {
    std::vector<mr_pair> pairs;
    for (const auto& [key, value] : settings_) pairs.push_back({to_mr(key), to_mr(value)});
    const mr_config config{pairs.data(), pairs.size()};
    return call([&](mr_error* error) { return connector_->task_start(task_, &config, error); });
  }
  Status stop() {
    return call([&](mr_error* error) { return connector_->task_stop(task_, error); });
  }
  void interrupt() {
    if (connector_->task_interrupt != nullptr) connector_->task_interrupt(task_);
  }
  Status poll() {
    return call([&](mr_error* error) { return connector_->poll(task_, error); });
  }
  Status commit() {
    return call(
        [&](mr_error* error) { return connector_->commit == nullptr ? MR_OK : connector_->commit(task_, error); });
  }
  Status open(std::span<const mr_topic_partition> partitions) {
    return call([&](mr_error* error) {
      return connector_->open == nullptr ? MR_OK : connector_->open(task_, partitions.data(), partitions.size(), error);
    });
  }
  Status put(std::span<const mr_record> records) {
    return call([&](mr_error* error) { return connector_->put(task_, records.data(), records.size(), error); });
  }
  Status flush(std::span<mr_topic_partition> offsets = {}) {
    return call([&](mr_error* error) {
      return connector_->flush == nullptr ? MR_OK : connector_->flush(task_, offsets.data(), offsets.size(), error);
    });
  }
  Status close(std::span<const mr_topic_partition> partitions = {}) {
    return call([&](mr_error* error) {
      return connector_->close == nullptr ? MR_OK
                                          : connector_->close(task_, partitions.data(), partitions.size(), error);
    });
  }

 private:
  template <class F>
  Status call(F&& function) {
    mr_error error{};
    const int32_t code = function(&error);
    return to_status(code, error);
  }
  const mr_connector_v1* connector_;
  FakeHost::Settings settings_;
  void* task_ = nullptr;
};

/// One connector instance of a plugin that splits its work itself. Lifetime: shorter than the host's.
class ConnectorRunner {
 public:
  ConnectorRunner(FakeHost& host, const mr_connector_v1* connector) : connector_(connector) {
    mr_error error{};
    instance_ = connector_->connector_create(host.context(), &error);
  }
  ConnectorRunner(const ConnectorRunner&) = delete;
  ConnectorRunner& operator=(const ConnectorRunner&) = delete;
  ~ConnectorRunner() { connector_->connector_destroy(instance_); }

  Status start(const FakeHost::Settings& settings) {
    std::vector<mr_pair> pairs;
    for (const auto& [key, value] : settings) pairs.push_back({to_mr(key), to_mr(value)});
    const mr_config config{pairs.data(), pairs.size()};
    mr_error error{};
    return to_status(connector_->connector_start(instance_, &config, &error), error);
  }
  /// The configurations land in host.task_configs().
  Status task_configs(int tasks_max) {
    mr_error error{};
    return to_status(connector_->connector_task_configs(instance_, tasks_max, &error), error);
  }
  Status stop() {
    mr_error error{};
    return to_status(connector_->connector_stop(instance_, &error), error);
  }

 private:
  const mr_connector_v1* connector_;
  void* instance_ = nullptr;
};

// ---- the host's functions
// ----------------------------------------------------------------------------------------------

inline std::string FakeHost::problem_in(const mr_schema& schema) const {
  if (schema.struct_size < sizeof(mr_schema)) return "struct_size is too small";
  if (schema.type == MR_NULL || schema.type > MR_STRUCT)
    return "type " + std::to_string(schema.type) + " is no schema type";
  if (schema.type == MR_MAP && !known(schema.key_schema)) return "unknown key_schema";
  if ((schema.type == MR_MAP || schema.type == MR_ARRAY) && !known(schema.value_schema)) return "unknown value_schema";
  for (size_t i = 0; schema.type == MR_STRUCT && i < schema.field_count; ++i) {
    if (!known(schema.fields[i].schema)) return "unknown schema of field " + std::string(view(schema.fields[i].name));
  }
  return {};
}

inline std::string FakeHost::identity_of(const mr_schema& schema) const {
  std::string all = std::to_string(schema.type) + (schema.optional != 0 ? "?" : "!");
  const auto add = [&](mr_str text) {
    all += text.data == nullptr ? "|-" : "|" + std::to_string(text.size) + ":" + std::string(view(text));
  };
  if (schema.has_version != 0) all += "v" + std::to_string(schema.version);
  if (schema.has_default != 0) all += "=" + OwnedValue(schema.default_value).text();
  add(schema.name);
  add(schema.doc);
  for (size_t i = 0; i < schema.parameter_count; ++i) {
    add(schema.parameters[i].key);
    add(schema.parameters[i].value);
  }
  all += "#" + std::to_string(schema.key_schema) + "#" + std::to_string(schema.value_schema);
  for (size_t i = 0; i < schema.field_count; ++i) {
    add(schema.fields[i].name);
    all += "#" + std::to_string(schema.fields[i].schema);
  }
  return all;
}

inline mr_schema_id FakeHost::add_schema(const mr_schema& schema) {
  std::string identity = identity_of(schema);
  for (size_t i = 0; i < schemas_.size(); ++i) {
    if (schemas_[i]->identity == identity) return static_cast<mr_schema_id>(i + 1);
  }
  auto owned = std::make_unique<OwnedSchema>();
  owned->identity = std::move(identity);
  owned->raw = schema;
  owned->raw.name = keep(*owned, schema.name);
  owned->raw.doc = keep(*owned, schema.doc);
  for (size_t i = 0; i < schema.parameter_count; ++i) {
    owned->parameters.push_back({keep(*owned, schema.parameters[i].key), keep(*owned, schema.parameters[i].value)});
  }
  for (size_t i = 0; i < schema.field_count; ++i) {
    owned->fields.push_back({keep(*owned, schema.fields[i].name), schema.fields[i].schema, 0});
  }
  owned->default_value = OwnedValue(schema.default_value);
  owned->raw.parameters = owned->parameters.data();
  owned->raw.fields = owned->fields.data();
  owned->raw.default_value = owned->default_value.get();
  schemas_.push_back(std::move(owned));
  return static_cast<mr_schema_id>(schemas_.size());
}

inline void FakeHost::add_sink_functions(mr_host_v1& table) {
  table.request_commit = [](mr_context* context) { ++of(context).commit_requests_; };
  table.report = [](mr_context* context, size_t index, const mr_error* why, mr_error* error) -> int32_t {
    FakeHost& host = of(context);
    if (host.refuse_reports_) return set_error(error, why->code, why->message);
    host.reports_.push_back({index, why->code, why->message});
    return MR_OK;
  };
  table.seek = [](mr_context* context, const mr_topic_partition* to, mr_error*) -> int32_t {
    of(context).seeks_.push_back({std::string(view(to->topic)), to->partition, to->offset});
    return MR_OK;
  };
  table.pause = [](mr_context* context, const mr_topic_partition* partitions, size_t count, mr_error*) -> int32_t {
    for (size_t i = 0; i < count; ++i) of(context).paused_.push_back(partition_name(partitions[i]));
    return MR_OK;
  };
  table.resume = [](mr_context* context, const mr_topic_partition* partitions, size_t count, mr_error*) -> int32_t {
    auto& paused = of(context).paused_;
    for (size_t i = 0; i < count; ++i) std::erase(paused, partition_name(partitions[i]));
    return MR_OK;
  };
}

inline void FakeHost::add_connector_functions(mr_host_v1& table) {
  table.request_reconfiguration = [](mr_context* context) {
    std::lock_guard lock(of(context).mutex_);
    ++of(context).reconfiguration_requests_;
  };
  table.raise_error = [](mr_context* context, const mr_error* error) {
    std::lock_guard lock(of(context).mutex_);
    of(context).raised_errors_.emplace_back(error->message);
  };
  table.add_task_config = [](mr_context* context, const mr_config* config) {
    Settings settings;
    for (size_t i = 0; i < config->count; ++i)
      settings[std::string(view(config->pairs[i].key))] = view(config->pairs[i].value);
    of(context).task_configs_.push_back(std::move(settings));
  };
  table.add_config_error = [](mr_context* context, mr_str key, mr_str message) {
    of(context).config_errors_.push_back({std::string(view(key)), std::string(view(message))});
  };
  table.connector_name = [](mr_context* context) { return to_mr(of(context).name_); };
}

inline mr_host_v1 FakeHost::make_table() {
  mr_host_v1 table{};
  table.struct_size = sizeof(table);
  table.major = MR_ABI_MAJOR;
  table.minor = MR_ABI_MINOR;
  table.log = [](mr_context* context, int32_t level, mr_str message) {
    std::lock_guard lock(of(context).mutex_);
    of(context).log_.push_back({static_cast<mr_level>(level), std::string(view(message))});
  };
  table.set_progress = [](mr_context* context, const mr_progress* items, size_t count) {
    std::lock_guard lock(of(context).mutex_);
    of(context).progress_.clear();
    for (size_t i = 0; i < count; ++i) {
      of(context).progress_[std::string(view(items[i].name))] =
          items[i].text.data != nullptr ? std::string(view(items[i].text)) : std::to_string(items[i].number);
    }
  };
  table.take_signal = [](mr_context* context) -> mr_str {
    FakeHost& host = of(context);
    std::lock_guard lock(host.mutex_);
    if (host.signals_.empty()) return {nullptr, 0};
    host.signal_ = std::move(host.signals_.front());
    host.signals_.pop_front();
    return {host.signal_.data(), host.signal_.size()};
  };
  table.stopping = [](mr_context* context) -> int32_t { return of(context).stopping() ? 1 : 0; };
  table.wait = [](mr_context* context, int64_t ms) -> int32_t {
    FakeHost& host = of(context);
    ++host.waits_;
    if (host.on_wait_) host.on_wait_(ms);
    return host.stopping() ? 1 : 0;
  };
  table.register_schema = [](mr_context* context, const mr_schema* schema, mr_schema_id* id,
                             mr_error* error) -> int32_t {
    if (const std::string problem = of(context).problem_in(*schema); !problem.empty())
      return set_error(error, MR_INTERNAL, problem);
    *id = of(context).add_schema(*schema);
    return MR_OK;
  };
  table.describe_schema = [](mr_context* context, mr_schema_id id) { return of(context).describe(id); };
  table.stored_offset = [](mr_context* context, const mr_value* partition, mr_value* offset, mr_error*) -> int32_t {
    FakeHost& host = of(context);
    const OwnedValue* stored = host.offset(OwnedValue(*partition));
    host.last_stored_ = stored == nullptr ? OwnedValue() : *stored;
    *offset = host.last_stored_.get();
    return MR_OK;
  };
  table.emit = [](mr_context* context, const mr_record* records, size_t count, mr_error* error) -> int32_t {
    FakeHost& host = of(context);
    ++host.emits_;
    if (const Status failure = std::exchange(host.emit_failure_, {}); !failure.ok()) {
      return set_error(error, static_cast<int32_t>(failure.code()), failure.message());
    }
    for (size_t i = 0; i < count; ++i) host.records_.emplace_back(records[i]);
    return MR_OK;
  };
  add_sink_functions(table);
  add_connector_functions(table);
  return table;
}

inline const mr_host_v1& FakeHost::table() {
  static const mr_host_v1 table = make_table();
  return table;
}

}  // namespace millrace::sdk
