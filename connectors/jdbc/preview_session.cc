#include "connectors/jdbc/preview_session.h"

namespace millrace::jdbc {
namespace {

/// Writes a prepared statement with its parameters in their places.
class PreviewWriter final : public BatchWriter {
 public:
  PreviewWriter(std::string_view sql, std::vector<Cell> cells, const WriteOptions& options, const Dialect& dialect,
                sdk::PreviewContext& context)
      : sql_(sql), cells_(std::move(cells)), options_(options), dialect_(dialect), context_(context) {}

  Status write(std::span<const mr_record* const> records) override {
    for (const mr_record* record : records) context_.add(filled(*record));
    return sdk::ok();
  }

 private:
  std::string filled(const mr_record& record) const {
    std::string out;
    size_t cell = 0;
    char quote = 0;  // inside a name or text, where ? stands for itself
    for (const char c : sql_) {
      if (quote == 0 && c == '?' && cell < cells_.size()) {
        out += parameter(record, cells_[cell++]);
        continue;
      }
      if (quote == 0 && (c == '`' || c == '\'' || c == '"')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      }
      out += c;
    }
    return out;
  }

  std::string parameter(const mr_record& record, const Cell& cell) const {
    using From = CellSource::From;
    switch (cell.source.from) {
      case From::kTopic:
        return text_literal(sdk::view(record.original_topic));
      case From::kPartition:
        return std::to_string(record.original_partition);
      case From::kOffset:
        return std::to_string(record.offset);
      case From::kNothing:
        return "NULL";
      case From::kKey:
        return literal(record.key, record.key_schema, cell);
      case From::kValue:
        return literal(record.value, record.value_schema, cell);
      case From::kKeyField:
        return literal(cell_of(record, cell.source), member_schema(record.key_schema, cell.source.index), cell);
      case From::kValueField:
        return literal(cell_of(record, cell.source), member_schema(record.value_schema, cell.source.index), cell);
      case From::kAfterField:
        return literal(cell_of(record, cell.source),
                       member_schema(member_schema(record.value_schema, cell.source.row), cell.source.index), cell);
      case From::kHeader:
        return literal(cell_of(record, cell.source), header_schema(record, cell.source.header), cell);
    }
    return "?";
  }

  mr_schema_id member_schema(mr_schema_id id, uint32_t index) const {
    const mr_schema* schema = context_.describe(id);
    return schema != nullptr && index < schema->field_count ? schema->fields[index].schema : 0;
  }

  static mr_schema_id header_schema(const mr_record& record, std::string_view name) {
    mr_schema_id found = 0;
    for (uint32_t i = 0; i < record.header_count; ++i) {
      if (sdk::view(record.headers[i].key) == name) found = record.headers[i].schema;
    }
    return found;
  }

  std::string literal(const mr_value& value, mr_schema_id id, const Cell& cell) const {
    const mr_schema* schema = context_.describe(id);
    const mr_value& shown = value.kind == MR_NULL && cell.fallback != nullptr ? *cell.fallback : value;
    if (shown.kind == MR_NULL) return "NULL";
    if (schema == nullptr) return "?";
    const bool common = cell.form < CellForm::kEventDate && cell.form != CellForm::kUnsigned;
    const std::string text = common ? dialect_.literal(*schema, shown, options_)
                                    : dialect_.event_literal(*schema, cell.form, shown, options_);
    return text.empty() ? "?" : text;
  }

  std::string text_literal(std::string_view text) const {
    mr_schema schema{};
    schema.struct_size = sizeof(schema);
    schema.type = MR_STRING;
    return dialect_.literal(schema, sdk::string_value(text), options_);
  }

  const std::string sql_;
  const std::vector<Cell> cells_;
  const WriteOptions options_;
  const Dialect& dialect_;
  sdk::PreviewContext& context_;
};

}  // namespace

Status PreviewSession::change_table(const TableId& table, std::string_view sql, const std::vector<ColumnInfo>& added) {
  context_.add(sql);
  auto& columns = added_[table];
  columns.insert(columns.end(), added.begin(), added.end());
  return sdk::ok();
}

Result<std::unique_ptr<BatchWriter>> PreviewSession::writer(const RowWrite& write, std::vector<Cell> cells,
                                                            const WriteOptions& options) {
  return std::unique_ptr<BatchWriter>(
      std::make_unique<PreviewWriter>(write.sql, std::move(cells), options, dialect_, context_));
}

Result<std::string> PreviewSession::table_type(const TableId& table) {
  auto type = reader_->table_type(table);
  if (type.ok() && type->empty() && added_.contains(table)) return std::string("TABLE");
  return type;
}

Result<std::vector<ColumnInfo>> PreviewSession::columns(const TableId& table) {
  auto columns = reader_->columns(table);
  const auto added = added_.find(table);
  if (!columns.ok() || added == added_.end()) return columns;
  columns->insert(columns->end(), added->second.begin(), added->second.end());
  return columns;
}

}  // namespace millrace::jdbc
