#include "core/prometheus.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <iterator>

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

void append_number(std::string& out, double value) {
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else if (std::abs(value) < kExactIntegers && value == std::trunc(value)) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<int64_t>(value));
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

}  // namespace

void PrometheusText::Metric::add(std::string_view labels, double value) {
  samples_ += name_;
  samples_ += labels;
  samples_ += ' ';
  append_number(samples_, value);
  samples_ += '\n';
}

PrometheusText::Metric& PrometheusText::metric(std::string_view name, Kind kind, std::string_view help) {
  if (const auto at = metrics_.find(name); at != metrics_.end()) return at->second;
  return metrics_.try_emplace(std::string(name), std::string(name), kind, std::string(help)).first->second;
}

void PrometheusText::add(std::string_view name, Kind kind, std::string_view help, const MetricLabels& labels,
                         double value) {
  metric(name, kind, help).add(labels_text(labels), value);
}

std::string PrometheusText::labels_text(const MetricLabels& labels) {
  if (labels.empty()) return {};
  std::string out;
  char separator = '{';
  for (const auto& [label, text] : labels) {
    out += separator;
    out += label;
    out += "=\"";
    append_escaped(out, text, true);
    out += '"';
    separator = ',';
  }
  out += '}';
  return out;
}

std::string PrometheusText::text() const {
  std::string out;
  size_t bytes = 0;
  for (const auto& [name, metric] : metrics_) bytes += metric.samples_.size() + 2 * name.size() + 200;
  out.reserve(bytes);
  for (const auto& [name, metric] : metrics_) {
    if (metric.samples_.empty()) continue;
    out += fmt::format("# HELP {} ", name);
    append_escaped(out, metric.help_, false);
    out += fmt::format("\n# TYPE {} {}\n", name, metric.kind_ == Kind::kCounter ? "counter" : "gauge");
    out += metric.samples_;
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
