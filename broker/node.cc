#include "broker/node.h"

#include "broker/handlers/apis.h"
#include "broker/handlers/fetch_session.h"
#include "broker/transaction/transaction_environment.h"

namespace millrace {
namespace {

/// What topics without own configs get: `base` with the settings and the dynamic configs applied.
Expected<LogConfig> log_defaults(const BrokerConfigs& configs, LogConfig base) {
  auto defaults = topic_defaults(configs.effective());
  if (!defaults) return fail(std::move(defaults.error()));
  return apply_topic_configs(base, *defaults);
}

}  // namespace

Expected<std::unique_ptr<Node>> Node::open(FileSystem& fs, Clock& clock, Logger logger, NodeOptions options) {
  std::unique_ptr<Node> node(new Node(clock));
  if (auto opened = node->open_parts(fs, clock, logger, options); !opened) return fail(std::move(opened.error()));
  node->apis_ = all_apis();
  node->fetch_sessions_ = std::make_unique<FetchSessionCache>(clock, options.fetch_sessions_max);
  node->services_.reset(new BrokerServices{*node->broker_, *node->groups_, *node->transactions_, *node->security_,
                                           node->executor_, clock, logger});
  BrokerServices& services = *node->services_;
  services.node_id = options.node_id;
  services.configs = node->configs_.get();
  services.advertised = std::move(options.advertised);
  services.apis = &node->apis_;
  services.fetch_sessions = node->fetch_sessions_.get();
  services.fetch_bytes_max = options.fetch_bytes_max;
  return node;
}

Status Node::open_parts(FileSystem& fs, Clock& clock, const Logger& logger, const NodeOptions& options) {
  auto configs = BrokerConfigs::open(fs, options.broker.directory, options.node_id, options.settings);
  if (!configs) return fail(std::move(configs.error()));
  configs_ = std::move(*configs);
  BrokerOptions broker_options = options.broker;
  auto defaults = log_defaults(*configs_, options.broker.log_defaults);
  if (!defaults) return fail(std::move(defaults.error()));
  broker_options.log_defaults = *defaults;
  auto broker = Broker::open(fs, clock, logger, std::move(broker_options));
  if (!broker) return fail(std::move(broker.error()));
  broker_ = std::move(*broker);
  configs_->on_change([this, base = options.broker.log_defaults] {
    // What check() let through is valid together with the settings, of which each was.
    if (const auto changed = log_defaults(*configs_, base)) broker_->set_log_defaults(*changed);
  });
  auto security = Security::open(fs, logger, options.broker.directory, options.security);
  if (!security) return fail(std::move(security.error()));
  security_ = std::move(*security);
  auto groups = GroupCoordinator::open(*broker_, clock, logger, options.groups);
  if (!groups) return fail(std::move(groups.error()));
  groups_ = std::move(*groups);
  auto transactions = TransactionCoordinator::open(
      transaction_environment(fs, clock, executor_, *broker_,
                              [this](int64_t producer_id, int32_t offsets_partition, bool commit) {
                                groups_->complete_transaction(producer_id, offsets_partition, commit);
                              }),
      transaction_options(*broker_, options.transactions));
  if (!transactions) return fail(std::move(transactions.error()));
  transactions_ = std::move(*transactions);
  return {};
}

Node::Node(Clock& clock) : executor_(clock) {}

Node::~Node() { [[maybe_unused]] const Status closed = close(); }

Status Node::close() {
  if (std::exchange(closed_, true)) return {};
  // The coordinators end while the log and the executor still work for them.
  if (transactions_ != nullptr) transactions_->stop();
  if (groups_ != nullptr) groups_->close();
  executor_.stop();
  return broker_ == nullptr ? Status{} : broker_->close();
}

}  // namespace millrace
