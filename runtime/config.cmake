# Settings of workers and connectors and their validation: usable without a worker, so a library of its own.
millrace_library(NAME runtime_config COLD
  SRCS client_overrides.cc component_catalog.cc component_sections.cc config_providers.cc config_suggestions.cc connector_config.cc connector_remarks.cc raw_config.cc validation.cc worker_config.cc
    worker_option_rows.cc worker_options.cc
  DEPS core converters transforms data sdk
  SYSTEM PkgConfig::re2 fmt::fmt)
millrace_test(NAME runtime_config SRCS config_providers_test.cc connector_remarks_test.cc validation_test.cc worker_config_test.cc DEPS runtime_config)
millrace_test(NAME golden.connect-rest.validation SRCS validation_golden_test.cc DEPS runtime_config
  SYSTEM nlohmann_json::nlohmann_json LABELS golden)
