// ListTransactions (66).
#include <re2/re2.h>

#include <algorithm>

#include "broker/handlers/transaction_handlers.h"
#include "protocol/messages/list_transactions.h"

namespace millrace {
namespace {

using Response = ListTransactionsResponse;

template <class Items, class Item>
bool passes(const Items& filter, const Item& item) {
  return filter.empty() || std::find(filter.begin(), filter.end(), item) != filter.end();
}

void handle(BrokerServices& services, const ListTransactionsRequest& request, std::unique_ptr<Exchange> exchange) {
  Response response;
  for (const std::string_view name : request.state_filters) {
    if (!transaction_status_of(name)) response.unknown_state_filters.push_back(name);
  }
  // Clients may ask for "all that match nothing in particular" with an empty pattern.
  const std::string_view text = request.transactional_id_pattern.value_or("");
  const re2::RE2 pattern(re2::StringPiece(text.data(), text.size()), re2::RE2::Quiet);
  if (!pattern.ok()) {
    response.error_code = code_of(KafkaError::kInvalidRegularExpression);
    return exchange->reply(response);
  }
  const int64_t now_ms = services.clock.wall_ms();
  for (TransactionSnapshot& each : services.transactions.list()) {
    const TransactionState& state = each.state;
    const bool wanted = passes(request.producer_id_filters, state.producer.id) &&
                        passes(request.state_filters, transaction_status_name(state.status)) &&
                        (request.duration_filter < 0 || now_ms - state.start_ms > request.duration_filter) &&
                        (text.empty() || re2::RE2::FullMatch(each.transactional_id, pattern));
    if (!wanted || !may_on_transactional_id(services, *exchange, AclOperation::kDescribe, each.transactional_id))
      continue;
    response.transaction_states.push_back(
        {exchange->keep(std::move(each.transactional_id)), state.producer.id, transaction_status_name(state.status)});
  }
  exchange->reply(response);
}

}  // namespace

Api list_transactions_api() { return make_api<ListTransactionsRequest, handle>(); }

}  // namespace millrace
