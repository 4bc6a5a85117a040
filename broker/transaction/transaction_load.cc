/// What the coordinator finds at its start.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "broker/broker.h"
#include "broker/transaction/transaction_coordinator.h"
#include "broker/transaction/transaction_records.h"

namespace millrace {
namespace {

constexpr size_t kReadBytes = 1 << 20;

Status replay(const RecordView& record, std::map<std::string, TransactionState>& into) {
  if (!record.key) return {};
  auto id = read_transaction_key(*record.key);
  if (!id) return fail(std::move(id.error()));
  if (!*id) return {};
  if (!record.value) {
    into.erase(**id);
    return {};
  }
  auto state = read_transaction_value(*record.value);
  if (!state) return fail(std::move(state.error()));
  into[**id] = std::move(*state);
  return {};
}

}  // namespace

Status TransactionCoordinator::load() {
  for (const PartitionKey& key : environment_.partitions()) {
    if (key.first != kTransactionsTopic) continue;
    const auto log = environment_.find_log(key);
    if (log == nullptr) continue;
    if (auto loaded = load_partition(*log); !loaded) return loaded;
  }
  std::erase_if(entries_, [](const auto& each) { return each.second.state.producer.id < 0; });
  return {};
}

Status TransactionCoordinator::load_partition(const PartitionLog& log) {
  const auto damaged = [&](Error cause) {
    return fail(
        std::move(cause).wrap(fmt::format("{}: the state of transactions cannot be read; restore the folder, or "
                                          "remove it to forget its transactional ids",
                                          log.directory().string())));
  };
  std::map<std::string, TransactionState> found;
  std::string scratch;
  for (int64_t offset = log.log_start_offset(); offset < log.high_watermark();) {
    auto read = log.read(offset, kReadBytes);
    if (!read) return fail(std::move(read.error()));
    if (read->bytes.empty()) break;
    for (BytesView bytes = read->bytes; !bytes.empty();) {
      auto batch = RecordBatchView::parse(bytes);
      if (!batch) return damaged(std::move(batch.error()));
      bytes.remove_prefix(batch->size_bytes());
      if (batch->control()) continue;
      auto records = RecordIterator::open(*batch, scratch);
      if (!records) return damaged(std::move(records.error()));
      RecordView record;
      while (records->next(record)) {
        if (auto replayed = replay(record, found); !replayed) return damaged(std::move(replayed.error()));
      }
      if (!records->status()) return damaged(Error(records->status().error()));
    }
    offset = read->next_offset;
  }
  for (auto& [id, state] : found) {
    // An id has one partition; should the number of partitions have changed, it has an older one as well.
    TransactionState& known = entries_[id].state;
    if (known.producer.id < 0 || known.update_ms <= state.update_ms) known = std::move(state);
  }
  return {};
}

int64_t TransactionCoordinator::producer_id_used_max() const {
  int64_t used = -1;
  for (const auto& [id, entry] : entries_)
    used = std::max({used, entry.state.producer.id, entry.state.next_producer_id, entry.state.previous_producer_id});
  for (const PartitionKey& key : environment_.partitions()) {
    const auto log = environment_.find_log(key);
    if (log == nullptr) continue;
    for (const ProducerInfo& producer : log->producers()) used = std::max(used, producer.producer_id);
  }
  return used;
}

}  // namespace millrace
