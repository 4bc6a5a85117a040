#include "connectors/mariadb/events/record_batch.h"

#include <cstring>

namespace millrace::mariadb {
namespace {

bool is_text(const mr_value& value) {
  return value.kind == MR_STRING || value.kind == MR_BYTES || value.kind == MR_DECIMAL;
}
bool is_list(const mr_value& value) {
  return value.kind == MR_ARRAY || value.kind == MR_MAP || value.kind == MR_STRUCT;
}

}  // namespace

RecordBatch::RecordBatch(sdk::SourceContext& context, OffsetProvider& offsets, size_t most_records)
    : context_(context), offsets_(offsets), most_records_(most_records) {
  records_.reserve(most_records + 2);
}

mr_record& RecordBatch::add(std::string_view topic) {
  mr_record& record = records_.emplace_back();  // zeroed
  record.topic = sdk::to_mr(topic);
  record.partition = MR_NO_PARTITION;
  record.timestamp_ms = MR_NO_TIMESTAMP;
  return record;
}

void RecordBatch::close_change(size_t first) {
  if (first == records_.size()) return;
  const mr_value offset = offsets_.offset(arena_), partition = offsets_.partition();
  // With nothing before it a change has only its own offset to give.
  const mr_value earlier = last_offset_.kind == MR_NULL ? offset : last_offset_;
  for (size_t i = first; i < records_.size(); ++i) {
    records_[i].source_partition = partition;
    records_[i].source_offset = i + 1 == records_.size() ? offset : earlier;
  }
  last_offset_ = offset;
}

connectors::Status RecordBatch::flush() {
  if (records_.empty()) return sdk::ok();
  if (sdk::Status s = context_.emit(std::span<const mr_record>(records_)); !s.ok()) return s;
  remember_offset(last_offset_);
  records_.clear();
  arena_.clear();
  ++number_;
  return sdk::ok();
}

mr_value RecordBatch::keep(Slot& slot, std::string_view text) {
  if (text.empty()) return null_value();
  if (slot.batch != number_ || slot.kept != text) {
    slot.kept = arena_.copy(text);
    slot.batch = number_;
  }
  return text_value(slot.kept);
}

/// Copies an offset, a map of texts and numbers, out of the arena.
void RecordBatch::remember_offset(const mr_value& offset) {
  if (offset.kind != MR_MAP || offset.u.items == remembered_items_.data()) return;
  const size_t count = size_t{2} * offset.size;
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) bytes += is_text(offset.u.items[i]) ? offset.u.items[i].size : 0;
  remembered_items_.assign(offset.u.items, offset.u.items + count);
  remembered_bytes_.clear();
  remembered_bytes_.reserve(bytes);
  for (mr_value& item : remembered_items_) {
    if (!is_text(item)) continue;
    const size_t at = remembered_bytes_.size();
    remembered_bytes_.append(item.u.bytes, item.size);
    item.u.bytes = remembered_bytes_.data() + at;
  }
  last_offset_ = offset;
  last_offset_.u.items = remembered_items_.data();
}

bool equal_values(const mr_value& a, const mr_value& b) {
  if (a.kind != b.kind) return false;
  if (is_text(a)) return a.scale == b.scale && a.size == b.size && std::memcmp(a.u.bytes, b.u.bytes, a.size) == 0;
  if (is_list(a)) {
    if (a.size != b.size) return false;
    const size_t count = a.kind == MR_MAP ? size_t{2} * a.size : a.size;
    for (size_t i = 0; i < count; ++i) {
      if (!equal_values(a.u.items[i], b.u.items[i])) return false;
    }
    return true;
  }
  // The bits of numbers: a NaN equals itself, as for Java's Double.
  return a.kind == MR_NULL || a.u.i64 == b.u.i64;
}

}  // namespace millrace::mariadb
