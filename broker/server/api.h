/// What the dispatcher knows of an API: its versions and its handler. Each handler file defines one Api; the areas
/// (data, groups, transactions, admin, security) list theirs, and handlers/api_table.cc joins the lists.
#pragma once

#include <memory>
#include <span>

#include "broker/server/exchange.h"
#include "broker/server/services.h"

namespace millrace {

struct Api {
  int16_t key;
  int16_t version_min;
  int16_t version_max;
  int16_t flexible_from;
  void (*handle)(BrokerServices& services, std::unique_ptr<Exchange> exchange);
  /// Requests of this API may be handled while earlier ones of the same kind on the connection wait for their answers.
  bool pipelined = false;
  /// Served before the client has authenticated (ApiVersions, SaslHandshake, SaslAuthenticate).
  bool before_authentication = false;
};

/// Makes an Api of a generated request struct and `void Handle(BrokerServices&, const Request&,
/// std::unique_ptr<Exchange>)`. The request's views point into the exchange's frame: they die with the exchange. A body
/// that cannot be read closes the connection, as Kafka's broker does; bytes after it are ignored.
template <class Request, void (*Handle)(BrokerServices&, const Request&, std::unique_ptr<Exchange>)>
constexpr Api make_api(int16_t version_min = Request::kVersionMin, int16_t version_max = Request::kVersionMax) {
  return Api{Request::kApiKey, version_min, version_max, Request::kFlexibleFrom,
             [](BrokerServices& services, std::unique_ptr<Exchange> exchange) {
               WireReader reader(exchange->body());
               Request request;
               request.decode(reader, exchange->version());
               if (reader.bad()) return exchange->close_connection();
               Handle(services, request, std::move(exchange));
             }};
}

/// All APIs that this broker serves, by key.
class ApiTable {
 public:
  ApiTable() = default;
  void add(std::span<const Api> apis) { apis_.insert(apis_.end(), apis.begin(), apis.end()); }
  const Api* find(int16_t key) const {
    for (const Api& api : apis_) {
      if (api.key == key) return &api;
    }
    return nullptr;
  }
  std::span<const Api> all() const { return apis_; }

 private:
  std::vector<Api> apis_;
};

}  // namespace millrace
