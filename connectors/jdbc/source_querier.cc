#include "connectors/jdbc/source_querier.h"

#include <algorithm>
#include <set>

#include "connectors/jdbc/source_naming.h"
#include "connectors/jdbc/sql_text.h"

namespace millrace::jdbc {
namespace {

constexpr size_t kBatchBytesMax = 4 << 20;

const char* type_name(uint8_t kind) {
  constexpr const char* kNames[] = {"NULL",  "BOOLEAN", "INT8",    "INT16",  "INT32",
                                    "INT64", "FLOAT32", "FLOAT64", "STRING", "BYTES"};
  return kind < std::size(kNames) ? kNames[kind] : "BYTES";
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
  topic_ = query ? config.topic_prefix
                 : topic_of(config.topic_prefix, config.topic_format, table_, config.connection.url.database);
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

Status Querier::start(Session& session, const sdk::SourceContext& context) {
  newest_ = sent_;
  rows_read_ = 0;
  Instant end;
  if (uses_timestamp(config_.mode)) {
    auto until = end_of_read(session, config_);
    if (!until.ok()) return failed(until.status());
    end = *until;
  }
  auto reader = session.read(statement_->text(), statement_->parameters(sent_, end), config_.read);
  if (!reader.ok()) return failed(reader.status());
  reader_ = std::move(*reader);
  after_batch_ = sdk::ok();
  if (Status s = register_schemas(context); !s.ok()) {
    abandon();
    return s;
  }
  return sdk::ok();
}

/// The statement is told where it, or what it reads, must be at fault: waiting does not mend it.
Status Querier::failed(const Status& why) const {
  std::string message = "Reading " + (table_.table.empty() ? std::string("the query") : "table " + quoted_name_) +
                        " failed: " + why.message();
  if (why.code() != Code::kUnavailable && why.code() != Code::kStopped)
    message += "; the statement was: " + statement_->told();
  return {why.code(), std::move(message), why.retry_after_ms()};
}

void Querier::abandon() {
  reader_.reset();
  pending_ = false;
}

Status Querier::register_schemas(const sdk::SourceContext& context) {
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
  if (Status s = register_key(context, fields); !s.ok()) return s;
  shape_ = std::move(shape);
  const auto skipped = reader_->skipped();
  if (!skipped.empty()) {
    context.warn(name_ + ": columns of these types are not supported and left out: " +
                 joined({skipped.begin(), skipped.end()}, ", ") + "; a query may cast them to text");
  }
  return sdk::ok();
}

/// A struct of the primary key's columns, named after the table as the value is.
Status Querier::register_key(const sdk::SourceContext& context, std::span<const mr_field> fields) {
  if (keys_at_.empty()) return sdk::ok();
  std::vector<mr_field> chosen;
  for (const size_t at : keys_at_) chosen.push_back(fields[at]);
  const std::string name = table_.table + ".Key";
  mr_schema key{};
  key.struct_size = sizeof(key);
  key.type = MR_STRUCT;
  key.name = sdk::to_mr(name);
  key.fields = chosen.data();
  key.field_count = static_cast<uint32_t>(chosen.size());
  return context.register_schema(key, key_schema_);
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
  keys_at_.clear();
  for (const std::string& name : key_columns_) {
    const auto found = std::find(labels.begin(), labels.end(), name);
    if (found == labels.end()) {
      return {Code::kInvalidConfig, "Column " + name + " of the primary key of " + name_ +
                                        " is not among those that are read: " + joined(labels, ",")};
    }
    keys_at_.push_back(static_cast<size_t>(found - labels.begin()));
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
    rows_read_ += batch_.rows;
    if (Status s = build_records(); !s.ok()) {
      abandon();
      return s;
    }
  }
  if (Status s = send(context); !s.ok()) return s;
  const Status after = after_batch_;
  if (!after.ok()) {
    reader_.reset();
    return failed(after);
  }
  if (!reader_->done()) return after;
  reader_.reset();
  queried_ = true;
  rows_wait_ = config_.page_rows != 0 && rows_read_ == config_.page_rows;  // then this was not the last page
  return after;
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
  key_values_.resize(rows * keys_at_.size());
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
    if (!keys_at_.empty()) write_key(row, values);
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

void Querier::write_key(size_t row, const mr_value* values) {
  mr_value* key = key_values_.data() + row * keys_at_.size();
  for (size_t i = 0; i < keys_at_.size(); ++i) key[i] = values[keys_at_[i]];
  records_[row].key_schema = key_schema_;
  records_[row].key.kind = MR_STRUCT;
  records_[row].key.size = static_cast<uint32_t>(keys_at_.size());
  records_[row].key.u.items = key;
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
