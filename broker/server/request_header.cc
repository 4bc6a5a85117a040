#include "broker/server/request_header.h"

namespace millrace {

std::optional<std::pair<int16_t, int16_t>> peek_api(BytesView frame) {
  if (frame.size() < 4) return std::nullopt;
  return std::pair(load_be<int16_t>(frame.data()), load_be<int16_t>(frame.data() + 2));
}

std::optional<RequestHeader> parse_request_header(BytesView frame, bool flexible, BytesView& body) {
  WireReader reader(frame);
  RequestHeader header;
  header.api_key = reader.number<int16_t>();
  header.api_version = reader.number<int16_t>();
  header.correlation_id = reader.number<int32_t>();
  // Not compact even in v2, so that a broker can read it before it knows the version.
  header.client_id = reader.nullable_string(false).value_or(std::string_view());
  if (flexible) reader.tagged_fields([](uint32_t) { return false; });
  if (reader.bad()) return std::nullopt;
  body = reader.rest();
  return header;
}

}  // namespace millrace
