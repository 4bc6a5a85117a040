#include "runtime/preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "runtime/connector_config.h"
#include "runtime/converter_set.h"
#include "runtime/offset_store.h"
#include "runtime/plugin_bridge.h"
#include "runtime/preview_text.h"
#include "runtime/schema_table.h"
#include "runtime/worker_config.h"
#include "transforms/transformation_chain.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

std::string text_of(const ConfigMap& config, const char* key) {
  const auto at = config.find(key);
  return at == config.end() ? std::string() : at->second;
}

/// What was seen so far, as JSON texts.
struct Outcome {
  std::vector<std::string> records, actions, errors;
  size_t dropped = 0;  ///< by transformations

  void add_error(std::string_view where, const Error& error) {
    errors.push_back(fmt::format("{{\"stage\":{},\"message\":{}}}", json_string(where), json_string(error.message)));
  }
  std::string text(const ConnectorPlugin& plugin) const {
    std::string out = fmt::format("{{\"name\":{},\"type\":\"{}\",\"records\":[{}],\"dropped\":{},\"errors\":[{}]",
                                  json_string(plugin.class_name), connector_type_name(plugin.type),
                                  fmt::join(records, ","), dropped, fmt::join(errors, ","));
    if (plugin.type == ConnectorType::kSink) out += fmt::format(",\"actions\":[{}]", fmt::join(actions, ","));
    return out + "}";
  }
};

/// What the preview of either kind needs of a connector: its converters and transformations.
struct Pipeline {
  ConverterSet converters;
  TransformationChain transforms;
  SchemaTable schemas;
  Arena arena;
  PreviewText printer;

  static Expected<std::unique_ptr<Pipeline>> make(const ConfigMap& worker, const ConfigMap& connector) {
    auto converters = ConverterSet::create(worker, connector);
    if (!converters) return fail(std::move(converters.error()));
    auto transforms = TransformationChain::create(connector);
    if (!transforms) return fail(std::move(transforms.error()));
    auto made = std::make_unique<Pipeline>();
    made->converters = std::move(*converters);
    made->transforms = std::move(*transforms);
    return made;
  }
};

/// The host's side of a source that is previewed: no offset is known, and what is emitted is kept.
class SourcePreview final : public BasicContext {
 public:
  SourcePreview(Pipeline& pipeline, size_t rows, Outcome& outcome, std::string name, Logger logger)
      : BasicContext(std::move(name), std::move(logger)), pipeline_(pipeline), rows_(rows), outcome_(outcome) {}

  Expected<mr_schema_id> register_schema(const mr_schema& schema) override {
    return pipeline_.schemas.register_schema(schema);
  }
  const mr_schema* describe_schema(mr_schema_id id) override { return pipeline_.schemas.describe(id); }
  Expected<mr_value> stored_offset(const mr_value&) override { return null_value(); }
  void add_task_config(ConfigMap config) override { task_configs.push_back(std::move(config)); }
  void raise_error(Error error) override { outcome_.add_error("CONNECTOR", error); }

  Status emit(std::span<const mr_record> records) override {
    for (const mr_record& record : records) {
      if (full()) return fail(ErrorCode::kStopped, "the preview has what it needs");
      show(record);
    }
    return {};
  }
  bool full() const { return outcome_.records.size() >= rows_; }

  std::vector<ConfigMap> task_configs;

 private:
  void show(const mr_record& raw) {
    pipeline_.arena.reset();
    ConnectRecord record;
    record.topic = view(raw.topic);
    record.partition = raw.partition;
    record.key = {pipeline_.schemas.schema(raw.key_schema), raw.key};
    record.value = {pipeline_.schemas.schema(raw.value_schema), raw.value};
    if (raw.timestamp_ms != MR_NO_TIMESTAMP) record.timestamp_ms = raw.timestamp_ms;
    for (uint32_t i = 0; i < raw.header_count; ++i) {
      const mr_header& header = raw.headers[i];
      record.headers.push_back({view(header.key), pipeline_.schemas.schema(header.schema), header.value});
    }
    auto kept = pipeline_.transforms.apply(record, pipeline_.arena);
    if (!kept) return outcome_.add_error("TRANSFORMATION", kept.error());
    if (!*kept) {
      ++outcome_.dropped;
      return;
    }
    std::string text = pipeline_.printer.record(record);
    text += fmt::format(",\"source_partition\":{},\"source_offset\":{}", map_text(raw.source_partition),
                        map_text(raw.source_offset));
    text += fmt::format(",\"written\":{{\"key\":{},\"value\":{}}}}}",
                        written(*pipeline_.converters.key, "KEY_CONVERTER", record.topic, record.key),
                        written(*pipeline_.converters.value, "VALUE_CONVERTER", record.topic, record.value));
    outcome_.records.push_back(std::move(text));
  }

  static std::string map_text(const Value& map) {
    if (is_null(map)) return "null";
    auto json = offset_map_to_json(map);
    return json ? *json : json_string(json.error().message);
  }

  /// The bytes that the connector's own converter makes, as text.
  std::string written(Converter& converter, std::string_view stage, std::string_view topic,
                      const SchemaAndValue& what) {
    std::string bytes;
    auto present = converter.from_connect(topic, what.schema, what.value, bytes);
    if (!present) outcome_.add_error(stage, present.error());
    return present && *present ? json_string(bytes) : "null";
  }

  Pipeline& pipeline_;
  const size_t rows_;
  Outcome& outcome_;
};

/// The host's side of a sink's preview().
class SinkPreview final : public BasicContext {
 public:
  SinkPreview(Pipeline& pipeline, Outcome& outcome, std::string name, Logger logger)
      : BasicContext(std::move(name), std::move(logger)), pipeline_(pipeline), outcome_(outcome) {}
  Expected<mr_schema_id> register_schema(const mr_schema& schema) override {
    return pipeline_.schemas.register_schema(schema);
  }
  const mr_schema* describe_schema(mr_schema_id id) override { return pipeline_.schemas.describe(id); }
  Status report(size_t index, Error why) override {
    outcome_.add_error(fmt::format("TASK_PUT of record {}", index), why);
    return {};
  }
  void add_preview(std::string_view line) override { outcome_.actions.push_back(json_string(line)); }

 private:
  Pipeline& pipeline_;
  Outcome& outcome_;
};

/// Asks a context to stop, and the plugin's task to break off, when time is up.
class Alarm {
 public:
  Alarm(std::chrono::milliseconds after, std::function<void()> ring)
      : thread_([this, after, ring = std::move(ring)] {
          if (!cancelled_.wait_for(after)) ring();
        }) {}
  ~Alarm() {
    cancelled_.request();
    thread_.join();
  }

 private:
  StopSignal cancelled_;
  std::thread thread_;
};

Status run_source_task(const ConnectorPlugin& plugin, SourcePreview& context, const ConfigMap& config,
                       std::chrono::milliseconds patience) {
  const mr_connector_v1& table = plugin.table;
  mr_error error{};
  void* task = table.task_create(&context, &error);
  if (task == nullptr)
    return fail(ErrorCode::kInternal, fmt::format("the plugin could not create a task: {}", error.message));
  Status outcome;
  {
    const Alarm alarm(patience, [&] {
      context.stop_signal().request();
      if (table.task_interrupt != nullptr) table.task_interrupt(task);
    });
    const ConfigView view(config);
    outcome = to_status(table.task_start(task, view.get(), &error), error);
    while (outcome && !context.full() && !context.stopping()) outcome = to_status(table.poll(task, &error), error);
  }
  const bool ended_early = context.full() || context.stopping();
  mr_error ignored{};
  table.task_stop(task, &ignored);
  table.task_destroy(task);
  return ended_early ? Status() : outcome;
}

/// The configurations that the connector gives its tasks, from an instance made for this call.
Status make_task_configs(const ConnectorPlugin& plugin, SourcePreview& context, const ConfigMap& config) {
  const mr_connector_v1& table = plugin.table;
  if (table.connector_create == nullptr) {
    context.task_configs = {config};
    return {};
  }
  mr_error error{};
  void* instance = table.connector_create(&context, &error);
  if (instance == nullptr)
    return fail(ErrorCode::kInternal, fmt::format("the plugin could not create a connector: {}", error.message));
  const ConfigView view(config);
  Status done = to_status(table.connector_start(instance, view.get(), &error), error);
  if (done) {
    done = to_status(table.connector_task_configs(instance, 1, &error), error);
    mr_error ignored{};
    table.connector_stop(instance, &ignored);
  }
  table.connector_destroy(instance);
  return done;
}

Status preview_source(const ConnectorPlugin& plugin, const PreviewRequest& request, Pipeline& pipeline,
                      const Logger& logger, Outcome& outcome) {
  SourcePreview context(pipeline, request.rows, outcome, text_of(request.config, "name"), logger);
  if (auto made = make_task_configs(plugin, context, request.config); !made) return made;
  const std::vector<ConfigMap> configs = std::move(context.task_configs);
  const auto deadline = std::chrono::steady_clock::now() + request.patience;
  for (const ConfigMap& config : configs) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (context.full() || left <= 0ms) break;
    if (auto ran = run_source_task(plugin, context, config, left); !ran) return ran;
  }
  return {};
}

// ---- sinks

/// The topics a sink reads.
Expected<std::vector<std::string>> sink_topics(const ConfigMap& config, Admin& admin) {
  const std::string regex = text_of(config, "topics.regex");
  if (regex.empty()) return split_list(text_of(config, "topics"));
  auto all = admin.list_topics();
  if (!all) return all;
  std::erase_if(*all, [&](const std::string& topic) { return !topic_regex_matches(regex, topic); });
  return all;
}

PreviewRequest::Record to_record(const TopicPartition& from, const RecordView& raw) {
  PreviewRequest::Record record{from.topic, from.partition, raw.offset, raw.timestamp, {}, {}, {}};
  if (raw.key) record.key = std::string(*raw.key);
  if (raw.value) record.value = std::string(*raw.value);
  RecordHeader header;
  for (HeaderIterator it(raw.headers); it.next(header);) {
    record.headers.emplace_back(std::string(header.key),
                                header.value ? std::optional(std::string(*header.value)) : std::nullopt);
  }
  return record;
}

/// The first records of the connector's topics, read without a group.
Expected<std::vector<PreviewRequest::Record>> read_topics(const PreviewRequest& request, LogClient& client) {
  auto topics = sink_topics(request.config, client.admin());
  if (!topics) return fail(std::move(topics.error()));
  std::vector<TopicPartition> partitions;
  for (const std::string& topic : *topics) {
    const auto described = client.admin().describe_topic(topic);
    for (int32_t i = 0; described && i < described->partitions; ++i) partitions.push_back({topic, i});
  }
  std::vector<PreviewRequest::Record> records;
  if (partitions.empty()) return records;
  auto consumer = client.consumer({.group_id = "", .client_id = "preview", .max_poll_records = request.rows});
  if (!consumer) return fail(std::move(consumer.error()));
  if (auto assigned = (*consumer)->assign(partitions); !assigned) return fail(std::move(assigned.error()));
  while (records.size() < request.rows) {
    auto fetched = (*consumer)->poll(500ms);
    if (!fetched) return fail(std::move(fetched.error()));
    if (fetched->empty()) break;
    for (const FetchedPartition& partition : *fetched) {
      for (const RecordView& raw : partition.records) {
        if (records.size() < request.rows) records.push_back(to_record(partition.from, raw));
      }
    }
  }
  return records;
}

/// Converts and transforms a record; false when it is dropped or bad. Views point into `raw` and the arena.
bool prepare(const PreviewRequest::Record& raw, Pipeline& pipeline, ConnectRecord& record, Outcome& outcome) {
  const auto bytes = [](const std::optional<std::string>& text) {
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
  };
  record.kind = ConnectRecord::Kind::kSink;
  record.topic = raw.topic;
  record.partition = raw.partition;
  record.offset = raw.offset;
  record.timestamp_ms = raw.timestamp_ms;
  auto key = pipeline.converters.key->to_connect(raw.topic, bytes(raw.key), pipeline.arena);
  auto value = pipeline.converters.value->to_connect(raw.topic, bytes(raw.value), pipeline.arena);
  if (!key) outcome.add_error("KEY_CONVERTER", key.error());
  if (!value) outcome.add_error("VALUE_CONVERTER", value.error());
  if (!key || !value) return false;
  record.key = *key;
  record.value = *value;
  for (const auto& [name, text] : raw.headers) {
    auto header = pipeline.converters.header->to_header(raw.topic, name, bytes(text), pipeline.arena);
    if (!header) {
      outcome.add_error("HEADER_CONVERTER", header.error());
      return false;
    }
    record.headers.push_back({name, header->schema, header->value});
  }
  auto kept = pipeline.transforms.apply(record, pipeline.arena);
  if (!kept) outcome.add_error("TRANSFORMATION", kept.error());
  if (kept && !*kept) ++outcome.dropped;
  return kept && *kept;
}

mr_record to_abi(const PreviewRequest::Record& raw, const ConnectRecord& record, Pipeline& pipeline) {
  mr_record out{};
  out.topic = to_mr(record.topic);
  out.partition = record.partition;
  out.key = record.key.value;
  out.key_schema = pipeline.schemas.id_of(record.key.schema);
  out.value = record.value.value;
  out.value_schema = pipeline.schemas.id_of(record.value.schema);
  auto* headers = pipeline.arena.allocate_array<mr_header>(record.headers.size());
  for (const ConnectHeader& header : record.headers)
    headers[out.header_count++] = {to_mr(header.key), pipeline.schemas.id_of(header.schema), 0, header.value};
  out.headers = headers;
  out.timestamp_ms = record.timestamp_ms.value_or(MR_NO_TIMESTAMP);
  out.original_topic = to_mr(raw.topic);
  out.original_partition = raw.partition;
  out.offset = raw.offset;
  return out;
}

Status preview_sink(const ConnectorPlugin& plugin, const PreviewRequest& request, Pipeline& pipeline,
                    const PreviewServices& services, Outcome& outcome) {
  std::vector<PreviewRequest::Record> raw;
  if (request.records) {
    raw = *request.records;
  } else {
    auto read = read_topics(request, services.client);
    if (!read) return fail(std::move(read.error()));
    raw = std::move(*read);
  }
  std::vector<mr_record> batch;
  for (const PreviewRequest::Record& one : raw) {
    ConnectRecord record;
    if (!prepare(one, pipeline, record, outcome)) continue;
    outcome.records.push_back(pipeline.printer.record(record) + fmt::format(",\"offset\":{}}}", one.offset));
    batch.push_back(to_abi(one, record, pipeline));
  }
  if (plugin.table.preview == nullptr) {
    outcome.add_error(
        "TASK_PUT",
        Error{ErrorCode::kInternal, "this plugin does not tell what it would do with the records above", {}, {}, {}});
    return {};
  }
  SinkPreview context(pipeline, outcome, text_of(request.config, "name"), services.logger);
  const ConfigView view(request.config);
  mr_error error{};
  const Alarm alarm(request.patience, [&] { context.stop_signal().request(); });
  if (auto told = to_status(plugin.table.preview(&context, view.get(), batch.data(), batch.size(), &error), error);
      !told)
    outcome.add_error("TASK_PUT", told.error());
  return {};
}

}  // namespace

Expected<std::string> preview_connector(const ConnectorPlugin& plugin, const PreviewRequest& request,
                                        const PreviewServices& services) {
  auto pipeline = Pipeline::make(services.worker_config, request.config);
  if (!pipeline) return fail(std::move(pipeline.error()));
  Outcome outcome;
  const Status done = plugin.type == ConnectorType::kSource
                          ? preview_source(plugin, request, **pipeline, services.logger, outcome)
                          : preview_sink(plugin, request, **pipeline, services, outcome);
  if (!done) {
    if (outcome.records.empty()) return fail(Error(done.error()));
    outcome.add_error("TASK", done.error());
  }
  return outcome.text(plugin);
}

}  // namespace millrace
