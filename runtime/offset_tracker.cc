#include "runtime/offset_tracker.h"

namespace millrace {

OffsetTracker::UnitPtr OffsetTracker::begin() {
  auto unit = std::make_shared<Unit>();
  std::lock_guard lock(mutex_);
  units_.push_back(unit);
  return unit;
}

void OffsetTracker::batch_sent(const UnitPtr& unit) {
  std::lock_guard lock(mutex_);
  ++unit->batches_in_flight;
}

void OffsetTracker::batch_done(const UnitPtr& unit, Expected<int64_t> result) {
  std::lock_guard lock(mutex_);
  if (result) {
    --unit->batches_in_flight;
  } else if (failure_) {
    failure_ = fail(std::move(result.error()));
  }
}

void OffsetTracker::seal(const UnitPtr& unit, std::vector<OffsetStore::Change> offsets) {
  std::lock_guard lock(mutex_);
  unit->offsets = std::move(offsets);
  unit->sealed = true;
}

std::vector<OffsetStore::Change> OffsetTracker::take_committable() {
  std::lock_guard lock(mutex_);
  while (!units_.empty() && units_.front()->sealed && units_.front()->batches_in_flight == 0) {
    for (OffsetStore::Change& change : units_.front()->offsets) {
      auto key = offset_map_to_json(change.partition.get());
      if (key) committable_.insert_or_assign(std::move(*key), std::move(change));
    }
    units_.pop_front();
  }
  std::vector<OffsetStore::Change> taken;
  for (auto& [key, change] : committable_) taken.push_back(std::move(change));
  committable_.clear();
  return taken;
}

void OffsetTracker::give_back(std::vector<OffsetStore::Change> changes) {
  std::lock_guard lock(mutex_);
  for (OffsetStore::Change& change : changes) {
    auto key = offset_map_to_json(change.partition.get());
    if (key) committable_.try_emplace(std::move(*key), std::move(change));  // newer ones win
  }
}

Status OffsetTracker::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

void OffsetTracker::reset() {
  std::lock_guard lock(mutex_);
  units_.clear();
  failure_ = {};
}

}  // namespace millrace
