/// The three converters of a task: the connector's own where it names one, else the worker's, each with the settings
/// under its prefix.
#pragma once

#include <memory>
#include <string>

#include "converters/converter.h"
#include "runtime/herder.h"

namespace millrace {

struct ConverterSet {
  std::unique_ptr<Converter> key, value;
  std::unique_ptr<HeaderConverter> header;
  std::string key_class, value_class, header_class;  ///< full names, for messages

  void new_batch() {
    key->new_batch();
    value->new_batch();
    header->new_batch();
  }

  /// Errors: kInvalidConfig with Kafka's text for a class that does not exist or settings that do not fit.
  static Expected<ConverterSet> create(const ConfigMap& worker_config, const ConfigMap& connector_config);
};

}  // namespace millrace
