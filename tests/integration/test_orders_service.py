"""examples/orders-service through the wire protocol: orders POSTed over HTTP come back from the table that a sink filled."""
import json
import os
import subprocess
import unittest
import urllib.error
import urllib.request

from support import BUILD, PASSWORD, DatabaseTest, eventually, free_port


# librdkafka starts C11 threads, of which ThreadSanitizer of GCC 12 knows nothing: the service would crash there.
@unittest.skipIf(os.environ.get("MILLRACE_SANITIZE") == "thread", "librdkafka does not run under ThreadSanitizer")
class OrdersService(DatabaseTest):
    def request(self, body=None, content=None):
        data = content if content is not None else json.dumps(body).encode() if body is not None else None
        try:
            with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.port}/orders", data=data), timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as problem:
            return problem.code, json.load(problem)

    def start_service(self, log_port):
        self.port = free_port()
        service = subprocess.Popen(
            [BUILD / "examples/orders-service", "--bootstrap", f"127.0.0.1:{log_port}", "--port", str(self.port), "--db-port",
             str(self.db.port), "--db-password", PASSWORD, "--db-name", "mydb"], stdout=subprocess.DEVNULL)
        self.addCleanup(service.wait, 30)
        self.addCleanup(service.terminate)
        eventually(lambda: self.request()[0] == 200, "the service answers")

    def test_orders_arrive_in_the_table(self):
        self.db.sql("DROP DATABASE IF EXISTS mydb; CREATE DATABASE mydb CHARACTER SET utf8mb4")
        log_port = free_port()
        worker = self.worker(settings={"log.listeners": f"PLAINTEXT://127.0.0.1:{log_port}"}).start()
        self.start_service(log_port)
        self.assertEqual(self.request(), (200, []))
        status, order = self.request({"user_id": "u1", "product_id": "CATALOG-001", "qty": 3, "unit_price": 900})
        self.assertEqual((status, order["total_price"]), (201, 2700))
        worker.must_create("orders-sink", self.sink("mydb", "orders"))
        first = eventually(lambda: self.request()[1], "the first order is in the table")
        self.assertEqual({k: first[0][k] for k in ("order_id", "user_id", "product_id", "qty", "unit_price", "total_price")},
                         {k: order[k] for k in ("order_id", "user_id", "product_id", "qty", "unit_price", "total_price")})
        for i in range(50):
            self.assertEqual(self.request({"user_id": f"ü{i}", "product_id": "🚀", "qty": 1, "unit_price": i + 1})[0], 201)
        eventually(lambda: len(self.request()[1]) == 51, "all orders are in the table")
        self.assertEqual(0, worker.stop())

    def test_wrong_orders_are_refused_with_a_reason(self):
        log_port = free_port()
        worker = self.worker(settings={"log.listeners": f"PLAINTEXT://127.0.0.1:{log_port}"}).start()
        self.db.sql("CREATE DATABASE IF NOT EXISTS mydb CHARACTER SET utf8mb4")
        self.start_service(log_port)
        for wrong, word in (({"user_id": "u"}, "product_id"), ({"user_id": "u", "product_id": "p", "qty": 0, "unit_price": 1}, "qty"),
                            ({"user_id": "u", "product_id": "p", "qty": 1, "unit_price": "x"}, "unit_price")):
            status, answer = self.request(wrong)
            self.assertEqual(status, 400)
            self.assertIn(word, answer["error"])
        self.assertEqual(self.request(content=b"{not json")[0], 400)
        worker.stop()


if __name__ == "__main__":
    unittest.main()
