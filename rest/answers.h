/// What handlers answer with.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"
#include "rest/json_body.h"
#include "rest/message.h"

namespace millrace {

RestResponse json_response(const Json& body, int status = 200);
/// `body` is JSON already.
RestResponse json_text_response(std::string body, int status = 200);
RestResponse empty_response(int status);

/// {"error_code","message"} with Content-Type.
RestResponse error_response(int status, std::string_view message);
/// The status follows from the code. A conflict that passes (the workers regroup) says when to try again.
RestResponse error_response(const Error& error);
/// An answer of the routing itself, `HTTP 404 Not Found`, which Kafka Connect sends without Content-Type.
RestResponse routing_error(int status);

template <class T, class F>
RestResponse answer(const Expected<T>& result, F&& view) {
  return result ? json_response(view(*result)) : error_response(result.error());
}
template <class T, class F>
RestResponse answer_text(const Expected<T>& result, F&& view, int status = 200) {
  return result ? json_text_response(view(*result), status) : error_response(result.error());
}
inline RestResponse answer(const Status& result, int status) {
  return result ? empty_response(status) : error_response(result.error());
}

}  // namespace millrace
