/// The parts of the option table, by group; options.h joins them.
#pragma once

#include <millrace/connector.hpp>

#include <span>

namespace millrace::mariadb {

std::span<const sdk::ConfigKey> server_options();
std::span<const sdk::ConfigKey> connector_options();
std::span<const sdk::ConfigKey> history_options();
std::span<const sdk::ConfigKey> event_options();

}  // namespace millrace::mariadb
