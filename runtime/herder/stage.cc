#include "runtime/herder/stage.h"

#include <fmt/format.h>

#include <chrono>

namespace millrace {

using namespace std::chrono;

std::string instant_text(int64_t wall_ms) {
  const sys_time<milliseconds> instant{milliseconds(wall_ms)};
  const auto day = floor<days>(instant);
  const year_month_day date(day);
  const hh_mm_ss time(instant - day);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 time.hours().count(), time.minutes().count(), time.seconds().count());
  if (const auto fraction = time.subseconds().count(); fraction != 0) text += fmt::format(".{:03}", fraction);
  return text + "Z";
}

StageKeeper::StageKeeper()
    : now_([] { return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count(); }) {}

StageKeeper::Scope StageKeeper::begin(std::string description) {
  const int64_t now = now_();
  return Scope(*this, known_.with([&](Known& known) {
    return known.present.insert(known.present.end(), Entry{std::move(description), now});
  }));
}

void StageKeeper::end(Entries::iterator entry) {
  const int64_t now = now_();
  known_.with([&](Known& known) {
    known.last = std::move(*entry);
    known.last_ended_ms = now;
    known.present.erase(entry);
  });
}

std::string StageKeeper::summary() const {
  return known_.with([](const Known& known) -> std::string {
    if (!known.present.empty()) {
      const Entry& stage = known.present.front();
      return fmt::format("The worker is currently {}, which began at {}.", stage.description,
                         instant_text(stage.began_ms));
    }
    if (!known.last) return {};
    return fmt::format("The last operation the worker completed was {}, which began at {} and completed at {}.",
                       known.last->description, instant_text(known.last->began_ms), instant_text(known.last_ended_ms));
  });
}

}  // namespace millrace
