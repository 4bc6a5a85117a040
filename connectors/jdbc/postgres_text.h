/// Values of records in the text form that PostgreSQL's input functions take, and the two ways to pack such texts.
/// Threads: any (pure). Appends to buffers that the caller keeps, so that nothing is allocated per value.
#pragma once

#include <string>
#include <string_view>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

/// Object ids of the types whose texts depend on the column.
namespace pg_type {
inline constexpr unsigned kBool = 16, kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kPoint = 600,
                          kDate = 1082, kVarchar = 1043, kBit = 1560, kVarbit = 1562;
}

/// The type of a column; of a domain its base type.
struct PgType {
  unsigned id = 0;
  int modifier = -1;  ///< length of a bit column; -1 = none
};

/// Whether texts of this form need no quotes in an array and no escapes in COPY.
bool plain_text(CellForm form);

/// Appends the text of `value`, which is not null. Errors: kBadRecord.
Status append_text(const mr_value& value, CellForm form, const PgType& type, const WriteOptions& options,
                   std::string& out);

/// A parameter as text without a type. A point in time means the same to a timestamp column (which ignores the offset)
/// and to a timestamptz.
std::string parameter_text(const Parameter& value, const WallClock& clock);

/// Appends `text` as an element of an array, in quotes.
void append_element(std::string_view text, std::string& out);
/// Appends `text` as a field of COPY's text form.
void append_copy_field(std::string_view text, std::string& out);

}  // namespace millrace::jdbc
