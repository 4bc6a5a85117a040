#include <fmt/format.h>

#include "rest/call.h"
#include "rest/json_views.h"
#include "rest/openapi.h"

namespace millrace {
namespace {

constexpr std::string_view kStarting = "Worker is still starting up.";

RestResponse health_response(int status, std::string_view word, std::string_view text, std::string_view summary) {
  return json_response(
      {{"status", word}, {"message", summary.empty() ? std::string(text) : fmt::format("{} {}", text, summary)}},
      status);
}

}  // namespace

RestResponse get_root(const Call& call) { return json_response(to_json(call.herder().worker_info())); }

RestResponse get_health(const Call& call) {
  Herder* herder = call.gate.now();
  if (herder == nullptr) return health_response(503, "starting", kStarting, {});
  const Status status = herder->health();
  if (status)
    return health_response(200, "healthy", "Worker has completed startup and is ready to handle requests.", {});
  const std::string& why = status.error().message;
  if (status.error().code == ErrorCode::kUnavailable) return health_response(503, "starting", kStarting, why);
  return unhealthy_response(why);
}

RestResponse unhealthy_response(std::string_view summary) {
  return health_response(500, "unhealthy",
                         "Worker was unable to handle this request and may be unable to handle other requests.",
                         summary);
}

RestResponse get_openapi(const Call&) { return json_text_response(openapi_text()); }

}  // namespace millrace
