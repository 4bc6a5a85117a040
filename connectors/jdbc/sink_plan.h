/// How the records of a schema pair become the columns of a table.
/// Threads: the task's.
#pragma once

#include <string>
#include <vector>

#include "connectors/jdbc/change_event.h"
#include "connectors/jdbc/sink_config.h"
#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {

/// A column as the records of one schema pair fill it.
struct SinkField {
  std::string name;
  const mr_schema* schema = nullptr;  ///< owned by the host
  CellSource source;
  CellForm form = CellForm::kText;
  bool key = false, optional = false;
  const mr_schema* element = nullptr;  ///< of an ARRAY: the innermost element
  size_t array_depth = 0;
};

/// Which columns records of one (key schema, value schema) have.
struct FieldPlan {
  std::vector<SinkField> keys;    ///< in the order of pk.fields or the key schema
  std::vector<SinkField> others;  ///< in the order of the value schema
  std::vector<SinkField> all;     ///< in the order of CREATE TABLE
  bool event = false;             ///< columns as for Debezium's change events

  /// What the plan is made from. `sample`: any of the records, for its headers.
  struct Input {
    const mr_schema* key = nullptr;    ///< null = no schema
    const mr_schema* value = nullptr;  ///< of the row; null = no schema
    bool event = false;                ///< columns as for change events
    RecordShape shape;                 ///< tells where in the value the row is
    std::string_view topic;
    const mr_record* sample = nullptr;
  };
  /// Errors: kInvalidConfig with Connect's words.
  static Result<FieldPlan> make(const SinkConfig& config, const TableId& table, const sdk::TaskContext& context,
                                const Input& input);
};

/// Tells apart records of record_header whose key headers have other names or schemas; empty for other key modes. Of
/// headers with one name the last counts. `out` keeps its memory.
void header_signature(const SinkConfig& config, const mr_record& record, std::string& out);

/// The schema's type as Connect prints it: "STRUCT".
const char* type_name(const mr_schema& schema);

}  // namespace millrace::jdbc
