/// Numbers the schemas of one task for the plugin ABI. Threads: one (the task's).
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "data/schema.h"

namespace millrace {

class SchemaTable {
 public:
  /// A plugin's description becomes a Schema; equal descriptions get the same number.
  /// Errors: kInternal naming what is wrong (an unknown number, a type out of range).
  Expected<mr_schema_id> register_schema(const mr_schema& description);

  /// The number of a schema that a converter made; 0 for nullptr. Keeps the schema alive as long as the table.
  /// Two equal schemas at different addresses get one number; only so many addresses are remembered, as a
  /// transformation may make the same schema anew again and again.
  mr_schema_id id_of(const Schema* schema);

  /// nullptr for 0 and for unknown numbers.
  const Schema* schema(mr_schema_id id) const {
    return id == 0 || id > entries_.size() ? nullptr : entries_[id - 1].schema.get();
  }
  bool known(mr_schema_id id) const { return id <= entries_.size(); }

  /// In the ABI's form; lives as long as the table. nullptr for 0 and unknown numbers.
  const mr_schema* describe(mr_schema_id id);

 private:
  struct Entry {
    SchemaPtr schema;
    bool described = false;
    mr_schema description{};
    std::vector<mr_pair> parameters;
    std::vector<mr_field> fields;
  };
  void forget_aliases();
  mr_schema_id find_or_add(const SchemaPtr& schema);

  std::deque<Entry> entries_;  // references stay valid while it grows
  std::unordered_multimap<size_t, mr_schema_id> by_hash_;
  std::unordered_map<const Schema*, mr_schema_id> by_address_;
  std::vector<SchemaPtr> aliases_;  // equal schemas at other addresses, kept so that the addresses stay theirs
  const Schema* last_ = nullptr;    // most records have the schema of the one before
  mr_schema_id last_id_ = 0;
};

}  // namespace millrace
