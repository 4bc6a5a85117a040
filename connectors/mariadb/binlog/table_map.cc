#include "connectors/mariadb/binlog/table_map.h"

#include <algorithm>
#include <optional>

#include "connectors/mariadb/binlog/byte_reader.h"
#include "connectors/mariadb/binlog/column_type.h"

namespace millrace::mariadb {
namespace {

namespace type = column_type;

/// STRING's two bytes hold the real type and, as lengths grew beyond 255, two bits of the length in the type's byte.
bool resolve_string(uint8_t first, uint8_t second, WireColumn& column) {
  if (first == type::kEnum || first == type::kSet) {
    column.type = first;
    column.metadata = second;
    return second >= 1 && second <= (first == type::kEnum ? 2 : 8);
  }
  if ((first & 0x30) != 0x30) {
    column.metadata = static_cast<uint16_t>(second | ((first & 0x30) ^ 0x30) << 4);
    first |= 0x30;
  } else {
    column.metadata = second;
  }
  return first == type::kString;
}

/// Reads the metadata of one column; false when it makes no sense.
bool read_metadata(ByteReader& in, WireColumn& column) {
  switch (column.type) {
    case type::kTiny:
    case type::kShort:
    case type::kInt24:
    case type::kLong:
    case type::kLongLong:
    case type::kYear:
    case type::kDate:
    case type::kNewDate:
    case type::kNull:
    case type::kTimestamp:
    case type::kTime:
    case type::kDateTime:
      return true;
    case type::kFloat:
    case type::kDouble:
      column.metadata = in.u8();
      return column.metadata == (column.type == type::kFloat ? 4 : 8);
    case type::kTimestamp2:
    case type::kDateTime2:
    case type::kTime2:
      column.metadata = in.u8();
      return column.metadata <= 6;
    case type::kTinyBlob:
    case type::kMediumBlob:
    case type::kLongBlob:
    case type::kBlob:
    case type::kBlobCompressed:
    case type::kGeometry:
    case type::kJsonMySql:
      column.metadata = in.u8();
      return column.metadata >= 1 && column.metadata <= 4;
    case type::kVarchar:
    case type::kVarString:
    case type::kVarcharCompressed:
      column.metadata = in.u16();
      return true;
    case type::kNewDecimal: {
      const uint8_t precision = in.u8(), scale = in.u8();
      column.metadata = static_cast<uint16_t>(precision << 8 | scale);
      return precision >= 1 && precision <= 65 && scale <= precision;
    }
    case type::kBit: {
      const uint8_t odd_bits = in.u8(), bytes = in.u8();
      column.metadata = static_cast<uint16_t>(bytes * 8 + odd_bits);
      return odd_bits < 8 && column.metadata >= 1 && column.metadata <= 64;
    }
    case type::kString:
    case type::kEnum:
    case type::kSet: {
      const uint8_t first = in.u8(), second = in.u8();
      return resolve_string(first, second, column);
    }
    default:
      return false;
  }
}

/// Fields of the optional metadata; each gives false when it makes no sense.
class OptionalMetadata {
 public:
  explicit OptionalMetadata(TableMap& map) : map_(map) {}

  bool read(ByteReader& in) {
    while (in.left() > 0) {
      const uint8_t field = in.u8();
      const uint64_t size = in.lenenc();
      const Bytes content = in.take(size);
      if (!in.ok() || !read_field(field, ByteReader(content))) return false;
    }
    return true;
  }

 private:
  bool read_field(uint8_t field, ByteReader in) {
    switch (field) {
      case 1:
        return read_signs(in);
      case 2:
        map_.has_charsets = true;
        return read_default_charset(in, &type::has_charset);
      case 3:
        map_.has_charsets = true;
        return read_charsets(in, &type::has_charset);
      case 4:
        return read_names(in);
      case 5:
        return read_labels(in, type::kSet);
      case 6:
        return read_labels(in, type::kEnum);
      case 7:
        return read_geometries(in);
      case 8:
        return read_key(in, false);
      case 9:
        return read_key(in, true);
      case 10:
        return read_default_charset(in, &has_labels);
      case 11:
        return read_charsets(in, &has_labels);
      default:
        return true;  // of a newer server
    }
  }

  static bool has_labels(uint8_t of) { return of == type::kEnum || of == type::kSet; }

  bool read_signs(ByteReader& in) {
    map_.has_signs = true;
    unsigned bit = 0, bits = 0;
    for (WireColumn& column : map_.columns) {
      if (!type::has_sign(column.type)) continue;
      if (bit == 0) bits = in.u8();
      column.is_unsigned = (bits >> (7 - bit) & 1) != 0;
      bit = (bit + 1) % 8;
    }
    return in.ok();
  }

  bool read_charsets(ByteReader& in, bool (*counts)(uint8_t)) {
    for (WireColumn& column : map_.columns) {
      if (counts(column.type)) column.collation = static_cast<uint16_t>(in.lenenc());
    }
    return in.ok();
  }

  bool read_default_charset(ByteReader& in, bool (*counts)(uint8_t)) {
    const auto usual = static_cast<uint16_t>(in.lenenc());
    std::vector<WireColumn*> counted;
    for (WireColumn& column : map_.columns) {
      if (!counts(column.type)) continue;
      column.collation = usual;
      counted.push_back(&column);
    }
    while (in.left() > 0) {
      const uint64_t index = in.lenenc();
      const uint64_t collation = in.lenenc();
      if (!in.ok() || index >= counted.size()) return false;
      counted[static_cast<size_t>(index)]->collation = static_cast<uint16_t>(collation);
    }
    return in.ok();
  }

  bool read_names(ByteReader& in) {
    map_.has_names = true;
    for (WireColumn& column : map_.columns) column.name = in.text(in.lenenc());
    return in.ok();
  }

  bool read_labels(ByteReader& in, uint8_t of) {
    for (WireColumn& column : map_.columns) {
      if (column.type != of) continue;
      const uint64_t count = in.lenenc();
      if (!in.ok() || count > in.left()) return false;
      column.labels.reserve(static_cast<size_t>(count));
      for (uint64_t i = 0; i < count; ++i) column.labels.emplace_back(in.text(in.lenenc()));
    }
    return in.ok();
  }

  bool read_geometries(ByteReader& in) {
    for (WireColumn& column : map_.columns) {
      if (column.type == type::kGeometry) column.geometry = static_cast<uint8_t>(in.lenenc());
    }
    return in.ok();
  }

  bool read_key(ByteReader& in, bool with_prefixes) {
    while (in.left() > 0) {
      const uint64_t index = in.lenenc();
      if (with_prefixes) in.lenenc();
      if (!in.ok() || index >= map_.columns.size()) return false;
      map_.primary_key.push_back(static_cast<uint32_t>(index));
    }
    return in.ok();
  }

  TableMap& map_;
};

/// Types, their metadata and NULL bits; what is wrong, or nothing.
std::optional<std::string> read_columns(ByteReader& in, TableMap& map) {
  const uint64_t count = in.lenenc();
  const Bytes types = in.take(count);
  if (!in.ok()) return "truncated column types";
  map.columns.resize(types.size());
  const uint64_t metadata_size = in.lenenc();
  ByteReader metadata(in.take(metadata_size));
  for (size_t i = 0; i < types.size(); ++i) {
    WireColumn& column = map.columns[i];
    column.type = types[i];
    if (!read_metadata(metadata, column) || !metadata.ok()) {
      return "column " + std::to_string(i + 1) + " has type " + std::to_string(types[i]) +
             " with metadata that this version cannot read";
    }
  }
  const Bytes null_bits = in.take((types.size() + 7) / 8);
  if (!in.ok()) return "truncated NULL bits";
  for (size_t i = 0; i < types.size(); ++i) map.columns[i].nullable = (null_bits[i / 8] >> (i % 8) & 1) != 0;
  return std::nullopt;
}

}  // namespace

uint64_t table_map_id(const Event& event) { return event.body.size() < 6 ? 0 : read_little(event.body.data(), 6); }

Result<TableMap> parse_table_map(const Event& event) {
  ByteReader in(event.body);
  TableMap map;
  map.table_id = in.number(6);
  in.skip(2);
  map.table.database = in.text(in.u8());
  in.skip(1);
  map.table.table = in.text(in.u8());
  in.skip(1);
  if (!in.ok()) return malformed(event.header, "truncated table name");
  const auto wrong = [&](std::string_view what) {
    return malformed(event.header, "table " + map.table.full() + ": " + std::string(what));
  };
  if (const auto problem = read_columns(in, map)) return wrong(*problem);
  if (!OptionalMetadata(map).read(in)) return wrong("optional metadata makes no sense");
  const auto none = [&](bool (*counts)(uint8_t)) {
    return std::ranges::none_of(map.columns, [&](const WireColumn& column) { return counts(column.type); });
  };
  map.has_signs = map.has_signs || none(&type::has_sign);
  map.has_charsets = map.has_charsets || none(&type::has_charset);
  return map;
}

}  // namespace millrace::mariadb
