/// Last write wins: what a batch has to write of records whose keys come more than once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::jdbc {

/// Finds the last record of each key among the records of a batch: the others would be written over at once, and some
/// statements may touch a row only once. Keeps its memory between batches.
class KeyOrder {
 public:
  void start(size_t records) {
    keys_.clear();
    begins_.clear();
    ends_.clear();
    superseded_.assign(records, 0);
    size_t slots = 16;
    while (slots < records * 2) slots *= 2;
    slots_.assign(slots, 0);
  }
  std::string& buffer() { return keys_; }
  /// What was appended to the buffer since the last call is the key of the next record.
  void add() {
    const size_t record = begins_.size();
    const size_t begin = begins_.empty() ? 0 : ends_.back();
    begins_.push_back(begin);
    ends_.push_back(keys_.size());
    const std::string_view key = key_of(record);
    for (size_t at = std::hash<std::string_view>()(key) & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at] == 0 || key_of(slots_[at] - 1) == key) {
        if (slots_[at] != 0) superseded_[slots_[at] - 1] = 1;
        slots_[at] = static_cast<uint32_t>(record + 1);
        return;
      }
    }
  }
  /// The records to write. `arrival`: in the order in which they came; else in that of the keys, so that tasks which
  /// write the same rows do not lock each other out.
  std::span<const uint32_t> survivors(bool arrival) {
    order_.clear();
    for (uint32_t i = 0; i < begins_.size(); ++i) {
      if (superseded_[i] == 0) order_.push_back(i);
    }
    if (!arrival)
      std::sort(order_.begin(), order_.end(), [this](uint32_t a, uint32_t b) { return key_of(a) < key_of(b); });
    return order_;
  }

 private:
  std::string_view key_of(size_t record) const {
    return std::string_view(keys_).substr(begins_[record], ends_[record] - begins_[record]);
  }
  std::string keys_;
  std::vector<size_t> begins_, ends_;
  std::vector<uint32_t> slots_;  // number of the record + 1
  std::vector<uint8_t> superseded_;
  std::vector<uint32_t> order_;
};

}  // namespace millrace::jdbc
