/// One request on its way through a handler.
#pragma once

#include <string>
#include <vector>

#include "rest/rest_api.h"

namespace millrace {

struct Call {
  HerderGate& gate;
  Herder* attached;  ///< null for routes that do not need one
  const RestRequest& request;
  const Target& target;
  std::vector<std::string> args;  ///< the path's variable segments
  const RestApi::Options& options;

  Herder& herder() const { return *attached; }
  const std::string& name() const { return args[0]; }
};

// root_handlers.cc
RestResponse get_root(const Call& call);
RestResponse get_health(const Call& call);
/// What /health says when its time is over.
RestResponse unhealthy_response(std::string_view summary);
RestResponse get_openapi(const Call& call);

// connector_handlers.cc
RestResponse list_connectors(const Call& call);
RestResponse create_connector(const Call& call);
RestResponse get_connector(const Call& call);
RestResponse delete_connector(const Call& call);
RestResponse get_config(const Call& call);
RestResponse put_config(const Call& call);
RestResponse patch_config(const Call& call);
RestResponse get_status(const Call& call);
RestResponse restart_connector(const Call& call);
RestResponse pause_connector(const Call& call);
RestResponse resume_connector(const Call& call);
RestResponse stop_connector(const Call& call);
RestResponse post_signal(const Call& call);
RestResponse get_topics(const Call& call);
RestResponse reset_topics(const Call& call);
RestResponse get_offsets(const Call& call);
RestResponse alter_offsets(const Call& call);
RestResponse reset_offsets(const Call& call);

// task_handlers.cc
RestResponse get_tasks(const Call& call);
RestResponse get_task_configs(const Call& call);
RestResponse get_task_status(const Call& call);
RestResponse restart_task(const Call& call);
RestResponse put_task_configs(const Call& call);
RestResponse fence_connector(const Call& call);

// plugin_handlers.cc
RestResponse list_plugins(const Call& call);
RestResponse get_plugin_config(const Call& call);
RestResponse validate_config(const Call& call);
RestResponse preview_connector(const Call& call);

// logger_handlers.cc
RestResponse list_loggers(const Call& call);
RestResponse get_logger(const Call& call);
RestResponse set_logger(const Call& call);

}  // namespace millrace
