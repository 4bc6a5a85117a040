/// What errors.* and millrace.* settings of a connector say about failures.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/herder.h"

namespace millrace {

struct ErrorPolicy {
  bool tolerate_all = false;  ///< errors.tolerance=all
  bool log = false;           ///< errors.log.enable
  bool log_messages = false;  ///< errors.log.include.messages
  std::string dead_letter_topic;
  int16_t dead_letter_replication = 3;
  bool auto_restart = true;  ///< millrace.restart, anything but `none`: restart after passing trouble

  static ErrorPolicy from(const ConfigMap& connector_config);
};

}  // namespace millrace
