/// The endpoints, in one table: the router, OPTIONS and the OpenAPI description are made from it. A new endpoint is a
/// handler in call.h and a row in routes.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rest/rest_api.h"

namespace millrace {

struct Call;

struct QueryParameter {
  std::string_view name;
  std::string_view summary;
  std::vector<std::string_view> values;  ///< what it can be; true and false for a flag
  bool repeated = false;
};

struct Answer {
  int status = 200;
  std::string_view schema;  ///< in the description's components; empty: no body
  std::string_view summary;
};

struct Route {
  std::string_view method = {};
  std::string_view path = {};  ///< without the leading slash; `{name}` stands for one segment
  RestResponse (*handler)(const Call&) = nullptr;
  std::string_view tag = {};
  std::string_view operation = {};  ///< its name in the description, for generated clients
  std::string_view summary = {};
  std::string_view body = {};  ///< schema of the JSON body; empty: none is read
  std::vector<QueryParameter> query = {};
  std::vector<Answer> answers = {};  ///< those of its own; any endpoint has a few others, see openapi.cc
  bool needs_herder = true;
  bool any_body = false;  ///< whatever media type a body has that is not read
};

/// In the order of the description. Threads: any (immutable).
const std::vector<Route>& routes();

bool is_admin(const Route& route);

/// What is at a path: its methods, and the route of the method asked for.
struct Found {
  std::vector<std::string_view> methods;
  const Route* route = nullptr;
  std::vector<std::string> args;
};
Found find_route(RestApi::Part part, std::string_view method, std::span<const std::string> segments);

}  // namespace millrace
