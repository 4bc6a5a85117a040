/// From the text of a SELECT's field to a cell: one reader a column, chosen once from the declared type, so that a
/// snapshot's cells equal those of the stream. Content of kBytes and kText cells borrows from the field.
/// Threads: immutable, any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/mariadb/cell.h"
#include "connectors/mariadb/schema/table_definition.h"

namespace millrace::mariadb {

/// What the field holds: the column as select_expression() reads it, or as a SELECT of the user names it.
enum class FieldForm { kExpression, kPlain };

class FieldReader {
 public:
  /// `column` must outlive the reader.
  FieldReader(const ColumnDefinition& column, FieldForm form);

  /// False: the text is not of the column's type; see refused(). A null `data` is NULL.
  bool read(const char* data, size_t size, Cell& cell) const {
    cell.snapshot = true;
    if (data == nullptr) {
      cell.kind = Cell::Kind::kNull;
      return true;
    }
    cell.kind = kind_;
    return read_(*this, {data, size}, cell);
  }
  /// What to say of a field that read() refused.
  Status refused(std::string_view text) const;
  Cell::Kind kind() const { return kind_; }
  const ColumnDefinition& column() const { return *column_; }

 private:
  using Read = bool (*)(const FieldReader&, std::string_view, Cell&);
  static bool read_label(const FieldReader& reader, std::string_view text, Cell& cell);
  static bool read_labels(const FieldReader& reader, std::string_view text, Cell& cell);
  static bool read_number(const FieldReader& reader, std::string_view text, Cell& cell);
  static bool read_decimal(const FieldReader& reader, std::string_view text, Cell& cell);

  const ColumnDefinition* column_;
  Cell::Kind kind_;
  bool is_unsigned_ = false;
  int16_t scale_ = 0;
  Read read_;
};

/// The kind of cell that a column's values have, by its declared type; BOOL, NUMERIC, REAL and the other synonyms
/// included. A type that is not known is kText.
Cell::Kind cell_kind(const ColumnDefinition& column);

/// How to SELECT the column so that nothing is lost: FLOAT as DOUBLE (the server prints six digits otherwise), ENUM and
/// SET as numbers (labels are ambiguous), all else as it is. Geometry comes as stored: SRID and WKB.
std::string select_expression(const ColumnDefinition& column);

}  // namespace millrace::mariadb
