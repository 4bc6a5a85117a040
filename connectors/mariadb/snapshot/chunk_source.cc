#include "connectors/mariadb/snapshot/chunk_source.h"

#include <charconv>

#include "connectors/mariadb/snapshot/field_reader.h"
#include "connectors/mariadb/snapshot/snapshot_view.h"
#include "connectors/mariadb/snapshot/table_key.h"

namespace millrace::mariadb {
namespace {

class SqlChunkSource final : public ChunkSource {
 public:
  SqlChunkSource(Connection& session, TableId signal_table)
      : session_(session), signal_table_(std::move(signal_table)) {}

  Result<std::optional<GtidList>> open_view() override {
    if (Status s = open_read_view(session_); !s.ok()) return s;
    if (!session_.is_mariadb()) return std::optional<GtidList>{};
    auto place = place_of_read_view(session_);
    if (!place.ok()) return place.status();
    auto gtids = gtids_at(session_, place->file, place->position);
    if (!gtids.ok()) return gtids.status();
    return std::optional(std::move(gtids.value()));
  }

  Status close_view() override { return session_.execute("COMMIT"); }

  Result<std::optional<std::string>> maximum_key(const ChunkRequest& request) override {
    return key_by(request, [](const ChunkQuery& query) { return maximum_key_sql(query); });
  }
  Result<std::optional<std::string>> key_at(const ChunkRequest& request, uint64_t distance) override {
    return key_by(request, [&](const ChunkQuery& query) { return boundary_sql(query, distance - 1); });
  }

  Status read(const ChunkRequest& request, const RowSink& sink) override {
    refused_ = false;
    const TableKey key(*request.table, request.key);
    auto query = query_of(request, key, may_be_null(request) && request.after.empty());
    if (!query.ok()) return query.status();
    auto rows = session_.stream(query->sql());
    if (!rows.ok()) return failed(rows.status());
    std::vector<FieldReader> readers;
    for (const ColumnDefinition& column : request.table->columns) readers.emplace_back(column, FieldForm::kExpression);
    std::vector<Cell> cells(readers.size());
    for (;;) {
      auto row = rows.value()->next();
      if (!row.ok()) return failed(row.status());
      if (row->empty()) return sdk::ok();
      for (size_t i = 0; i < readers.size(); ++i) {
        const RowStream::Field& field = row.value()[i];
        if (!readers[i].read(field.data, field.size, cells[i])) return readers[i].refused({field.data, field.size});
      }
      if (Status s = sink(cells); !s.ok()) return s;
    }
  }

  bool altered() const override {
    constexpr unsigned kNoSuchTable = 1146, kUnknownColumn = 1054, kDefinitionChanged = 1412;
    const unsigned error = session_.last_error();
    return error == kNoSuchTable || error == kUnknownColumn || error == kDefinitionChanged;
  }

  bool refused() const override { return refused_; }

  Status write_mark(const std::string& id, std::string_view type, std::string_view data) override {
    return session_.execute("INSERT INTO " + sql_name(signal_table_) + " VALUES ('" + session_.escaped(id) + "', '" +
                            session_.escaped(type) + "', '" + session_.escaped(data) + "')");
  }
  Status remove_mark(const std::string& id) override {
    return session_.execute("DELETE FROM " + sql_name(signal_table_) + " WHERE id = '" + session_.escaped(id) + "'");
  }

 private:
  Status failed(const Status& why) {
    refused_ = why.code() != Code::kUnavailable && why.code() != Code::kStopped;
    return why;
  }
  static bool may_be_null(const ChunkRequest& request) {
    if (request.unique || request.key.size() != 1) return false;
    const ColumnDefinition* column = request.table->find(request.key.front());
    return column != nullptr && column->optional;
  }

  Result<ChunkQuery> query_of(const ChunkRequest& request, const TableKey& key, bool with_nulls) const {
    ChunkQuery query;
    query.table = request.table;
    query.key = &key;
    query.limit = request.limit;
    if (!request.filter.empty()) query.conditions.push_back("(" + request.filter + ")");
    if (!request.after.empty()) {
      auto after = key.after(request.after);
      if (!after.ok()) return after.status();
      query.conditions.push_back(std::move(after.value()));
    }
    if (!request.up_to.empty()) {
      auto up_to = key.up_to(request.up_to);
      if (!up_to.ok()) return up_to.status();
      const std::string null = " OR " + quoted_column(request.key.front()) + " IS NULL)";
      query.conditions.push_back(with_nulls ? "(" + up_to.value() + null : std::move(up_to.value()));
    }
    return query;
  }
  static std::string quoted_column(const std::string& name) { return mariadb::quoted(std::string_view(name)); }

  template <class Sql>
  Result<std::optional<std::string>> key_by(const ChunkRequest& request, Sql sql) {
    refused_ = false;
    const TableKey key(*request.table, request.key);
    auto query = query_of(request, key, false);
    if (!query.ok()) return query.status();
    if (may_be_null(request)) query->conditions.push_back(quoted_column(request.key.front()) + " IS NOT NULL");
    auto rows = session_.stream(sql(query.value()));
    if (!rows.ok()) return failed(rows.status());
    auto row = rows.value()->next();
    if (!row.ok()) return failed(row.status());
    if (row->empty()) return std::optional<std::string>{};
    auto json = key.json_of_fields(row.value());
    if (!json.ok()) return json.status();
    return std::optional(std::move(json.value()));
  }

  Connection& session_;
  const TableId signal_table_;
  bool refused_ = false;
};

}  // namespace

std::unique_ptr<ChunkSource> make_chunk_source(Connection& session, const TableId& signal_table) {
  return std::make_unique<SqlChunkSource>(session, signal_table);
}

}  // namespace millrace::mariadb
