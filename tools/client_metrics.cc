#include "tools/client_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace millrace {
namespace {

using Json = nlohmann::json;

void flatten(const Json& json, const std::string& name, std::map<std::string, double>& to) {
  if (json.is_number()) to[name] = json.get<double>();
  if (!json.is_object()) return;
  for (const auto& [key, value] : json.items()) flatten(value, name + "." + key, to);
}

double number(const Json& json, const char* field) { return json.contains(field) ? json[field].get<double>() : 0.0; }

/// The largest of a window statistic (`rtt`, `batchsize`) over brokers or topics.
double window(const Json& groups, const char* field, const char* part) {
  double largest = 0;
  for (const auto& [name, group] : groups.items()) {
    if (group.contains(field)) largest = std::max(largest, number(group[field], part));
  }
  return largest;
}

}  // namespace

void enable_statistics(ClientProperties& properties) { properties.try_emplace("statistics.interval.ms", "500"); }

std::string metrics_text(std::string_view statistics, std::string_view client_id, ClientKind kind) {
  const Json json = Json::parse(statistics, nullptr, false);
  if (!json.is_object()) return {};
  std::map<std::string, double> metrics;
  const std::string tags = fmt::format("{{client-id={}}}", client_id);
  const auto put = [&](const char* group, const char* name, double value) {
    metrics[fmt::format("{}:{}:{}", group, name, tags)] = value;
  };
  const Json& brokers = json["brokers"];
  const Json& topics = json["topics"];
  if (kind == ClientKind::kProducer) {
    put("producer-metrics", "record-send-total", number(json, "txmsgs"));
    put("producer-metrics", "outgoing-byte-total", number(json, "tx_bytes"));
    put("producer-metrics", "incoming-byte-total", number(json, "rx_bytes"));
    put("producer-metrics", "request-total", number(json, "tx"));
    put("producer-metrics", "batch-size-avg", window(topics, "batchsize", "avg"));
    put("producer-metrics", "batch-size-max", window(topics, "batchsize", "max"));
    put("producer-metrics", "records-per-request-avg", window(topics, "batchcnt", "avg"));
    put("producer-metrics", "request-latency-avg", window(brokers, "rtt", "avg") / 1000);
    put("producer-metrics", "request-latency-max", window(brokers, "rtt", "max") / 1000);
  } else {
    put("consumer-fetch-manager-metrics", "records-consumed-total", number(json, "rxmsgs"));
    put("consumer-fetch-manager-metrics", "bytes-consumed-total", number(json, "rxmsg_bytes"));
    put("consumer-fetch-manager-metrics", "fetch-latency-avg", window(brokers, "rtt", "avg") / 1000);
    put("consumer-fetch-manager-metrics", "fetch-latency-max", window(brokers, "rtt", "max") / 1000);
  }
  flatten(json, "librdkafka", metrics);

  size_t widest = 0;
  for (const auto& [name, value] : metrics) widest = std::max(widest, name.size());
  std::string text = fmt::format("\n{:<{}}   Value\n", "Metric Name", widest);
  for (const auto& [name, value] : metrics) text += fmt::format("{:<{}} : {:.3f}\n", name, widest, value);
  return text;
}

}  // namespace millrace
