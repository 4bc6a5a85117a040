#include "core/prometheus.h"

#include <fmt/format.h>

#include <cmath>

namespace millrace {
namespace {

/// Backslash and line end are escaped everywhere, quotes only in label values.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (quotes && c == '"')) out += '\\';
    out += c;
  }
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

void PrometheusText::add(std::string_view name, Kind kind, std::string_view help, const MetricLabels& labels,
                         double value) {
  auto at = metrics_.find(name);
  if (at == metrics_.end()) at = metrics_.emplace(name, Metric{kind, std::string(help), {}}).first;
  std::string& line = at->second.samples;
  line += name;
  char separator = '{';
  for (const auto& [label, text] : labels) {
    line += separator;
    line += label;
    line += "=\"";
    append_escaped(line, text, true);
    line += '"';
    separator = ',';
  }
  if (!labels.empty()) line += '}';
  line += ' ';
  line += number(value);
  line += '\n';
}

std::string PrometheusText::text() const {
  std::string out;
  for (const auto& [name, metric] : metrics_) {
    out += fmt::format("# HELP {} ", name);
    append_escaped(out, metric.help, false);
    out += fmt::format("\n# TYPE {} {}\n", name, metric.kind == Kind::kCounter ? "counter" : "gauge");
    out += metric.samples;
  }
  return out;
}

std::string prometheus_name(std::string_view group, std::string_view attribute) {
  std::string name = fmt::format("kafka_connect_{}_{}", group, attribute);
  for (char& c : name) {
    if (c == '-' || c == '.') c = '_';
  }
  return name;
}

}  // namespace millrace
