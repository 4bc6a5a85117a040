/// The signals of a file, one JSON document a line. Before it is read the file is taken away, under a name with a
/// stamp; it is removed once a stored offset tells of all its signals. So a kill loses none, and none is obeyed twice.
/// Threads: the task's.
#pragma once

#include <string>
#include <vector>

#include "connectors/mariadb/snapshot/signals.h"

namespace millrace::mariadb {

class SignalFile {
 public:
  explicit SignalFile(std::string path) : path_(std::move(path)) {}
  /// Of the stored offset: all up to there is done. To be called before the first poll().
  void restore(const SignalPlace& done);
  /// Offers what is new; at first also what a run before has taken and not done. A missing file holds no signals.
  /// kUnavailable: it cannot be taken away, or not be read; then it stays.
  Status poll(SignalQueue& queue);
  /// An offset that tells of all up to `done` has been stored.
  void stored(const SignalPlace& done);
  /// Nothing is left that has been offered and is not known to be stored.
  bool empty() const { return taken_.empty(); }

 private:
  std::string name_of(int64_t stamp) const;
  Status find_left(SignalQueue& queue);
  Status offer(int64_t stamp, SignalQueue& queue);

  const std::string path_;
  SignalPlace done_;
  int64_t last_stamp_ = 0;
  bool looked_ = false;
  std::vector<SignalPlace> taken_;  // the last signal of each file that is not done
};

}  // namespace millrace::mariadb
