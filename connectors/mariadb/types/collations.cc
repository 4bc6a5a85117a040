/// MariaDB's collation numbers, as far as a character set follows from them (information_schema's
/// COLLATION_CHARACTER_SET_APPLICABILITY has the same).
#include <span>

#include "connectors/mariadb/types/text_decoder.h"

namespace millrace::mariadb {
namespace {

constexpr std::string_view kFirst[] = {
    "",       "big5",   "latin2",   "dec8",     "cp850",    "latin1",  "hp8",     "koi8r",   "latin1",  "latin2",
    "swe7",   "ascii",  "ujis",     "sjis",     "cp1251",   "latin1",  "hebrew",  "",        "tis620",  "euckr",
    "latin7", "latin2", "koi8u",    "cp1251",   "gb2312",   "greek",   "cp1250",  "latin2",  "gbk",     "cp1257",
    "latin5", "latin1", "armscii8", "utf8mb3",  "cp1250",   "ucs2",    "cp866",   "keybcs2", "macce",   "macroman",
    "cp852",  "latin7", "latin7",   "macce",    "cp1250",   "utf8mb4", "utf8mb4", "latin1",  "latin1",  "latin1",
    "cp1251", "cp1251", "cp1251",   "macroman", "utf16",    "utf16",   "utf16le", "cp1256",  "cp1257",  "cp1257",
    "utf32",  "utf32",  "utf16le",  "binary",   "armscii8", "ascii",   "cp1250",  "cp1256",  "cp866",   "dec8",
    "greek",  "hebrew", "hp8",      "keybcs2",  "koi8r",    "koi8u",   "",        "latin2",  "latin5",  "latin7",
    "cp850",  "cp852",  "swe7",     "utf8mb3",  "big5",     "euckr",   "gb2312",  "gbk",     "sjis",    "tis620",
    "ucs2",   "ujis",   "geostd8",  "geostd8",  "latin1",   "cp932",   "cp932",   "eucjpms", "eucjpms", "cp1250",
};

struct Range {
  uint16_t first, last;
  std::string_view charset;
};
constexpr Range kRanges[] = {
    {101, 127, "utf16"},   {128, 159, "ucs2"},    {160, 191, "utf32"},     {192, 223, "utf8mb3"},
    {224, 255, "utf8mb4"}, {576, 607, "utf8mb3"}, {608, 639, "utf8mb4"},   {640, 671, "ucs2"},
    {672, 703, "utf16"},   {736, 767, "utf32"},   {2048, 2303, "utf8mb3"}, {2304, 2559, "utf8mb4"},
    {2560, 2815, "ucs2"},  {2816, 3071, "utf16"}, {3072, 3327, "utf32"},
};

}  // namespace

std::string_view charset_of_collation(uint16_t collation) {
  // The NOPAD twins are the same with 1024 added.
  const auto base = static_cast<uint16_t>(collation >= 1024 && collation < 2048 ? collation - 1024 : collation);
  if (base < std::size(kFirst)) return kFirst[base];
  for (const Range& range : kRanges)
    if (base >= range.first && base <= range.last) return range.charset;
  return {};
}

}  // namespace millrace::mariadb
