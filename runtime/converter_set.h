/// The three converters of a task: the connector's own where it names one, else the worker's, each with the settings
/// under its prefix.
#pragma once

#include <memory>

#include "converters/converter.h"
#include "runtime/herder.h"

namespace millrace {

struct ConverterSet {
  std::unique_ptr<Converter> key, value;
  std::unique_ptr<HeaderConverter> header;

  /// Errors: kInvalidConfig with Kafka's text for a class that does not exist or settings that do not fit.
  static Expected<ConverterSet> create(const ConfigMap& worker_config, const ConfigMap& connector_config);
};

}  // namespace millrace
