/// Cells as text, as the server would write them. Threads: plain functions.
#pragma once

#include <cstdint>
#include <string>

#include "connectors/mariadb/cell.h"

namespace millrace::mariadb {

/// The text of a number, date or time that a cell came from: what key literals and notifications are made of. Bytes and
/// texts are given as they are.
std::string text_of_cell(const Cell& cell);

/// Of the proleptic Gregorian calendar.
int64_t days_since_epoch(int64_t year, int64_t month, int64_t day);

}  // namespace millrace::mariadb
