/// Records as Connect's log lines show them (Java's toString), for errors.log.include.messages.
#pragma once

#include <string>

#include "protocol/record_batch.h"
#include "runtime/schema_table.h"

namespace millrace {

/// ", where consumed record is {topic='t', partition=0, offset=1, …}": where it stood, never what was in it.
std::string consumed_record_text(std::string_view topic, int32_t partition, const RecordView& record);
/// ", where source record is = SourceRecord{sourcePartition={…}, …}": with key and value, as Connect does.
std::string source_record_text(const mr_record& record, const SchemaTable& schemas);

}  // namespace millrace
