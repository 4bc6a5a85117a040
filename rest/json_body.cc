#include "rest/json_body.h"

#include <fmt/format.h>

#include <random>

#include "rest/message.h"

namespace millrace {
namespace {

// Deep nesting would make later recursion (dump) run out of stack; nothing in the API nests more than a few levels.
constexpr size_t kMaxDepth = 500;

/// Builds a Json like the library's own parser does, but sees how numbers were spelled.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(Json& root, Scalars scalars) : root_(root), text_(scalars == Scalars::kAsText) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return text_ ? put(value ? "true" : "false") : put(value); }
  // Whole numbers without a sign come as unsigned ones, so a signed zero was spelled -0.
  bool number_integer(number_integer_t value) override {
    return text_ ? put(value == 0 ? "-0" : std::to_string(value)) : put(value);
  }
  bool number_unsigned(number_unsigned_t value) override { return text_ ? put(std::to_string(value)) : put(value); }
  bool number_float(number_float_t value, const string_t& spelled) override {
    return text_ ? put(spelled) : put(value);
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    const std::string_view what = error.what();
    const size_t bracket = what.find("] ");  // before it stands the library's error number
    why_ = what.substr(bracket == what.npos ? 0 : bracket + 2);
    return false;
  }

  const std::string& why() const { return why_; }

 private:
  Json* place(Json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    Json& parent = *open_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(value));
    return &(parent[key_] = std::move(value));  // of members with one name the last counts
  }
  bool put(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json value) {
    if (open_.size() == kMaxDepth) {
      why_ = fmt::format("it is nested deeper than {} levels", kMaxDepth);
      return false;
    }
    open_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json& root_;
  const bool text_;
  std::vector<Json*> open_;  // a parent is not changed while its child is open, so the pointers stay valid
  std::string key_;
  std::string why_;
};

auto unfitting(std::string message) { return fail(ErrorCode::kInternal, std::move(message)); }

std::string_view kind_of(const Json& value) { return value.type_name(); }

Expected<RawConfig> to_config(const Json& body) {
  if (!body.is_object()) {
    return unfitting(
        fmt::format("The configuration must be a JSON object of names and values, but it is {}; send "
                    "{{\"connector.class\":\"…\",…}}",
                    body.is_null() ? "missing" : kind_of(body)));
  }
  RawConfig config;
  for (const auto& [key, value] : body.items()) {
    if (value.is_null()) {
      config[key] = std::nullopt;
    } else if (value.is_string()) {
      config[key] = value.get<std::string>();
    } else {
      return unfitting(fmt::format("The value of '{}' must be a string, a number or a boolean, but it is an {}", key,
                                   kind_of(value)));
    }
  }
  return config;
}

Status only_members(const Json& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    return unfitting(fmt::format("Unrecognized field \"{}\", not marked as ignorable; known fields are: {}", key,
                                 fmt::join(known, ", ")));
  }
  return {};
}

const Json* member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string trimmed(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

Expected<TargetState> to_initial_state(const Json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (equals_ignoring_case(text, "RUNNING")) return TargetState::kStarted;
    if (equals_ignoring_case(text, "PAUSED")) return TargetState::kPaused;
    if (equals_ignoring_case(text, "STOPPED")) return TargetState::kStopped;
  }
  return unfitting(fmt::format("initial_state {} is unknown; it can be RUNNING, PAUSED or STOPPED",
                               value.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

/// The text of an object, empty for null.
Expected<std::string> to_object_text(const Json& entry, const char* name) {
  const Json* value = member(entry, name);
  if (value == nullptr) return std::string();
  if (!value->is_object()) {
    return unfitting(
        fmt::format("'{}' of an offset must be a JSON object or null, but it is {}", name, kind_of(*value)));
  }
  return value->dump();
}

}  // namespace

Expected<Json> parse_json(std::string_view text, Scalars scalars) {
  Json root;
  if (text.empty()) return root;
  Builder builder(root, scalars);
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
    return unfitting(fmt::format("The request body is not valid JSON: {}", builder.why()));
  }
  return root;
}

Expected<RawConfig> parse_config_body(std::string_view text) {
  auto body = parse_json(text, Scalars::kAsText);
  if (!body) return fail(std::move(body.error()));
  return to_config(*body);
}

Expected<CreateRequest> parse_create_body(std::string_view text) {
  auto body = parse_json(text, Scalars::kAsText);
  if (!body) return fail(std::move(body.error()));
  if (!body->is_object()) {
    return unfitting(fmt::format("The body must be a JSON object {{\"name\":\"…\",\"config\":{{…}}}}, but it is {}",
                                 body->is_null() ? "missing" : kind_of(*body)));
  }
  if (Status known = only_members(*body, {"config", "name", "initial_state"}); !known)
    return fail(std::move(known.error()));
  CreateRequest request;
  if (const Json* name = member(*body, "name")) {
    if (!name->is_string()) return unfitting(fmt::format("'name' must be a string, but it is an {}", kind_of(*name)));
    request.name = trimmed(name->get_ref<const std::string&>());
  }
  const auto config_member = body->find("config");
  auto config = to_config(config_member == body->end() ? Json() : *config_member);
  if (!config) return fail(std::move(config.error()));
  request.config = std::move(*config);
  if (const Json* state = member(*body, "initial_state")) {
    auto initial = to_initial_state(*state);
    if (!initial) return fail(std::move(initial.error()));
    request.initial = *initial;
  }
  return request;
}

Expected<std::vector<ConfigMap>> parse_task_configs_body(std::string_view text) {
  auto body = parse_json(text, Scalars::kAsText);
  if (!body) return fail(std::move(body.error()));
  if (!body->is_array()) return unfitting("The body must be a JSON array of task configurations");
  std::vector<ConfigMap> tasks;
  for (const Json& each : *body) {
    auto config = to_config(each);
    if (!config) return fail(std::move(config.error()));
    ConfigMap& task = tasks.emplace_back();
    for (auto& [key, value] : *config) {
      if (value) task[key] = std::move(*value);
    }
  }
  return tasks;
}

Expected<std::vector<ConnectorOffset>> parse_offsets_body(std::string_view text) {
  auto body = parse_json(text, Scalars::kTyped);
  if (!body) return fail(std::move(body.error()));
  if (!body->is_object())
    return unfitting(R"(The body must be a JSON object {"offsets":[{"partition":{…},"offset":{…}}]})");
  if (Status known = only_members(*body, {"offsets"}); !known) return fail(std::move(known.error()));
  const Json* list = member(*body, "offsets");
  if (list != nullptr && !list->is_array()) return unfitting("'offsets' must be a JSON array");
  if (list == nullptr || list->empty()) {
    return fail(ErrorCode::kInvalidConfig, "Partitions / offsets need to be provided for an alter offsets request");
  }
  std::vector<ConnectorOffset> offsets;
  for (const Json& entry : *list) {
    if (!entry.is_object())
      return unfitting("An element of 'offsets' must be a JSON object with 'partition' and 'offset'");
    if (Status known = only_members(entry, {"partition", "offset"}); !known) return fail(std::move(known.error()));
    auto partition = to_object_text(entry, "partition");
    if (!partition) return fail(std::move(partition.error()));
    auto offset = to_object_text(entry, "offset");
    if (!offset) return fail(std::move(offset.error()));
    offsets.push_back({std::move(*partition), std::move(*offset)});
  }
  return offsets;
}

Expected<std::string> parse_signal_body(std::string_view text) {
  auto body = parse_json(text, Scalars::kTyped);
  if (!body) return fail(std::move(body.error()));
  if (!body->is_object()) return unfitting(R"(The body must be a JSON object {"type":"execute-snapshot","data":{…}})");
  if (Status known = only_members(*body, {"id", "type", "data"}); !known) return fail(std::move(known.error()));
  const Json* type = member(*body, "type");
  if (type == nullptr || !type->is_string() || type->get_ref<const std::string&>().empty())
    return unfitting("'type' must say what the signal asks for, such as execute-snapshot or pause-snapshot");
  const Json* data = member(*body, "data");
  if (data != nullptr && !data->is_object() && !data->is_string() && !data->is_null())
    return unfitting("'data' must be a JSON object, or a text that holds one");
  const Json* id = member(*body, "id");
  if (id != nullptr && !id->is_string()) return unfitting("'id' must be a text");
  if (id == nullptr) {
    std::random_device random;
    (*body)["id"] = fmt::format("{:08x}{:08x}", random(), random());
  }
  return body->dump();
}

}  // namespace millrace
