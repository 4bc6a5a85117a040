#include "broker/node.h"

#include "broker/handlers/apis.h"
#include "broker/handlers/fetch_session.h"

namespace millrace {

Expected<std::unique_ptr<Node>> Node::open(FileSystem& fs, Clock& clock, Logger logger, NodeOptions options) {
  std::unique_ptr<Node> node(new Node(clock));
  const Path directory = options.broker.directory;
  auto broker = Broker::open(fs, clock, logger, std::move(options.broker));
  if (!broker) return fail(std::move(broker.error()));
  node->broker_ = std::move(*broker);
  node->fetch_sessions_ = std::make_unique<FetchSessionCache>(clock, options.fetch_sessions_max);
  node->apis_ = all_apis();
  node->services_.reset(new BrokerServices{*node->broker_, *node->groups_, *node->transactions_, *node->security_,
                                           node->executor_, clock, logger});
  BrokerServices& services = *node->services_;
  services.node_id = options.node_id;
  services.advertised = std::move(options.advertised);
  services.apis = &node->apis_;
  services.fetch_sessions = node->fetch_sessions_.get();
  services.fetch_bytes_max = options.fetch_bytes_max;
  return node;
}

Node::~Node() {
  [[maybe_unused]] const Status closed = close();
}

Status Node::close() {
  executor_.stop();
  return broker_ == nullptr ? Status{} : broker_->close();
}

}  // namespace millrace
