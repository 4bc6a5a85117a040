/// What errors.* and millrace.* settings of a connector say about failures.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "runtime/herder.h"

namespace millrace {

struct ErrorPolicy {
  bool tolerate_all = false;                          ///< errors.tolerance=all
  bool log = false;                                   ///< errors.log.enable
  bool log_messages = false;                          ///< errors.log.include.messages
  std::chrono::milliseconds retry_timeout{0};         ///< errors.retry.timeout; negative = for ever
  std::chrono::milliseconds retry_delay_max{60'000};  ///< errors.retry.delay.max.ms
  std::string dead_letter_topic;                      ///< errors.deadletterqueue.*; empty = none
  int16_t dead_letter_replication = 3;
  bool dead_letter_context = false;  ///< …context.headers.enable
  bool auto_restart = true;          ///< millrace.restart, anything but `none`: restart after passing trouble

  /// Settings that do not parse keep their defaults: validation has refused them before.
  static ErrorPolicy from(const ConfigMap& connector_config);
};

}  // namespace millrace
