/// Which source offsets may be stored: those of records that the log has acknowledged, and of all records before them.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/offset_store.h"

namespace millrace {

/// Records are handed over in units (one emit call of the plugin). A unit is a set of batches on their way and the last
/// offset of each source partition in it. Threads: any.
class OffsetTracker {
 public:
  struct Unit {
    size_t batches_in_flight = 0;
    bool sealed = false;  ///< no further batch will be added
    std::vector<OffsetStore::Change> offsets;
  };
  using UnitPtr = std::shared_ptr<Unit>;  // co-owned by the tracker and by the callbacks of its batches

  UnitPtr begin();
  void batch_sent(const UnitPtr& unit);
  /// An acknowledgement; a failure is kept for failure() and the unit never becomes committable.
  void batch_done(const UnitPtr& unit, Expected<int64_t> result);
  void seal(const UnitPtr& unit, std::vector<OffsetStore::Change> offsets);

  /// Takes the newest committable offset of each source partition. On failure to store them, give them back.
  std::vector<OffsetStore::Change> take_committable();
  void give_back(std::vector<OffsetStore::Change> changes);

  /// The first failed send, if any.
  Status failure() const;
  /// Forgets everything: a task begins anew. Callbacks of earlier batches may still come and change nothing.
  void reset();

 private:
  mutable std::mutex mutex_;
  std::deque<UnitPtr> units_;                               // in the order they were emitted
  std::map<std::string, OffsetStore::Change> committable_;  // by the partition's JSON
  Status failure_;
};

}  // namespace millrace
