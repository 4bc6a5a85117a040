/// What a herder is doing now, or did last, for requests that time out.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include "core/guarded.h"

namespace millrace {

/// 2026-01-31T23:59:59.123Z; no fraction when it is zero, as Java prints an instant.
std::string instant_text(int64_t wall_ms);

/// Threads: any; nothing here waits. Stages of different connectors overlap: the one that began first is told of, as it
/// is what others are likely to wait for.
class StageKeeper {
  struct Entry {
    std::string description;
    int64_t began_ms;
  };
  using Entries = std::list<Entry>;

 public:
  using WallClock = std::function<int64_t()>;  ///< milliseconds since the epoch
  StageKeeper();
  explicit StageKeeper(WallClock now) : now_(std::move(now)) {}

  /// The stage lasts as long as this.
  class [[nodiscard]] Scope {
   public:
    ~Scope() { keeper_.end(entry_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    friend class StageKeeper;
    Scope(StageKeeper& keeper, Entries::iterator entry) : keeper_(keeper), entry_(entry) {}
    StageKeeper& keeper_;
    const Entries::iterator entry_;
  };
  /// `description` continues `The worker is currently`: starting connector a.
  Scope begin(std::string description);

  /// Kafka Connect's sentence; empty when nothing has been done yet.
  std::string summary() const;

 private:
  void end(Entries::iterator entry);

  struct Known {
    Entries present;  // the oldest first
    std::optional<Entry> last;
    int64_t last_ended_ms = 0;
  };
  const WallClock now_;
  Guarded<Known> known_;
};

}  // namespace millrace
