#include "protocol/message_json.h"

#include <openssl/evp.h>

#include <nlohmann/json.hpp>

namespace millrace {
namespace {

const nlohmann::json& json_of(const void* node) { return *static_cast<const nlohmann::json*>(node); }

}  // namespace

void JsonText::separate() {
  if (!first_) out_.push_back(',');
  first_ = false;
}

void JsonText::raw(std::string_view text) {
  separate();
  out_.append(text);
}

void JsonText::open(char bracket) {
  separate();
  out_.push_back(bracket);
  first_ = true;
}

void JsonText::close(char bracket) {
  out_.push_back(bracket);
  first_ = false;
}

void JsonText::key(std::string_view name) {
  text(name);
  out_.push_back(':');
  first_ = true;
}

void JsonText::real(double value) { raw(nlohmann::json(value).dump()); }

void JsonText::text(std::string_view value) {
  raw(nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void JsonText::base64(BytesView value) {
  std::string encoded(4 * ((value.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                      reinterpret_cast<const unsigned char*>(value.data()), static_cast<int>(value.size()));
  encoded.resize(static_cast<size_t>(length));
  raw('"' + encoded + '"');
}

std::optional<JsonNode> JsonNode::find(const char* key) const {
  const auto& object = json_of(node_);
  const auto found = object.find(key);
  if (found == object.end()) return std::nullopt;
  return JsonNode(&*found);
}

bool JsonNode::is_null() const { return json_of(node_).is_null(); }
int64_t JsonNode::integer() const { return json_of(node_).get<int64_t>(); }
double JsonNode::real() const { return json_of(node_).get<double>(); }
bool JsonNode::boolean() const { return json_of(node_).get<bool>(); }
std::string_view JsonNode::text() const { return json_of(node_).get_ref<const std::string&>(); }
size_t JsonNode::size() const { return json_of(node_).size(); }
JsonNode JsonNode::at(size_t index) const { return JsonNode(&json_of(node_).at(index)); }

std::string JsonNode::base64() const {
  const std::string_view encoded = text();
  std::string bytes(encoded.size(), '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(encoded.data()), static_cast<int>(encoded.size()));
  size_t size = length < 0 ? 0 : static_cast<size_t>(length);
  // EVP_DecodeBlock counts the padding's zero bytes as content.
  for (size_t i = encoded.size(); i > 0 && size > 0 && encoded[i - 1] == '='; --i) --size;
  bytes.resize(size);
  return bytes;
}

Status with_json(std::string_view json, const std::function<void(const JsonNode&)>& use) {
  try {
    const auto document = nlohmann::json::parse(json);
    use(JsonNode(&document));
  } catch (const nlohmann::json::exception& problem) {
    return fail(ErrorCode::kBadRecord, problem.what());
  }
  return {};
}

}  // namespace millrace
