/// What a sink record asks for: Debezium's change events are recognised by their schema, everything else is a plain
/// row. Threads: the task's.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

/// What the records of one value schema are.
struct RecordShape {
  enum class Kind : uint8_t {
    kPlain,     ///< the value is the row, or null
    kEnvelope,  ///< a struct `*.Envelope` with before, after, source and op
    kMeta       ///< schema changes, heartbeats, transaction marks: nothing for a table
  } kind = Kind::kPlain;
  mr_schema_id schema = 0;
  uint32_t after = 0, source = 0, op = 0;  ///< fields of the envelope
  mr_schema_id row_schema = 0;             ///< of `after`
  mr_schema_id source_schema = 0;
};

/// Shapes by schema number, so that a schema is looked at once. Bounded.
class ShapeCache {
 public:
  const RecordShape& of(const sdk::TaskContext& context, mr_schema_id schema);

 private:
  std::vector<RecordShape> shapes_;
  size_t last_ = 0;
};

/// The envelope's op: c, r, u, d, t, m; 0 when it has none.
char operation_of(const mr_record& record, const RecordShape& shape);

/// A STRING field of the envelope's source block; nothing when it has no such field or it is null.
std::optional<std::string_view> source_field(const sdk::TaskContext& context, const mr_record& record,
                                             const RecordShape& shape, std::string_view name);

/// Whether a key is Debezium's, so that a null value behind it is the mark that follows a delete.
bool debezium_key(const mr_schema* key);

/// Deep equality of key values.
bool same_value(const mr_value& a, const mr_value& b);

}  // namespace millrace::jdbc
