/// Text for people: tables, colours of states, and the nearest of some names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::connect {

/// Columns as wide as their widest cell (in characters, not bytes), two blanks between, none at the end of a line.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  /// `notes` are lines of their own below the row, indented.
  void add(std::vector<std::string> cells, std::vector<std::string> notes = {});
  bool empty() const { return rows_.empty(); }
  /// `colour` paints cells that are the name of a state.
  std::string text(bool colour = false) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::vector<std::string> notes;
  };
  std::vector<std::string> header_;
  std::vector<Row> rows_;
};

/// `state` in its colour: green RUNNING, yellow PAUSED and what is on its way, red FAILED. Other texts are left alone.
std::string painted(const std::string& state, bool colour);

/// The first line, at most `characters` long.
std::string first_line(std::string_view text, size_t characters = 160);

/// The one of `names` that differs least from `word`, if it is near enough to be meant; else empty.
std::string nearest(std::string_view word, const std::vector<std::string>& names);

}  // namespace millrace::connect
