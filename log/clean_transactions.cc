#include "log/clean_transactions.h"

#include <algorithm>

namespace millrace {

CleanTransactions::CleanTransactions(std::vector<AbortedTransaction> aborted) : aborted_(std::move(aborted)) {
  std::sort(aborted_.begin(), aborted_.end(),
            [](const auto& a, const auto& b) { return a.first_offset < b.first_offset; });
}

void CleanTransactions::begin_upto(int64_t offset) {
  for (; next_ < aborted_.size() && aborted_[next_].first_offset <= offset; ++next_) {
    ongoing_aborted_.try_emplace(aborted_[next_].producer_id, Ongoing{aborted_[next_], false});
  }
}

bool CleanTransactions::is_aborted(const RecordBatchView& batch) {
  begin_upto(batch.last_offset());
  if (!batch.transactional()) return false;
  const auto found = ongoing_aborted_.find(batch.producer_id());
  if (found == ongoing_aborted_.end()) {
    ongoing_committed_.insert(batch.producer_id());
    return false;
  }
  found->second.data_seen = true;
  return true;
}

bool CleanTransactions::is_empty_marker(const RecordBatchView& batch, std::vector<AbortedTransaction>* index) {
  begin_upto(batch.last_offset());
  std::string scratch;
  auto records = RecordIterator::open(batch, scratch);
  RecordView marker;
  // A marker that an earlier compaction has emptied is kept for its epoch only.
  if (!records || !records->next(marker)) return true;
  if (!marker.key || marker.key->size() < 4) return false;
  const auto type = load_be<int16_t>(marker.key->data() + 2);
  if (type == batch_format::kControlCommit) return ongoing_committed_.erase(batch.producer_id()) == 0;
  if (type != batch_format::kControlAbort) return false;
  const auto found = ongoing_aborted_.find(batch.producer_id());
  if (found == ongoing_aborted_.end()) return true;
  const Ongoing ended = found->second;
  ongoing_aborted_.erase(found);
  if (!ended.data_seen) return true;
  if (index != nullptr) index->push_back(ended.transaction);
  return false;
}

}  // namespace millrace
