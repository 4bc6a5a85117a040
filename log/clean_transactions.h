/// What a compaction knows of the transactions while it walks a log from its start: which batches were aborted, and
/// which markers still have data in front of them.
/// Threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "log/segment_index.h"
#include "protocol/record_batch.h"

namespace millrace {

class CleanTransactions {
 public:
  /// `aborted`: all aborted transactions that overlap what is walked.
  explicit CleanTransactions(std::vector<AbortedTransaction> aborted);

  /// The next data batch; true when it belongs to an aborted transaction.
  bool is_aborted(const RecordBatchView& batch);
  /// The next marker; true when none of its transaction's data was met. Entries of the transaction index that must
  /// live on with the marker are added to `index`.
  bool is_empty_marker(const RecordBatchView& batch, std::vector<AbortedTransaction>* index);

 private:
  struct Ongoing {
    AbortedTransaction transaction;
    bool data_seen = false;
  };
  void begin_upto(int64_t offset);
  std::vector<AbortedTransaction> aborted_;  // by first offset
  size_t next_ = 0;
  std::map<int64_t, Ongoing> ongoing_aborted_;  // by producer
  std::set<int64_t> ongoing_committed_;         // producers with data seen
};

}  // namespace millrace
