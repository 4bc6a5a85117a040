#include "connectors/jdbc/sink_task.h"

#include <algorithm>

#include "connectors/jdbc/preview_session.h"

namespace millrace::jdbc {
namespace {

constexpr int kDeadlockTries = 5;
constexpr int kRestartsMax = 3000;  // three for each table and schema of a put are normal
constexpr const char* kSavepoint = "millrace";

const char* value_type(const mr_value& value) {
  constexpr const char* kNames[] = {"null",      "Boolean", "Byte",   "Short",      "Integer",
                                    "Long",      "Float",   "Double", "String",     "byte[]",
                                    "ArrayList", "HashMap", "Struct", "BigDecimal", "Date"};
  return value.kind < std::size(kNames) ? kNames[value.kind] : "Object";
}

std::string schema_type(const mr_schema* schema) {
  constexpr const char* kNames[] = {"null",    "boolean", "int8",  "int16", "int32", "int64", "float32",
                                    "float64", "string",  "bytes", "array", "map",   "Struct"};
  return schema == nullptr ? "null" : schema->type < std::size(kNames) ? kNames[schema->type] : "?";
}

std::string position(const mr_record& record) {
  return "(topic='" + std::string(sdk::view(record.topic)) + "',partition=" + std::to_string(record.partition) +
         ",offset=" + std::to_string(record.offset) + ",timestamp=" +
         (record.timestamp_ms == MR_NO_TIMESTAMP ? std::string("null") : std::to_string(record.timestamp_ms)) + ")";
}

}  // namespace

Status JdbcSinkTask::start(sdk::SinkContext& context) {
  auto config = parse_(context.config());
  if (!config.ok()) return config.status();
  config_ = std::move(*config);
  dialect_ = make_dialect(config_->connection.url, config_->quote_identifiers, config_->fold_identifiers);
  offsets_ = config_->exactly_once ? std::make_unique<SinkOffsets>(*config_, context.name()) : nullptr;
  retries_left_ = config_->retries_max;
  done_ = 0;
  source_names_.clear();
  const std::string& format = config_->table_name_format;
  for (size_t at = 0; (at = format.find("${source.", at)) != std::string::npos; ++at) {
    source_names_.push_back(format.substr(at + 9, format.find('}', at) - at - 9));
  }
  if (warns_) warn_of_ignored_parameters(context, config_->connection);
  return sdk::ok();
}

Status JdbcSinkTask::connect(sdk::SinkContext& context) {
  if (session_ && !session_->broken()) return sdk::ok();
  disconnect();
  auto session = open_session(config_->connection, true, [&](int64_t wait_ms) { return context.wait(wait_ms); });
  if (!session.ok()) return session.status();
  session_.set(std::move(*session));
  return sdk::ok();
}

void JdbcSinkTask::disconnect() {
  for (const auto& [name, table] : tables_) table->forget();  // its statements belong to the session
  if (offsets_ != nullptr) offsets_->forget_session();
  session_.reset();
}

Status JdbcSinkTask::stop(sdk::SinkContext&) {
  disconnect();
  tables_.clear();
  tables_by_origin_.clear();
  last_table_ = nullptr;
  return sdk::ok();
}

void JdbcSinkTask::interrupt() { session_.interrupt(); }

/// Nothing is asked here: a database that is away is a matter of put, which is tried again. It follows within a second,
/// records or not.
Status JdbcSinkTask::open(sdk::SinkContext&, std::span<const mr_topic_partition> partitions) {
  if (offsets_ != nullptr) offsets_->open(partitions);
  return sdk::ok();
}

Status JdbcSinkTask::close(sdk::SinkContext&, std::span<const mr_topic_partition> partitions) {
  if (offsets_ != nullptr) offsets_->close(partitions);
  return sdk::ok();
}

Status JdbcSinkTask::put(sdk::SinkContext& context, std::span<const mr_record> records) {
  if (records.empty() && (offsets_ == nullptr || offsets_->settled(records))) return sdk::ok();
  for (const mr_record& record : records) {
    if (Status s = check(context, record); !s.ok()) return s;
  }
  if (done_ != 0 && !goes_on(records)) done_ = 0;
  Status status;
  for (int attempt = 0; attempt < kDeadlockTries; ++attempt) {
    status = write_all(context, records, &JdbcSinkTask::try_transaction);
    const bool deadlock =
        !status.ok() && session_ && !session_->broken() && status.code() == Code::kUnavailable && lost_race_;
    // Whoever lost a deadlock can go on at once; different waits keep two tasks from meeting again.
    const int64_t spread = records.empty() ? 0 : records.front().offset % 7;
    if (!deadlock || context.wait(5 + 10 * attempt + spread)) break;
  }
  if (status.ok()) {
    retries_left_ = config_->retries_max;
    return status;
  }
  if (context.stopping()) return {Code::kStopped, "stopped"};
  // Where each record is to be written once, none is given up for the settings; else they go to the dead letter queue,
  // as Confluent's sink has it.
  if (offsets_ != nullptr && (offsets_->lost() || status.code() == Code::kInvalidConfig)) return status;
  // Settings and login do not heal by waiting; everything the server said may be repaired by an operator meanwhile.
  const bool settings = status.code() == Code::kInvalidConfig || status.code() == Code::kStopped;
  if (!settings && retries_left_ > 0) {
    context.warn("Write failed, " + std::to_string(retries_left_) + " tries left: " + status.message());
    --retries_left_;
    return {Code::kUnavailable, status.message(), static_cast<int32_t>(config_->retry_backoff_ms)};
  }
  if (!session_ || session_->broken() || status.code() == Code::kUnavailable) {
    retries_left_ = config_->retries_max;
    return {Code::kInternal,
            status.message() + " (after " + std::to_string(config_->retries_max) + " retries; see max.retries)"};
  }
  return write_around_bad_records(context, records);
}

JdbcSinkTask::Action JdbcSinkTask::action_of(const mr_record& record, const RecordShape& shape) const {
  const Action remove = config_->delete_enabled ? Action::kDelete : Action::kSkip;
  if (shape.kind == RecordShape::Kind::kMeta) return Action::kSkip;
  // Without the source block nobody knows the table; the event before the mark has deleted the row.
  if (record.value.kind == MR_NULL) return source_names_.empty() ? remove : Action::kSkip;
  if (shape.kind == RecordShape::Kind::kPlain) return Action::kWrite;
  switch (operation_of(record, shape)) {
    case 'c':
    case 'r':
    case 'u':
      return Action::kWrite;
    case 'd':
      return remove;
    case 't':
      return config_->truncate_enabled ? Action::kTruncate : Action::kSkip;
    default:
      return Action::kSkip;
  }
}

Status JdbcSinkTask::check(const sdk::SinkContext& context, const mr_record& record) {
  const auto schema_of = [&](mr_schema_id id) { return id == 0 ? nullptr : context.describe(id); };
  const auto wrong = [&](const char* what, const char* needed, const char* schema_needed, const mr_value& value,
                         const mr_schema* schema) {
    return Status(Code::kInternal,
                  "Sink connector '" + context.name() + "' is configured with 'delete.enabled=" +
                      (config_->delete_enabled ? "true" : "false") + "' and 'pk.mode=" + config_->key_mode_text +
                      "' and therefore requires records with a non-null " + needed + " and non-null " + schema_needed +
                      " schema, but found record at " + position(record) + " with a " + value_type(value) + " " + what +
                      " and " + schema_type(schema) + " " + what + " schema.");
  };
  const RecordShape& shape = shapes_.of(context, record.value_schema);
  const bool envelope = shape.kind == RecordShape::Kind::kEnvelope && record.value.kind == MR_STRUCT;
  const Action action = action_of(record, shape);
  if (shape.kind == RecordShape::Kind::kMeta) return sdk::ok();
  if (envelope && (action == Action::kSkip || action == Action::kTruncate)) return sdk::ok();
  if (config_->key_mode == KeyMode::kRecordKey || config_->delete_enabled) {
    const mr_schema* schema = schema_of(record.key_schema);
    const bool fits = schema != nullptr && (schema->type == MR_STRUCT || schema->type < MR_ARRAY);
    if (record.key.kind == MR_NULL || !fits) return wrong("key", "key", "Struct or primitive key", record.key, schema);
  }
  const bool tombstone = record.value.kind == MR_NULL;
  if (tombstone && (config_->delete_enabled || config_->ignore_tombstones)) return sdk::ok();
  // Debezium writes a null value behind each delete; where deletes are not wanted, that is none either.
  if (tombstone && debezium_key(schema_of(record.key_schema))) return sdk::ok();
  if (envelope && action == Action::kWrite && record.value.u.items[shape.after].kind != MR_STRUCT) {
    return {Code::kBadRecord, "the change event at " + position(record) + " has no row in its field 'after'"};
  }
  const mr_schema* schema = schema_of(record.value_schema);
  const bool struct_value = record.value.kind == MR_STRUCT && schema != nullptr && schema->type == MR_STRUCT;
  const bool text_value = record.value.kind == MR_STRING && schema != nullptr && schema->type == MR_STRING;
  if (!struct_value && !text_value)
    return wrong("value", "Struct or String value", "Struct or String", record.value, schema);
  return sdk::ok();
}

Result<bool> JdbcSinkTask::begin(sdk::SinkContext& context, std::span<const mr_record> records) {
  restart_ = false;
  cut_ = nullptr;
  first_ = records.data();
  if (Status s = connect(context); !s.ok()) return s;
  if (offsets_ == nullptr) return true;
  if (!offsets_->settled(records)) {
    auto moved = offsets_->settle(*session_, records);
    if (!moved.ok()) return moved.status();
    if (*moved) {
      for (const mr_topic_partition& to : offsets_->positions()) {
        context.info(std::string(sdk::view(to.topic)) + "-" + std::to_string(to.partition) + " goes on at offset " +
                     std::to_string(to.offset) + ", as " + offsets_->table() + " says");
        if (Status s = context.seek(to); !s.ok()) return s;
      }
      offsets_->told();
      return false;
    }
  }
  if (Status s = offsets_->advance(*session_, records); !s.ok()) return s;
  return true;
}

Status JdbcSinkTask::commit() {
  const Status s = session_->execute("COMMIT");
  if (s.ok() && offsets_ != nullptr) offsets_->committed();
  return s;
}

bool JdbcSinkTask::goes_on(std::span<const mr_record> records) const {
  return !records.empty() && records.size() == unfinished_.records &&
         sdk::view(records.front().topic) == unfinished_.topic && records.front().partition == unfinished_.partition &&
         records.front().offset == unfinished_.offset;
}

Status JdbcSinkTask::write_all(sdk::SinkContext& context, std::span<const mr_record> records, Try attempt) {
  Status status;
  size_t end = records.size();
  for (int i = 0; i < kRestartsMax; ++i) {
    status = (this->*attempt)(context, records.subspan(done_, end - done_), done_);
    if (status.ok()) {
      done_ = end == records.size() ? 0 : end;
      if (done_ == 0) return status;
      end = records.size();
    } else if (cut_ != nullptr) {
      end = static_cast<size_t>(cut_ - records.data());
    } else if (!restart_) {
      break;
    }
  }
  if (done_ != 0) {
    const mr_record& front = records.front();
    unfinished_ = {std::string(sdk::view(front.topic)), front.partition, front.offset, records.size()};
  }
  return status;
}

Status JdbcSinkTask::try_transaction(sdk::SinkContext& context, std::span<const mr_record> records, size_t) {
  const auto begun = begin(context, records);
  if (begun.ok() && !begun.value()) return sdk::ok();
  Status status = begun.ok() ? write(context, records, offsets_ != nullptr) : begun.status();
  if (status.ok()) status = commit();
  lost_race_ = !status.ok() && session_ && session_->lost_race();
  if (!status.ok() && session_) roll_back();
  return status;
}

void JdbcSinkTask::roll_back() {
  for (const auto& [name, table] : tables_) {
    restart_ |= table->restarted();
    if (const mr_record* cut = table->cut(); cut != nullptr) cut_ = cut;
  }
  for (const auto& [name, table] : tables_) {
    // What is known of the tables still holds when nothing but rows is undone.
    if (restart_ || cut_ != nullptr) {
      table->waiting.clear();
    } else {
      table->forget();
    }
  }
  if (!session_->broken() && !session_->execute("ROLLBACK").ok()) session_->mark_broken();
  if (session_->broken()) disconnect();
}

Status JdbcSinkTask::preview(sdk::PreviewContext& context, std::span<const mr_record> records) {
  if (Status s = start(context); !s.ok()) return s;
  for (const mr_record& record : records) {
    if (Status s = check(context, record); !s.ok()) return s;
  }
  config_->connection.attempts = 1;  // someone waits for the answer
  config_->connection.trial = true;
  config_->exactly_once = false;  // the table of offsets is nobody's business
  if (Status s = connect(context); !s.ok()) return s;
  session_.set(std::make_unique<PreviewSession>(session_.take(), *dialect_, context));
  return write(context, records, false);
}

/// Buffers per table and executes whenever the statement changes, so the order within a table is kept.
Status JdbcSinkTask::write(sdk::SinkContext& context, std::span<const mr_record> records, bool undoable) {
  for (const mr_record& record : records) {
    const RecordShape& shape = shapes_.of(context, record.value_schema);
    const Action action = action_of(record, shape);
    if (action == Action::kSkip) continue;
    auto table = table_of(context, record, shape);
    if (!table.ok()) return table.status();
    Status s;
    if (action == Action::kTruncate) {
      if (!undoable && !session_->ddl_in_transactions() && &record != first_) {
        cut_ = &record;
        return {Code::kUnavailable, "the records before a TRUNCATE go into a transaction of their own"};
      }
      s = send(context, **table);
      if (s.ok()) s = (*table)->truncate(*session_, undoable);
    } else {
      s = add(context, **table, record, shape, action == Action::kDelete);
    }
    if (!s.ok()) return s;
  }
  for (const auto& [name, table] : tables_) {
    if (Status s = send(context, *table); !s.ok()) return s;
  }
  return sdk::ok();
}

Status JdbcSinkTask::add(sdk::SinkContext& context, SinkTable& table, const mr_record& record, const RecordShape& shape,
                         bool remove) {
  // Only a mode that uses the key has columns for it; other key schemas must not multiply writers.
  const mr_schema_id key_schema = config_->key_mode == KeyMode::kRecordKey ? record.key_schema : 0;
  const mr_schema_id value_schema = remove ? 0 : record.value_schema;
  const bool by_topic = config_->field_filter.by_topic();
  table.has_events |= shape.kind == RecordShape::Kind::kEnvelope;
  const bool event = remove && table.has_events;
  header_signature(*config_, record, headers_);
  const bool same = table.event_key == event && table.key_schema == key_schema && table.value_schema == value_schema &&
                    table.removing == remove && table.headers == headers_ &&
                    (!by_topic || table.topic == sdk::view(record.topic));
  // The null value behind a delete says nothing new.
  if (same && remove && !table.waiting.empty() && same_value(table.waiting.back()->key, record.key)) return sdk::ok();
  if (!table.waiting.empty() && (!same || table.waiting.size() >= config_->batch_size)) {
    if (Status s = send(context, table); !s.ok()) return s;
  }
  table.key_schema = key_schema;
  table.value_schema = value_schema;
  table.removing = remove;
  table.event_key = event;
  table.shape = shape;
  table.headers = headers_;
  if (by_topic) table.topic = sdk::view(record.topic);
  table.waiting.push_back(&record);
  return sdk::ok();
}

Status JdbcSinkTask::send(sdk::SinkContext& context, SinkTable& table) {
  const Status s = table.flush(*session_, context, first_);
  table.waiting.clear();
  return s;
}

Result<SinkTable*> JdbcSinkTask::table_of(const sdk::SinkContext& context, const mr_record& record,
                                          const RecordShape& shape) {
  const std::string_view topic = sdk::view(record.topic);
  origin_ = topic;
  for (const std::string& name : source_names_) {
    const auto text = source_field(context, record, shape, name);
    if (!text) {
      return Status(Code::kInvalidConfig, "table name format '" + config_->table_name_format +
                                              "' needs change events with the text field source." + name +
                                              ", but the record at " + position(record) + " has none");
    }
    origin_ += '\n';
    origin_ += *text;
  }
  if (last_table_ != nullptr && origin_ == last_origin_) return last_table_;
  SinkTable*& table = tables_by_origin_[origin_];
  if (table == nullptr) {
    auto made = make_table(context, record, shape);
    if (!made.ok()) return made.status();
    table = *made;
  }
  last_origin_ = origin_;
  last_table_ = table;
  return table;
}

Result<SinkTable*> JdbcSinkTask::make_table(const sdk::SinkContext& context, const mr_record& record,
                                            const RecordShape& shape) {
  std::string name = config_->table_name_format;
  const auto fill = [&](const std::string& mark, std::string_view text) {
    for (size_t at = 0; (at = name.find(mark, at)) != std::string::npos; at += text.size())
      name.replace(at, mark.size(), text);
  };
  std::string topic(sdk::view(record.topic));
  if (config_->underscore_topic) std::replace(topic.begin(), topic.end(), '.', '_');
  fill("${topic}", topic);
  for (const std::string& field : source_names_) {
    const std::string text(source_field(context, record, shape, field).value_or(""));
    const bool dots = text.find('.') != std::string::npos;  // they belong to the name
    fill("${source." + field + "}", dots ? "`" + text + "`" : text);
  }
  if (name.empty()) {
    return Status(Code::kInvalidConfig, "Destination table name for topic '" + std::string(sdk::view(record.topic)) +
                                            "' is empty using the format string '" + config_->table_name_format + "'");
  }
  auto id = dialect_->table_id(name, config_->connection.url);
  if (!id.ok()) return id.status();
  if (Status s = session_->complete(*id); !s.ok()) return s;
  auto& owned = tables_[dotted(*id)];
  if (owned == nullptr) owned = std::make_unique<SinkTable>(*config_, *dialect_, std::move(*id));
  return owned.get();
}

/// Finds by halving which records the database refuses, reports them, and writes the others; in the transactions of
/// write_all(), so that nothing behind the last change of a table is written when the report fails the task.
Status JdbcSinkTask::write_around_bad_records(sdk::SinkContext& context, std::span<const mr_record> records) {
  reported_.clear();
  const Status status = write_all(context, records, &JdbcSinkTask::try_around_bad_records);
  if (status.ok()) retries_left_ = config_->retries_max;
  return status;
}

Status JdbcSinkTask::try_around_bad_records(sdk::SinkContext& context, std::span<const mr_record> records,
                                            size_t first) {
  const auto begun = begin(context, records);
  if (begun.ok() && !begun.value()) return sdk::ok();
  Status status = begun.ok() ? write_part(context, records, first) : begun.status();
  if (status.ok()) status = commit();
  if (!status.ok() && session_) roll_back();
  return status;
}

Status JdbcSinkTask::write_part(sdk::SinkContext& context, std::span<const mr_record> records, size_t first) {
  if (Status s = session_->execute(std::string("SAVEPOINT ") + kSavepoint); !s.ok()) return s;
  const Status failure = write(context, records, true);
  if (failure.ok() || session_->broken() || failure.code() == Code::kUnavailable) return failure;
  // What is known of the tables may be undone with the rest.
  for (const auto& [name, table] : tables_) table->forget();
  if (!session_->roll_back_to(kSavepoint).ok()) return failure;
  if (records.size() == 1)
    return report(context, first, {Code::kBadRecord, failure.message() + " (record at " + position(records[0]) + ")"});
  const size_t half = records.size() / 2;
  if (Status s = write_part(context, records.first(half), first); !s.ok()) return s;
  return write_part(context, records.subspan(half), first + half);
}

/// Once, though a transaction may start again.
Status JdbcSinkTask::report(sdk::SinkContext& context, size_t index, const Status& why) {
  if (reported_.contains(index)) return sdk::ok();
  const Status s = report_to_host(context, index, why);
  if (s.ok()) reported_.insert(index);
  return s;
}

}  // namespace millrace::jdbc
