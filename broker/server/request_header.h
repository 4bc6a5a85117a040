/// Request headers v1 and v2 of Kafka's wire protocol.
#pragma once

#include <optional>

#include "broker/server/exchange.h"

namespace millrace {

/// The first two fields, which decide about the rest; nothing when the frame is too short.
std::optional<std::pair<int16_t, int16_t>> peek_api(BytesView frame);

/// Reads the header of `frame`; `flexible` says that it is v2 (ends with tagged fields). `body` is what lies behind.
/// Nothing when the header is broken.
std::optional<RequestHeader> parse_request_header(BytesView frame, bool flexible, BytesView& body);

}  // namespace millrace
