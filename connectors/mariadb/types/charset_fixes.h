/// Where MariaDB's single-byte sets differ from those of iconv (compared with MariaDB 10.11, every byte of every set).
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::mariadb {

/// `points[i]` is the character of byte `first` + i.
struct CharsetFix {
  std::string_view charset;
  uint8_t first;
  std::u16string_view points;
};

inline constexpr CharsetFix kCharsetFixes[] = {
    {"armscii8", 0xA1, u"\u2741\u00a7"},
    {"armscii8", 0xAD, u"\u055f"},
    {"armscii8", 0xFE, u"\u2019'"},
    {"cp866", 0xFC, u"\u207f\u00b2"},
    {"dec8", 0xA0, u"\u00a0"},
    {"geostd8", 0x80, u"\u20ac"},
    {"geostd8", 0xFD, u"\u2116"},
    {"greek", 0xA1, u"\u02bd\u02bc"},
    {"hebrew", 0xAF, u"\u203e"},
    {"keybcs2", 0x80,
     u"\u010c\u00fc\u00e9\u010f\u00e4\u010e\u0164\u010d\u011b\u011a\u0139\u00cd\u013e\u013a\u00c4\u00c1\u00c9\u017e"
     u"\u017d\u00f4\u00f6\u00d3\u016f\u00da\u00fd\u00d6\u00dc\u0160\u013d\u00dd\u0158\u0165\u00e1\u00ed\u00f3\u00fa"
     u"\u0148\u0147\u016e\u00d4\u0161\u0159\u0155\u0154\u00bc\u00a1\u00ab\u00bb\u2591\u2592\u2593\u2502\u2524\u2561"
     u"\u2562\u2556\u2555\u2563\u2551\u2557\u255d\u255c\u255b\u2510\u2514\u2534\u252c\u251c\u2500\u253c\u255e\u255f"
     u"\u255a\u2554\u2569\u2566\u2560\u2550\u256c\u2567\u2568\u2564\u2565\u2559\u2558\u2552\u2553\u256b\u256a\u2518"
     u"\u250c\u2588\u2584\u258c\u2590\u2580\u03b1\u00df\u0393\u03c0\u03a3\u03c3\u00b5\u03c4\u03a6\u0398\u03a9\u03b4"
     u"\u221e\u03c6\u03b5\u2229\u2261\u00b1\u2265\u2264\u2320\u2321\u00f7\u2248\u00b0\u2219\u00b7\u221a\u207f\u00b2"
     u"\u25a0\u00a0"},
    {"koi8u", 0x95, u"\u2022"},
    {"macroman", 0xC6, u"\u2206"},
    {"macroman", 0xF0, u"\uf8ff"},
    {"swe7", 0x24, u"$"},
};

}  // namespace millrace::mariadb
