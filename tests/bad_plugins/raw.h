/// A connector table that works, for fixtures that break one thing of it. Written against the C header alone: the C++
/// wrapper would not let most of these faults happen.
#pragma once

#include <millrace/abi.h>

#include <cstring>

namespace bad {

inline mr_str text(const char* literal) { return {literal, std::strlen(literal)}; }

inline mr_value string_value(const char* literal) {
  mr_value value{};
  value.kind = MR_STRING;
  value.size = static_cast<uint32_t>(std::strlen(literal));
  value.u.bytes = literal;
  return value;
}

inline mr_value list_value(mr_kind kind, const mr_value* items, uint32_t size) {
  mr_value value{};
  value.kind = static_cast<uint8_t>(kind);
  value.size = size;
  value.u.items = items;
  return value;
}

/// A record for topic `bad` that is right until the fixture spoils it.
inline mr_record good_record() {
  static const mr_value partition[] = {string_value("partition"), string_value("p")};
  static const mr_value offset[] = {string_value("offset"), string_value("o")};
  mr_record record{};
  record.topic = text("bad");
  record.partition = MR_NO_PARTITION;
  record.value = string_value("v");
  record.timestamp_ms = MR_NO_TIMESTAMP;
  record.source_partition = list_value(MR_MAP, partition, 1);
  record.source_offset = list_value(MR_MAP, offset, 1);
  return record;
}

/// What a fixture emits with a record: its task is nothing but the context.
template <class Spoil>
int32_t emit_spoiled(const mr_host_v1* host, void* task, mr_error* error, Spoil&& spoil) {
  mr_record record = good_record();
  spoil(record);
  return host->emit(static_cast<mr_context*>(task), &record, 1, error);
}

/// A source whose task is its context, and which only waits.
inline mr_connector_v1 source_table(const mr_str* name) {
  mr_connector_v1 table{};
  table.struct_size = sizeof(table);
  table.major = MR_ABI_MAJOR;
  table.minor = MR_ABI_MINOR;
  table.kind = MR_SOURCE;
  table.names = name;
  table.name_count = 1;
  table.version = text("1.0.0");
  table.task_create = [](mr_context* context, mr_error*) -> void* { return context; };
  table.task_start = [](void*, const mr_config*, mr_error*) -> int32_t { return MR_OK; };
  table.task_stop = [](void*, mr_error*) -> int32_t { return MR_OK; };
  table.task_destroy = [](void*) {};
  table.poll = [](void*, mr_error*) -> int32_t { return MR_OK; };
  return table;
}

inline mr_plugin_v1 plugin_table(const mr_connector_v1* const* connectors) {
  return {sizeof(mr_plugin_v1), MR_ABI_MAJOR, MR_ABI_MINOR, connectors, 1};
}

}  // namespace bad

/// Every fixture's one exported symbol.
extern "C" [[gnu::visibility("default")]] const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept;
