#include "connect_client/text.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace millrace::connect {
namespace {

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

/// Edits that make `b` of `a`: one insertion, removal or replacement counts 1, and so does a swap of neighbours.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> two_ago(b.size() + 1);
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> now(b.size() + 1);
  std::iota(before.begin(), before.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same =
          std::tolower(static_cast<unsigned char>(a[i - 1])) == std::tolower(static_cast<unsigned char>(b[j - 1]));
      now[j] = std::min({before[j] + 1, now[j - 1] + 1, before[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], two_ago[j - 2] + 1);
    }
    std::swap(two_ago, before);
    std::swap(before, now);
  }
  return before[b.size()];
}

}  // namespace

void Table::add(std::vector<std::string> cells, std::vector<std::string> notes) {
  cells.resize(header_.size());
  rows_.push_back({std::move(cells), std::move(notes)});
}

std::string Table::text(bool colour) const {
  std::vector<size_t> widths;
  for (const std::string& cell : header_) widths.push_back(width_of(cell));
  for (const Row& row : rows_) {
    for (size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], width_of(row.cells[i]));
  }
  std::string text;
  const auto add_line = [&](const std::vector<std::string>& cells, bool paint) {
    std::string line;
    size_t blanks = 0;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (!cells[i].empty()) line.append(blanks, ' ').append(painted(cells[i], paint));
      blanks = (cells[i].empty() ? blanks : 0) + widths[i] - width_of(cells[i]) + 2;
    }
    text += line + '\n';
  };
  add_line(header_, false);
  for (const Row& row : rows_) {
    add_line(row.cells, colour);
    for (const std::string& note : row.notes) text += "    " + note + '\n';
  }
  return text;
}

std::string painted(const std::string& state, bool colour) {
  const char* code = nullptr;
  if (state == "RUNNING") code = "32";
  if (state == "PAUSED" || state == "RESTARTING" || state == "UNASSIGNED") code = "33";
  if (state == "FAILED") code = "31";
  if (state == "STOPPED") code = "2";
  if (!colour || code == nullptr) return state;
  return std::string("\033[") + code + 'm' + state + "\033[0m";
}

std::string first_line(std::string_view text, size_t characters) {
  std::string line(text.substr(0, text.find_first_of("\r\n")));
  if (width_of(line) <= characters) return line;
  size_t bytes = 0;
  for (size_t seen = 0; bytes < line.size(); ++bytes) {
    if ((line[bytes] & 0xC0) != 0x80 && seen++ == characters - 1) break;
  }
  return line.substr(0, bytes) + "…";
}

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& name : names) {
    const bool completes = word.size() >= 3 && name.starts_with(word);
    const size_t edits = completes ? 1 : distance(word, name);
    if (edits < best_distance && edits < std::max(word.size(), name.size())) {
      best = name;
      best_distance = edits;
    }
  }
  return best;
}

}  // namespace millrace::connect
