#include "connectors/jdbc/postgres_writer.h"

#include <charconv>

#include "connectors/jdbc/key_order.h"
#include "connectors/jdbc/postgres_sql.h"
#include "connectors/jdbc/postgres_text.h"

namespace millrace::jdbc {
namespace {

constexpr size_t kStatementBytes = 8 * 1024 * 1024;  // of values in one statement; a larger row goes alone
constexpr size_t kCopyBytes = 64 * 1024;             // handed to the library at once
constexpr size_t kCopyRowsMin = 16;                  // COPY takes one round trip more than a statement

/// How a cell meets its column.
struct Target {
  PgType type;
  ArrayParameter parameter{"text", false};  ///< a column that is not there: the server will say so
  bool generated = false;                   ///< GENERATED ALWAYS AS IDENTITY
  bool deterministic = true;                ///< different texts are different values, also by the collation
};

struct TargetTable {
  std::vector<std::pair<std::string, Target>> columns;
  bool takes_copy = false;
};

/// Columns of the table, with the forms of its values.
Result<TargetTable> describe(PgSession& session, const TableId& table) {
  const bool collations = PQserverVersion(session.handle()) >= 120'000;
  auto rows = session.query(
      std::string("SELECT c.relkind IN ('r','p') AND NOT c.relrowsecurity AND NOT c.relhasrules, a.attname, "
                  "CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, "
                  "CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END, "
                  "pg_catalog.format_type(a.atttypid,-1), t.typcategory='A' OR t.typarray=0, a.attidentity='a', ") +
      (collations ? "coalesce(o.collisdeterministic,true)" : "true") +
      " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace "
      "JOIN pg_catalog.pg_attribute a ON a.attrelid=c.oid AND a.attnum>0 AND NOT a.attisdropped "
      "JOIN pg_catalog.pg_type t ON t.oid=a.atttypid LEFT JOIN pg_catalog.pg_collation o ON o.oid=a.attcollation "
      "WHERE c.relkind IN ('r','p','v','f') AND " +
      session.relation(table));
  if (!rows.ok()) return rows.status();
  const auto number = [](const std::optional<std::string>& text, auto otherwise) {
    auto value = otherwise;
    if (text) std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
  };
  TargetTable found;
  for (const Session::Row& row : *rows) {
    found.takes_copy = row[0] == "t";
    Target target;
    target.type = {number(row[2], 0U), number(row[3], -1)};
    target.parameter = {row[4].value_or("text"), row[5] == "t"};
    target.generated = row[6] == "t";
    target.deterministic = row[7] == "t";
    found.columns.emplace_back(row[1].value_or(""), std::move(target));
  }
  return found;
}

/// Whether two values of a key are equal exactly when their texts are.
bool texts_tell(CellForm form, const Target& target) {
  using namespace pg_type;
  const unsigned type = target.type.id;
  switch (form) {
    case CellForm::kInt:
      return type == kInt2 || type == kInt4 || type == kInt8;
    case CellForm::kText:
      return (type == pg_type::kText || type == kVarchar) && target.deterministic;
    case CellForm::kBytes:
      return type == kBytea;
    case CellForm::kDate:
    case CellForm::kEventDate:
    case CellForm::kIsoDate:
      return type == pg_type::kDate;
    default:
      return false;
  }
}

class Writer final : public BatchWriter {
 public:
  Writer(PgSession& session, const RowWrite& write, std::vector<Cell> cells, const WriteOptions& options,
         std::vector<Target> targets, bool takes_copy)
      : session_(session),
        cells_(std::move(cells)),
        options_(options),
        targets_(std::move(targets)),
        first_key_(write.kind == RowWrite::Kind::kUpdate ? write.changed.size() : 0),
        keys_(write.keys.size()),
        once_(write.kind == RowWrite::Kind::kUpsert || write.kind == RowWrite::Kind::kUpdate),
        arrays_(cells_.size()),
        parameters_(cells_.size()) {
    for (size_t i = first_key_; once_ && i < first_key_ + keys_; ++i)
      distinct_ = distinct_ || !texts_tell(cells_[i].form, targets_[i]);
    std::vector<ArrayParameter> parameters;
    for (const Target& target : targets_) {
      parameters.push_back(target.parameter);
      takes_copy = takes_copy && !target.generated;  // an INSERT would refuse it
    }
    statement_ = array_statement(write, parameters, distinct_);
    if (takes_copy && write.kind == RowWrite::Kind::kInsert) copy_ = copy_statement(write);
  }

  Status write(std::span<const mr_record* const> records) override {
    if (Status s = session_.begin(); !s.ok()) return s;
    const bool ordered = once_ && records.size() > 1;
    if (ordered) {
      if (Status s = read_keys(records); !s.ok()) return s;
    }
    const std::span<const uint32_t> order = ordered ? key_order_.survivors(distinct_) : std::span<const uint32_t>();
    const bool copies = !copy_.empty() && records.size() >= kCopyRowsMin;
    clear();
    for (size_t i = 0; i < (ordered ? order.size() : records.size()); ++i) {
      const mr_record& record = *records[ordered ? order[i] : i];
      if (Status s = copies ? add_line(record) : add_elements(record); !s.ok()) return s;
      ++rows_;
      if (bytes_ < kStatementBytes) continue;
      if (Status s = send(copies); !s.ok()) return s;
    }
    return rows_ == 0 ? sdk::ok() : send(copies);
  }

 private:
  mr_value value_of(const mr_record& record, size_t cell) const {
    const mr_value value = cell_of(record, cells_[cell].source);
    return value.kind == MR_NULL && cells_[cell].fallback != nullptr ? *cells_[cell].fallback : value;
  }

  Status read_keys(std::span<const mr_record* const> records) {
    key_order_.start(records.size());
    std::string& key = key_order_.buffer();
    for (size_t row = 0; row < records.size(); ++row) {
      bool null = false;
      for (size_t i = first_key_; i < first_key_ + keys_; ++i) {
        const mr_value value = value_of(*records[row], i);
        null = null || value.kind == MR_NULL;
        const size_t begin = key.size();
        key.append(sizeof(size_t), '\0');  // for the length, so that no two keys run together
        if (value.kind != MR_NULL) {
          if (Status s = append_text(value, cells_[i].form, targets_[i].type, options_, key); !s.ok()) return s;
        }
        const size_t size = key.size() - begin;
        key.replace(begin, sizeof(size), reinterpret_cast<const char*>(&size), sizeof(size));
      }
      // Nulls are not equal; the row's number makes its key unlike all others.
      if (null) key.append(reinterpret_cast<const char*>(&row), sizeof(row));
      key_order_.add();
    }
    return sdk::ok();
  }

  void clear() {
    rows_ = bytes_ = 0;
    lines_.clear();
    for (std::string& array : arrays_) array.assign(1, '{');
  }

  /// The record as one element of each array.
  Status add_elements(const mr_record& record) {
    for (size_t i = 0; i < cells_.size(); ++i) {
      std::string& array = arrays_[i];
      const size_t begin = array.size();
      if (rows_ != 0) array += ',';
      const mr_value value = value_of(record, i);
      if (value.kind == MR_NULL) {
        array += "NULL";
      } else if (plain_text(cells_[i].form) && value.kind != MR_ARRAY) {
        if (Status s = append_text(value, cells_[i].form, targets_[i].type, options_, array); !s.ok()) return s;
      } else {
        scratch_.clear();
        if (Status s = append_text(value, cells_[i].form, targets_[i].type, options_, scratch_); !s.ok()) return s;
        append_element(scratch_, array);
      }
      bytes_ += array.size() - begin;
    }
    return sdk::ok();
  }

  /// The record as a line for COPY.
  Status add_line(const mr_record& record) {
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (i != 0) lines_ += '\t';
      const mr_value value = value_of(record, i);
      if (value.kind == MR_NULL) {
        lines_ += "\\N";
      } else if (plain_text(cells_[i].form) && value.kind != MR_ARRAY) {
        if (Status s = append_text(value, cells_[i].form, targets_[i].type, options_, lines_); !s.ok()) return s;
      } else {
        scratch_.clear();
        if (Status s = append_text(value, cells_[i].form, targets_[i].type, options_, scratch_); !s.ok()) return s;
        append_copy_field(scratch_, lines_);
      }
    }
    lines_ += '\n';
    bytes_ = lines_.size();
    return sdk::ok();
  }

  Status send(bool copies) {
    const Status sent = copies ? send_lines() : send_arrays();
    clear();
    return sent;
  }

  Status send_arrays() {
    for (size_t i = 0; i < arrays_.size(); ++i) {
      arrays_[i] += '}';
      parameters_[i] = arrays_[i].c_str();
    }
    auto result = session_.run(statement_, parameters_);
    return result.ok() ? sdk::ok() : result.status();
  }

  Status send_lines() {
    if (PQsendQuery(session_.handle(), copy_.c_str()) != 1) return session_.failed(nullptr);
    if (auto begun = session_.finish(true); !begun.ok()) return begun.status();
    // A refused line fails the end of the COPY; only a lost connection fails here.
    for (std::string_view left = lines_; !left.empty();) {
      const size_t size = std::min(left.size(), kCopyBytes);
      const int taken = PQputCopyData(session_.handle(), left.data(), static_cast<int>(size));
      if (taken < 0) return session_.failed(nullptr);
      if (taken > 0) left.remove_prefix(size);  // else its buffer is full
      if (Status s = session_.flush(); !s.ok()) return s;
    }
    if (PQputCopyEnd(session_.handle(), nullptr) != 1) return session_.failed(nullptr);
    auto result = session_.finish();
    return result.ok() ? sdk::ok() : result.status();
  }

  PgSession& session_;
  const std::vector<Cell> cells_;
  const WriteOptions& options_;
  const std::vector<Target> targets_;  // of the cells
  const size_t first_key_, keys_;
  const bool once_;        // the statement may touch a row only once
  bool distinct_ = false;  // it finds the last row of each key, and sorts, as texts do not tell
  std::string statement_, copy_;
  KeyOrder key_order_;
  std::vector<std::string> arrays_;
  std::vector<const char*> parameters_;
  std::string lines_, scratch_;
  size_t rows_ = 0, bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<BatchWriter>> open_writer(PgSession& session, const RowWrite& write, std::vector<Cell> cells,
                                                 const WriteOptions& options) {
  auto table = describe(session, write.table);
  if (!table.ok()) return table.status();
  const bool update = write.kind == RowWrite::Kind::kUpdate;
  std::vector<Target> targets;
  for (const auto* names : {update ? &write.changed : &write.keys, update ? &write.keys : &write.others}) {
    for (const std::string& name : *names) {
      Target& target = targets.emplace_back();
      for (const auto& [column, found] : table->columns) {
        if (column == write.dialect->stored(name)) target = found;
      }
    }
  }
  return std::unique_ptr<BatchWriter>(
      std::make_unique<Writer>(session, write, std::move(cells), options, std::move(targets), table->takes_copy));
}

}  // namespace millrace::jdbc
