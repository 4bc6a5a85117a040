# Connector configuration and its validation: usable without a worker, so a library of its own.
millrace_library(NAME runtime_config COLD
  SRCS client_overrides.cc component_catalog.cc connector_config.cc validation.cc
  DEPS core converters data sdk
  SYSTEM PkgConfig::re2 fmt::fmt)
millrace_test(NAME runtime_config SRCS validation_test.cc DEPS runtime_config)
millrace_test(NAME golden.connect-rest.validation SRCS validation_golden_test.cc DEPS runtime_config
  SYSTEM nlohmann_json::nlohmann_json LABELS golden)
