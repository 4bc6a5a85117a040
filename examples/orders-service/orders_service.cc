// A small service in front of millrace: POST /orders writes each order to the topic `orders` as a Kafka Connect JSON
// record with its schema, and saves nothing itself; a JDBC sink connector fills the table `orders`, which GET reads.
//
//   orders-service --bootstrap localhost:9092 --db-host 127.0.0.1 --db-port 3306 --db-user root --db-password secret
//                  --db-name mydb [--port 8080]
//
//   curl localhost:8080/orders -H 'Content-Type: application/json'
//     -d '{"user_id":"u1","product_id":"CATALOG-001","qty":3,"unit_price":900}'
//   curl localhost:8080/orders
#include <httplib.h>
#include <librdkafka/rdkafkacpp.h>
#include <mysql.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>

using nlohmann::json;

namespace {

using Settings = std::map<std::string, std::string>;

/// What Kafka Connect needs to know to make columns of the payload.
json schema() {
  const auto field = [](const char* type, const char* name) {
    return json{{"type", type}, {"optional", false}, {"field", name}};
  };
  json created = field("int64", "created_at");
  created["name"] = "org.apache.kafka.connect.data.Timestamp";
  created["version"] = 1;
  return {{"type", "struct"},
          {"name", "orders"},
          {"optional", false},
          {"fields",
           {field("string", "order_id"), field("string", "user_id"), field("string", "product_id"),
            field("int32", "qty"), field("int32", "unit_price"), field("int32", "total_price"), created}}};
}

std::string new_order_id() {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  char text[40];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(random()),
                static_cast<unsigned long long>(random()));
  return text;
}

/// Sends records and waits for the log's acknowledgement, so that a 201 means the order cannot get lost any more.
class OrderTopic : RdKafka::DeliveryReportCb {
 public:
  explicit OrderTopic(const std::string& bootstrap) {
    std::string problem;
    const std::unique_ptr<RdKafka::Conf> conf(RdKafka::Conf::create(RdKafka::Conf::CONF_GLOBAL));
    conf->set("bootstrap.servers", bootstrap, problem);
    conf->set("enable.idempotence", "true", problem);
    conf->set("message.timeout.ms", "10000", problem);
    conf->set("dr_cb", static_cast<RdKafka::DeliveryReportCb*>(this), problem);
    producer_.reset(RdKafka::Producer::create(conf.get(), problem));
    if (!producer_) throw std::runtime_error(problem);
    poller_ = std::thread([this] {
      while (!stopping_) producer_->poll(100);
    });
  }
  ~OrderTopic() override {
    producer_->flush(10'000);
    stopping_ = true;
    poller_.join();
  }

  /// Empty when the record is in the log, else why not.
  /// No key: a record that any worker's key converter takes.
  std::string send(const std::string& value) {
    auto* waiting = new std::promise<std::string>;  // freed by the delivery report
    auto answer = waiting->get_future();
    const auto sent = producer_->produce("orders", RdKafka::Topic::PARTITION_UA, RdKafka::Producer::RK_MSG_COPY,
                                         const_cast<char*>(value.data()), value.size(), nullptr, 0, 0, waiting);
    if (sent != RdKafka::ERR_NO_ERROR) {
      delete waiting;
      return RdKafka::err2str(sent);
    }
    return answer.get();
  }

 private:
  void dr_cb(RdKafka::Message& message) override {
    const std::unique_ptr<std::promise<std::string>> waiting(
        static_cast<std::promise<std::string>*>(message.msg_opaque()));
    waiting->set_value(message.err() == RdKafka::ERR_NO_ERROR ? "" : message.errstr());
  }

  std::unique_ptr<RdKafka::Producer> producer_;
  std::atomic<bool> stopping_{false};
  std::thread poller_;
};

/// All rows of the table that the sink connector fills, newest first. Throws with MariaDB's own words.
json read_orders(const Settings& settings) {
  const std::unique_ptr<MYSQL, void (*)(MYSQL*)> db(mysql_init(nullptr), mysql_close);
  const auto wanted = [&](const char* what) { return settings.at(what).c_str(); };
  if (mysql_real_connect(db.get(), wanted("db-host"), wanted("db-user"), wanted("db-password"), wanted("db-name"),
                         static_cast<unsigned>(std::stoi(settings.at("db-port"))), nullptr, 0) == nullptr ||
      mysql_query(db.get(),
                  "SELECT order_id, user_id, product_id, qty, unit_price, total_price, created_at FROM orders "
                  "ORDER BY created_at DESC") != 0) {
    constexpr unsigned kNoSuchTable = 1146;  // the sink makes it with the first order
    if (mysql_errno(db.get()) == kNoSuchTable) return json::array();
    throw std::runtime_error(mysql_error(db.get()));
  }
  const std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> rows(mysql_store_result(db.get()), mysql_free_result);
  json orders = json::array();
  while (MYSQL_ROW row = mysql_fetch_row(rows.get())) {
    orders.push_back({{"order_id", row[0]},
                      {"user_id", row[1]},
                      {"product_id", row[2]},
                      {"qty", std::stoi(row[3])},
                      {"unit_price", std::stoi(row[4])},
                      {"total_price", std::stoi(row[5])},
                      {"created_at", row[6]}});
  }
  return orders;
}

void answer(httplib::Response& response, int status, const json& body) {
  response.status = status;
  response.set_content(body.dump(), "application/json");
}

void post_order(OrderTopic& topic, const httplib::Request& request, httplib::Response& response) {
  const json order = json::parse(request.body, nullptr, false);
  for (const char* text : {"user_id", "product_id"}) {
    if (!order.is_object() || !order.contains(text) || !order[text].is_string())
      return answer(response, 400, {{"error", std::string("an order needs the text ") + text}});
  }
  for (const char* number : {"qty", "unit_price"}) {
    if (!order.contains(number) || !order[number].is_number_integer() || order[number] < 1 || order[number] > 1'000'000)
      return answer(response, 400, {{"error", std::string("an order needs the number ") + number + ", 1 to 1000000"}});
  }
  const int64_t total = order["qty"].get<int64_t>() * order["unit_price"].get<int64_t>();
  if (total > INT32_MAX) return answer(response, 400, {{"error", "the total price is beyond 2147483647"}});
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const json payload = {{"order_id", new_order_id()},        {"user_id", order["user_id"]},
                        {"product_id", order["product_id"]}, {"qty", order["qty"]},
                        {"unit_price", order["unit_price"]}, {"total_price", total},
                        {"created_at", now.count()}};
  const std::string problem = topic.send(json{{"schema", schema()}, {"payload", payload}}.dump());
  if (!problem.empty()) return answer(response, 503, {{"error", "the order was not taken: " + problem}});
  answer(response, 201, payload);
}

bool read_settings(int argc, char** argv, Settings& settings) {
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc || !name.starts_with("--") || !settings.contains(name.substr(2))) return false;
    settings[name.substr(2)] = argv[i + 1];
  }
  return true;
}

httplib::Server* running = nullptr;

}  // namespace

int main(int argc, char** argv) {
  Settings settings = {{"bootstrap", "localhost:9092"},
                       {"port", "8080"},
                       {"db-host", "127.0.0.1"},
                       {"db-port", "3306"},
                       {"db-user", "root"},
                       {"db-password", ""},
                       {"db-name", "mydb"}};
  if (!read_settings(argc, argv, settings)) {
    std::fprintf(stderr,
                 "usage: %s [--bootstrap HOST:PORT] [--port N] [--db-host H] [--db-port N] [--db-user U] "
                 "[--db-password P] [--db-name D]\n",
                 argv[0]);
    return 2;
  }
  OrderTopic topic(settings["bootstrap"]);
  httplib::Server server;
  server.Post("/orders", [&](const auto& request, auto& response) { post_order(topic, request, response); });
  server.Get("/orders", [&](const auto&, auto& response) { answer(response, 200, read_orders(settings)); });
  server.set_exception_handler([](const auto&, auto& response, std::exception_ptr problem) {
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& seen) {
      answer(response, 503, {{"error", seen.what()}});
    }
  });
  running = &server;
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { running->stop(); });
  std::printf("orders-service listens on http://127.0.0.1:%s/orders\n", settings["port"].c_str());
  std::fflush(stdout);
  if (!server.listen("127.0.0.1", std::stoi(settings["port"]))) {
    std::fprintf(stderr, "port %s is taken: choose another with --port\n", settings["port"].c_str());
    return 1;
  }
  return 0;
}
