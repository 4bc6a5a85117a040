#include "rest/rest_api.h"

#include <fmt/format.h>

#include <algorithm>

#include "rest/basic_auth.h"
#include "rest/call.h"
#include "rest/routes.h"

namespace millrace {
namespace {

RestResponse options_response(const std::vector<std::string_view>& methods) {
  std::vector<std::string_view> allowed;
  if (std::ranges::find(methods, "GET") != methods.end()) allowed.push_back("HEAD");
  allowed.insert(allowed.end(), methods.begin(), methods.end());
  allowed.push_back("OPTIONS");
  return {.status = 200,
          .content_type = "text/plain",
          .body = fmt::format("{}", fmt::join(allowed, ", ")),
          .allow = fmt::format("{}", fmt::join(allowed, ","))};
}

/// What an endpoint demands of the request's media types; 0 = fine.
int refused_media_type(const RestRequest& request, const Route& route) {
  if (!route.any_body && request.content_type && !is_json_type(*request.content_type)) return 415;
  if (request.accept && !accepts_json(*request.accept)) return 406;
  return 0;
}

RestResponse malformed_target() {
  return {.status = 400,
          .content_type = "text/html;charset=iso-8859-1",
          .body = "<h1>Bad Message 400</h1><pre>reason: Bad Request</pre>"};
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

/// Workers prove who they are by their signatures.
bool is_internal(const Route* route) { return route != nullptr && route->tag == "internal"; }

bool is_health(const RestRequest& request) {
  const std::string_view path = path_of(request.target);
  return path == "/health" || path == "/health/";
}

}  // namespace

RestApi::RestApi(HerderGate& gate, Options options) : gate_(gate), options_(std::move(options)) {}

RestResponse RestApi::handle(const RestRequest& request) {
  const auto target = parse_target(request.target);
  if (!target) return malformed_target();
  const auto page = options_.pages.find(std::string(path_of(request.target)));
  if (page != options_.pages.end() && (request.method == "GET" || request.method == "HEAD")) {
    if (options_.permits && !options_.permits(request)) return unauthorized();
    return {.status = 200, .content_type = page->second.content_type, .body = page->second.render()};
  }
  return call(request, *target);
}

RestResponse RestApi::call(const RestRequest& request, const Target& target) {
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : std::string_view(request.method);
  Found found = find_route(options_.part, method, target.segments);
  if (found.methods.empty()) return routing_error(404);
  if (found.route == nullptr && method != "OPTIONS") return routing_error(405);
  if (method != "OPTIONS") {
    if (const int status = refused_media_type(request, *found.route)) return routing_error(status);
  }
  if (options_.permits && !is_internal(found.route) && !options_.permits(request)) return unauthorized();
  if (method == "OPTIONS") return options_response(found.methods);
  if (!found.route->body.empty() && !request.body.empty() && !request.content_type)
    return error_response(415, "HTTP 415 Unsupported Media Type");

  const auto begin = std::chrono::steady_clock::now();
  Call call{gate_, nullptr, request, target, std::move(found.args), options_};
  if (found.route->needs_herder) {
    const auto herder = gate_.wait(options_.start_wait);
    if (!herder) return error_response(herder.error());
    call.attached = *herder;
  }
  while (true) {
    RestResponse response = found.route->handler(call);
    const bool in_time = std::chrono::steady_clock::now() - begin + response.retry_after < options_.regroup_wait;
    if (response.retry_after.count() == 0 || !in_time || !gate_.pause(response.retry_after)) return response;
  }
}

std::chrono::milliseconds RestApi::time_limit(const RestRequest& request) const {
  return is_health(request) ? options_.health_time_limit : options_.time_limit;
}

RestResponse RestApi::timed_out(const RestRequest& request) const {
  const std::string stage = options_.stage ? options_.stage() : std::string();
  if (is_health(request)) return unhealthy_response(stage);
  return error_response(500, stage.empty() ? "Request timed out" : "Request timed out. " + stage);
}

}  // namespace millrace
