/// Debezium's geometry values in the form that MariaDB and MySQL store: SRID and little-endian WKB.
/// Threads: any (pure).
#pragma once

#include <cstdint>
#include <string_view>

#include "connectors/common/byte_arena.h"
#include "connectors/common/result.h"

namespace millrace::jdbc {

/// `wkb` in either byte order, also PostGIS's form with an SRID inside (which `srid` overrides unless it is 0).
/// The result lives in `arena`. Errors: kBadRecord for a text that is no two-dimensional WKB.
connectors::Result<std::string_view> stored_geometry(std::string_view wkb, uint32_t srid, connectors::ByteArena& arena);

/// A point without WKB.
std::string_view stored_point(double x, double y, uint32_t srid, connectors::ByteArena& arena);

}  // namespace millrace::jdbc
