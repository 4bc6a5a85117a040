/// The lines that kafka-verifiable-producer and -consumer print: a JSON object each, written at once.
#pragma once

#include <nlohmann/json.hpp>

#include "core/clock.h"
#include "tools/tool.h"

namespace millrace {

using EventJson = nlohmann::ordered_json;

/// Threads: one.
class JsonEvents {
 public:
  explicit JsonEvents(const ToolIo& io) : io_(io) {}

  /// {"timestamp":…,"name":"startup_complete"}; fields follow in the order in which Kafka writes them.
  EventJson event(const char* name) const { return {{"timestamp", clock_.wall_ms()}, {"name", name}}; }
  /// Prints the event; flush() makes it visible.
  void print(const EventJson& event) const {
    io_.print(event.dump(-1, ' ', false, EventJson::error_handler_t::replace) + '\n');
  }
  void print(const char* name) const {
    print(event(name));
    flush();
  }
  void flush() const { std::fflush(io_.out); }
  int64_t now_ms() const { return clock_.wall_ms(); }

 private:
  const ToolIo& io_;
  SystemClock clock_;
};

}  // namespace millrace
