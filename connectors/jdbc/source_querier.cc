#include "connectors/jdbc/source_querier.h"

#include <re2/re2.h>

#include <algorithm>
#include <set>

namespace millrace::jdbc {
namespace {

constexpr size_t kBatchBytesMax = 4 << 20;

std::string joined(const std::vector<std::string>& names, std::string_view separator) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? std::string() : std::string(separator)) + name;
  return out;
}

const char* type_name(uint8_t kind) {
  constexpr const char* kNames[] = {"NULL",  "BOOLEAN", "INT8",    "INT16",  "INT32",
                                    "INT64", "FLOAT32", "FLOAT64", "STRING", "BYTES"};
  return kind < std::size(kNames) ? kNames[kind] : "BYTES";
}

bool number_of(const mr_value* value, int64_t& number) {
  if (value == nullptr || value->kind < MR_INT8 || value->kind > MR_INT64) return false;
  number = value->u.i64;
  return true;
}

}  // namespace

Querier::Querier(const SourceConfig& config, const Dialect& dialect, TableId table, std::string quoted_name)
    : config_(config),
      dialect_(dialect),
      table_(std::move(table)),
      quoted_name_(std::move(quoted_name)),
      incrementing_column_(config.incrementing_column),
      timestamp_columns_(config.timestamp_columns) {
  const bool query = table_.table.empty();
  name_ = query ? "query" : dotted(table_);
  topic_ = query ? config.topic_prefix : config.topic_prefix + table_.table;
  // The member order is the one Kafka Connect's JVM writes: lookups in the offsets topic compare bytes.
  if (query) {
    partition_entries_ = {sdk::string_value("query"), sdk::string_value("query")};
  } else if (config.mode == Mode::kBulk) {
    partition_entries_ = {sdk::string_value("table"), sdk::string_value(table_.table)};
  } else {
    partition_entries_ = {sdk::string_value("protocol"), sdk::string_value("1"), sdk::string_value("table"),
                          sdk::string_value(name_)};
  }
}

Status Querier::prepare(Session& session, const sdk::SourceContext& context, bool first_of_task) {
  if (config_.mode == Mode::kBulk) return sdk::ok();
  if (!table_.table.empty()) {
    if (Status s = choose_mapped_columns(); !s.ok()) return s;
    if (Status s = find_columns(session, first_of_task); !s.ok()) return s;
  }
  return load_offset(session, context);
}

Status Querier::choose_mapped_columns() {
  const auto choose = [&](const std::vector<ColumnMapping>& mappings, std::string_view what,
                          std::vector<std::string>& columns) -> Status {
    const ColumnMapping* found = nullptr;
    for (const ColumnMapping& mapping : mappings) {
      if (!RE2::FullMatch(name_, mapping.expression)) continue;
      if (found != nullptr) {
        return {Code::kInvalidConfig, "Error while validating " + std::string(what) +
                                          " column mappings: Included table '" + quoted_name_ +
                                          "' matches more than one of the provided regexes"};
      }
      found = &mapping;
    }
    if (found == nullptr) {
      return {Code::kInvalidConfig, "Error while validating " + std::string(what) +
                                        " column mappings: Included table '" + quoted_name_ +
                                        "' does not match any of the provided regexes"};
    }
    columns = found->columns;
    return sdk::ok();
  };
  if (!config_.timestamp_mappings.empty() && uses_timestamp(config_.mode)) {
    if (Status s = choose(config_.timestamp_mappings, "timestamp", timestamp_columns_); !s.ok()) return s;
  }
  if (!config_.incrementing_mappings.empty() && uses_incrementing(config_.mode)) {
    std::vector<std::string> columns;
    if (Status s = choose(config_.incrementing_mappings, "incrementing", columns); !s.ok()) return s;
    incrementing_column_ = columns.front();
  }
  return sdk::ok();
}

Status Querier::find_columns(Session& session, bool first_of_task) {
  auto columns = session.columns(table_);
  if (!columns.ok()) return columns.status();
  const auto find = [&](const std::string& name) {
    return std::find_if(columns->begin(), columns->end(),
                        [&](const ColumnInfo& info) { return lower(info.name) == lower(name); });
  };
  (void)first_of_task;
  if (uses_incrementing(config_.mode)) {
    if (incrementing_column_.empty()) {
      const auto automatic =
          std::find_if(columns->begin(), columns->end(), [](const ColumnInfo& info) { return info.auto_increment; });
      if (automatic == columns->end()) {
        return {Code::kInvalidConfig,
                "Table " + quoted_name_ + " has no auto-increment column; name a column in incrementing.column.name"};
      }
      incrementing_column_ = automatic->name;
    }
    const auto found = find(incrementing_column_);
    if (found == columns->end()) {
      return {Code::kInvalidConfig,
              "Incrementing column: " + incrementing_column_ + " does not exist in table '" + quoted_name_ + "'"};
    }
    if (found->nullable && config_.validate_non_null) {
      return {Code::kInvalidConfig, "Cannot make incremental queries using incrementing column " +
                                        incrementing_column_ + " on " + quoted_name_ +
                                        " because this column is nullable."};
    }
  }
  if (!uses_timestamp(config_.mode)) return sdk::ok();
  if (timestamp_columns_.empty()) {
    return {Code::kInvalidConfig, "Mode timestamp needs timestamp.column.name: the column of table " + quoted_name_ +
                                      " that changes with every update"};
  }
  std::vector<std::string> missing;
  bool one_not_null = false;
  for (const std::string& name : timestamp_columns_) {
    const auto found = find(name);
    if (found == columns->end()) {
      missing.push_back(name);
    } else {
      one_not_null = one_not_null || !found->nullable;
    }
  }
  if (!missing.empty()) {
    return {Code::kInvalidConfig,
            "Timestamp columns: " + joined(missing, ", ") + " do not exist in table '" + quoted_name_ + "'"};
  }
  if (!one_not_null && config_.validate_non_null) {
    return {Code::kInvalidConfig, "Cannot make incremental queries using timestamp columns " +
                                      joined(timestamp_columns_, ",") + " on " + quoted_name_ +
                                      " because all of these columns are nullable."};
  }
  return sdk::ok();
}

Status Querier::load_offset(Session& session, const sdk::SourceContext& context) {
  mr_value stored{};
  if (Status s = context.stored_offset(sdk::map_value(partition_entries_), stored); !s.ok()) return s;
  if (stored.kind != MR_MAP && table_.catalog.empty() && !table_.table.empty()) {
    // With some drivers PostgreSQL's tables had their database before them.
    const std::string full = config_.connection.url.database + "." + name_;
    const mr_value former[] = {sdk::string_value("protocol"), sdk::string_value("1"), sdk::string_value("table"),
                               sdk::string_value(full)};
    if (Status s = context.stored_offset(sdk::map_value(former), stored); !s.ok()) return s;
  }
  if (stored.kind != MR_MAP && !table_.table.empty()) {
    const mr_value old[] = {sdk::string_value("table"), sdk::string_value(table_.table)};  // protocol 0
    if (Status s = context.stored_offset(sdk::map_value(old), stored); !s.ok()) return s;
  }
  number_of(sdk::find(stored, "incrementing"), sent_.incrementing);
  int64_t millis = 0, nanos = 0;
  if (number_of(sdk::find(stored, "timestamp"), millis)) {
    sent_.has_timestamp = true;
    const int64_t seconds = millis >= 0 ? millis / 1000 : -((999 - millis) / 1000);
    if (!number_of(sdk::find(stored, "timestamp_nanos"), nanos)) nanos = (millis - seconds * 1000) * 1'000'000;
    sent_.timestamp = {seconds, static_cast<int32_t>(nanos)};
  } else if (config_.timestamp_initial.has_value() && uses_timestamp(config_.mode)) {
    if (*config_.timestamp_initial == -1) {
      auto now = session.now(config_.read.clock);
      if (!now.ok()) return now.status();
      sent_.timestamp = *now;
    } else {
      const int64_t seconds = *config_.timestamp_initial / 1000;
      sent_.timestamp = {seconds, static_cast<int32_t>((*config_.timestamp_initial - seconds * 1000) * 1'000'000)};
    }
  }
  newest_ = sent_;
  return sdk::ok();
}

std::string Querier::column(const std::string& name) const {
  const std::string quoted = dialect_.quote(name);
  return table_.table.empty() ? quoted : dialect_.qualified(table_) + "." + quoted;
}

std::string Querier::statement() const {
  std::string sql = table_.table.empty() ? config_.query : "SELECT * FROM " + dialect_.qualified(table_);
  std::string timestamp;
  for (const std::string& name : timestamp_columns_) timestamp += (timestamp.empty() ? "" : ",") + column(name);
  if (timestamp_columns_.size() > 1) timestamp = "COALESCE(" + timestamp + ")";
  const std::string id = column(incrementing_column_);
  switch (config_.mode) {
    case Mode::kBulk:
      break;
    case Mode::kIncrementing:
      sql += " WHERE " + id + " > ? ORDER BY " + id + " ASC";
      break;
    case Mode::kTimestamp:
      sql += " WHERE " + timestamp + " > ? AND " + timestamp + " < ? ORDER BY " + timestamp + " ASC";
      break;
    case Mode::kTimestampIncrementing:
      sql += " WHERE " + timestamp + " < ? AND ((" + timestamp + " = ? AND " + id + " > ?) OR " + timestamp +
             " > ?) ORDER BY " + timestamp + "," + id + " ASC";
      break;
  }
  if (!config_.query_suffix.empty()) sql += " " + config_.query_suffix;
  return sql;
}

Status Querier::start(Session& session, const sdk::SourceContext& context) {
  std::vector<Parameter> parameters;
  newest_ = sent_;
  if (uses_timestamp(config_.mode)) {
    auto end = session.now(config_.read.clock);
    if (!end.ok()) return end.status();
    int64_t delay = config_.timestamp_delay_ms;
    end->seconds -= delay / 1000;
    if (delay % 1000 != 0) {
      end->nanos -= static_cast<int32_t>(delay % 1000 * 1'000'000);
      if (end->nanos < 0) {
        end->nanos += 1'000'000'000;
        --end->seconds;
      } else if (end->nanos >= 1'000'000'000) {
        end->nanos -= 1'000'000'000;
        ++end->seconds;
      }
    }
    if (config_.mode == Mode::kTimestamp) {
      parameters = {sent_.timestamp, *end};
    } else {
      parameters = {*end, sent_.timestamp, sent_.incrementing, sent_.timestamp};
    }
  } else if (config_.mode == Mode::kIncrementing) {
    parameters = {sent_.incrementing};
  }
  auto reader = session.read(statement(), parameters, config_.read);
  if (!reader.ok()) {
    const Status& why = reader.status();
    return {why.code(),
            "Reading " + (table_.table.empty() ? std::string("the query") : "table " + quoted_name_) +
                " failed: " + why.message(),
            why.retry_after_ms()};
  }
  reader_ = std::move(*reader);
  after_batch_ = sdk::ok();
  if (Status s = register_schema(context); !s.ok()) {
    abandon();
    return s;
  }
  return sdk::ok();
}

void Querier::abandon() {
  reader_.reset();
  pending_ = false;
}

Status Querier::register_schema(const sdk::SourceContext& context) {
  std::vector<std::string> shape;
  std::set<std::string> labels;
  for (const ResultColumn& column : reader_->columns()) {
    if (!labels.insert(column.label).second) {
      return {Code::kInvalidConfig,
              "The query returns two columns named '" + column.label + "'; give one of them another name with AS"};
    }
    shape.push_back(column.label + '\0' + std::to_string(column.type) + (column.optional ? "?" : "!") +
                    std::string(column.logical) + std::to_string(column.scale) + "," +
                    std::to_string(column.precision));
  }
  if (Status s = find_positions(); !s.ok()) return s;
  if (schema_ != 0 && shape == shape_) return sdk::ok();
  std::vector<mr_field> fields;
  for (const ResultColumn& column : reader_->columns()) {
    mr_schema schema{};
    schema.struct_size = sizeof(schema);
    schema.type = static_cast<uint8_t>(column.type);
    schema.optional = column.optional ? 1 : 0;
    const std::string scale = std::to_string(column.scale), precision = std::to_string(column.precision);
    const mr_pair parameters[] = {{sdk::to_mr("scale"), sdk::to_mr(scale)},
                                  {sdk::to_mr("connect.decimal.precision"), sdk::to_mr(precision)}};
    if (!column.logical.empty()) {
      schema.name = sdk::to_mr(column.logical);
      schema.has_version = 1;
      schema.version = 1;
      if (column.logical.ends_with("Decimal")) {
        schema.parameters = parameters;
        schema.parameter_count = 2;
      }
    }
    mr_field field{sdk::to_mr(column.label), 0, 0};
    if (Status s = context.register_schema(schema, field.schema); !s.ok()) return s;
    fields.push_back(field);
  }
  mr_schema row{};
  row.struct_size = sizeof(row);
  row.type = MR_STRUCT;
  if (!table_.table.empty()) row.name = sdk::to_mr(table_.table);
  row.fields = fields.data();
  row.field_count = fields.size();
  if (Status s = context.register_schema(row, schema_); !s.ok()) return s;
  shape_ = std::move(shape);
  const auto skipped = reader_->skipped();
  if (!skipped.empty()) {
    context.warn(name_ + ": columns of these types are not supported and left out: " +
                 joined({skipped.begin(), skipped.end()}, ", ") + "; a query may cast them to text");
  }
  return sdk::ok();
}

Status Querier::find_positions() {
  const auto& columns = reader_->columns();
  std::vector<std::string> labels;
  for (const ResultColumn& column : columns) labels.push_back(column.label);
  if (uses_incrementing(config_.mode)) {
    const auto found = std::find(labels.begin(), labels.end(), incrementing_column_);
    if (found == labels.end()) {
      return {Code::kInvalidConfig,
              "Incrementing column " + incrementing_column_ + " not found in " + joined(labels, ",")};
    }
    incrementing_at_ = static_cast<size_t>(found - labels.begin());
  }
  if (!uses_timestamp(config_.mode)) return sdk::ok();
  timestamps_at_.clear();
  for (const std::string& name : timestamp_columns_) {
    auto found = std::find(labels.begin(), labels.end(), name);
    if (found == labels.end()) {
      found = std::find_if(labels.begin(), labels.end(),
                           [&](const std::string& label) { return lower(label) == lower(name); });
    }
    if (found == labels.end())
      return {Code::kInvalidConfig, "Timestamp column " + name + " not found in " + joined(labels, ",")};
    const auto at = static_cast<size_t>(found - labels.begin());
    if (!columns[at].timestamp) {
      return {Code::kInvalidConfig,
              "Timestamp column " + name + " of " + name_ + " is no DATETIME or TIMESTAMP; timestamp mode needs one"};
    }
    timestamps_at_.push_back(at);
  }
  reader_->track_instants(timestamps_at_);
  return sdk::ok();
}

Status Querier::emit_batch(const sdk::SourceContext& context) {
  if (!pending_) {
    batch_.clear();
    after_batch_ = reader_->fetch(batch_, config_.batch_rows_max, kBatchBytesMax);
    if (Status s = build_records(); !s.ok()) {
      abandon();
      return s;
    }
  }
  if (Status s = send(context); !s.ok()) return s;
  const Status after = after_batch_;
  if (!after.ok() || reader_->done()) reader_.reset();
  if (after.ok()) return after;
  return {after.code(), "Reading " + quoted_name_ + " failed: " + after.message(), after.retry_after_ms()};
}

Status Querier::send(const sdk::SourceContext& context) {
  pending_ = !records_.empty();
  if (!pending_) return sdk::ok();
  if (Status s = context.emit(std::span<const mr_record>(records_)); !s.ok()) return s;
  pending_ = false;
  if (!offsets_.empty()) sent_ = offsets_.back();
  return sdk::ok();
}

Status Querier::incrementing_of(const mr_value& value, int64_t& number) const {
  if (value.kind >= MR_INT8 && value.kind <= MR_INT64) {
    number = value.u.i64;
    return sdk::ok();
  }
  const ResultColumn& column = reader_->columns()[incrementing_at_];
  if (value.kind == MR_NULL) {
    return {Code::kInternal,
            std::string("Null value for incrementing column of type: ") + type_name(static_cast<uint8_t>(column.type))};
  }
  if (value.kind != MR_DECIMAL) {
    return {Code::kInternal,
            std::string("Invalid type for incrementing column: ") + type_name(static_cast<uint8_t>(column.type))};
  }
  if (value.scale != 0) return {Code::kInternal, "Scale of Decimal value for incrementing column must be 0"};
  if (value.size > 8) return {Code::kInternal, "Decimal value for incrementing column exceeded Long.MAX_VALUE"};
  number = value.size != 0 && (value.u.bytes[0] & 0x80) != 0 ? -1 : 0;
  for (uint32_t i = 0; i < value.size; ++i)
    number = static_cast<int64_t>(static_cast<uint64_t>(number) << 8 | static_cast<uint8_t>(value.u.bytes[i]));
  return sdk::ok();
}

/// A timestamp may be stored only when all its rows have been read; until then rows carry the one before.
void Querier::advance_timestamps(size_t row) {
  const SourceOffset previous = row == 0 ? sent_ : offsets_[row - 1];
  SourceOffset offset = previous;
  if (batch_.has_instant[row] != 0) {
    if (batch_.instants[row] != newest_.timestamp && newest_.has_timestamp) offset = newest_;
    newest_.timestamp = batch_.instants[row];
    newest_.has_timestamp = true;
  }
  offsets_[row] = offset;
}

Status Querier::build_records() {
  const size_t rows = batch_.rows;
  records_.assign(rows, mr_record{});
  offsets_.resize(config_.mode == Mode::kBulk ? 0 : rows);
  offset_entries_.resize(rows * 6);
  for (size_t row = 0; row < rows; ++row) {
    const mr_value* values = batch_.values.data() + row * batch_.width;
    mr_record& record = records_[row];
    record.topic = sdk::to_mr(topic_);
    record.partition = MR_NO_PARTITION;
    record.value_schema = schema_;
    record.value.kind = MR_STRUCT;
    record.value.size = static_cast<uint32_t>(batch_.width);
    record.value.u.items = values;
    record.timestamp_ms = MR_NO_TIMESTAMP;
    if (config_.mode == Mode::kBulk) continue;  // nothing to go on from: no offset is kept
    record.source_partition = sdk::map_value(partition_entries_);
    if (config_.mode == Mode::kTimestamp) {
      advance_timestamps(row);
      continue;
    }
    SourceOffset& offset = offsets_[row];
    offset = row == 0 ? sent_ : offsets_[row - 1];
    if (Status s = incrementing_of(values[incrementing_at_], offset.incrementing); !s.ok()) return s;
    if (config_.mode == Mode::kTimestampIncrementing && batch_.has_instant[row] != 0) {
      offset.timestamp = batch_.instants[row];
      offset.has_timestamp = true;
    }
  }
  if (config_.mode == Mode::kBulk) return sdk::ok();
  // The result is complete, so no further row can have the last timestamp.
  if (config_.mode == Mode::kTimestamp && rows != 0 && after_batch_.ok() && reader_->done())
    offsets_[rows - 1] = newest_;
  for (size_t row = 0; row < rows; ++row) write_offset(row, offsets_[row]);
  return sdk::ok();
}

void Querier::write_offset(size_t row, const SourceOffset& offset) {
  mr_value* entries = offset_entries_.data() + row * 6;
  size_t count = 0;
  const auto add = [&](std::string_view key, int64_t number) {
    entries[count++] = sdk::string_value(key);
    entries[count++] = sdk::int_value(MR_INT64, number);
  };
  if (uses_timestamp(config_.mode)) add("timestamp_nanos", offset.timestamp.nanos);
  if (uses_incrementing(config_.mode)) add("incrementing", offset.incrementing);
  if (uses_timestamp(config_.mode)) add("timestamp", offset.timestamp.millis());
  records_[row].source_offset = sdk::map_value({entries, count});
}

}  // namespace millrace::jdbc
