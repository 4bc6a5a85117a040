/// The table of all settings of a worker: Kafka Connect's keys, types, defaults and checks, and our own keys beside
/// them. It drives WorkerConfig, `millrace lint` and docs/configuration.md.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/config_def.h"

namespace millrace {

enum class WorkerMode { kStandalone, kDistributed };

/// Settings of a worker in this mode; `group` of a key is the section of the documentation. Built once.
const ConfigDef& worker_options(WorkerMode mode);

/// A setting that is accepted and does nothing here.
struct IdleSetting {
  std::string_view name;  ///< or a prefix, which ends in a dot
  std::string_view why;   ///< what to do instead, or why nothing is to do
};
std::span<const IdleSetting> idle_worker_settings();
/// Why a setting has no effect in this mode; empty if it has one, or is unknown.
std::string_view why_idle(std::string_view name, WorkerMode mode);

/// Families of settings that belong to clients, converters, providers and the embedded log. What follows the prefix is
/// not checked here.
struct SettingFamily {
  std::string_view prefix;
  std::string_view documentation;
};
std::span<const SettingFamily> worker_setting_families();

/// Whether the table, an idle setting or a family has this name.
bool is_worker_setting(std::string_view name, WorkerMode mode);
/// Names for suggestions.
std::vector<std::string_view> worker_setting_names();

}  // namespace millrace
