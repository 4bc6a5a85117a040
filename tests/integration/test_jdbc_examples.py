"""examples/jdbc keeps its word: every command of its README is run as it stands, against private servers, and copies what it says."""
import json
import os
import re
import shutil
import subprocess
import unittest

from postgres_client import Postgres
from support import BUILD, ROOT, DatabaseTest, eventually, free_port

EXAMPLES = ROOT / "examples/jdbc"
MARIADB_PORT, POSTGRES_PORT, REST_PORT, LOG_PORT = "localhost:3306", "localhost:5432", "localhost:8083", "localhost:9092"


class JdbcExamples(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.postgres = Postgres()
        self.addCleanup(self.postgres.stop)
        self.postgres.start()
        log_port = free_port()
        self.node = self.worker(settings={"log.listeners": f"PLAINTEXT://127.0.0.1:{log_port}"}).start()
        self.places = {MARIADB_PORT: f"127.0.0.1:{self.db.port}", POSTGRES_PORT: f"127.0.0.1:{self.postgres.port}",
                       REST_PORT: f"127.0.0.1:{self.node.port}", LOG_PORT: f"127.0.0.1:{log_port}"}
        self.copy = self.folder / "examples"
        shutil.copytree(EXAMPLES, self.copy)
        for file in self.copy.iterdir():
            file.write_text(self.placed(file.read_text()))
        self.db.sql((self.copy / "mariadb.sql").read_text())
        for statement in (self.copy / "postgres.sql").read_text().split(";")[:-1]:
            self.postgres.sql(statement)

    def placed(self, text):
        for place, real in self.places.items():
            text = text.replace(place, real)
        return text

    def section(self, title):
        """Runs the commands below a heading; all are to succeed, and no answer is to be an error's."""
        text = re.search(rf"^## {title}\n.*?```sh\n(.*?)```", (self.copy / "README.md").read_text(), re.S | re.M)[1]
        for command in text.strip().splitlines():
            done = subprocess.run(["bash", "-c", command], cwd=self.copy, capture_output=True, text=True, timeout=60,
                                  env={**os.environ, "PATH": f"{BUILD}/bin:{os.environ['PATH']}"})
            self.assertEqual(0, done.returncode, f"{command}\n{done.stderr}")
            self.assertNotIn("error_code", done.stdout, command)

    def becomes(self, look, wanted, what):
        try:
            eventually(lambda: look() == wanted, what, 30)
        except AssertionError as late:
            raise AssertionError(f"{late}; wanted {wanted!r}\n{look()!r}\n{self.node.log_text()[-3000:]}") from None

    def test_every_section_does_what_it_says(self):
        warehouse = lambda sql: lambda: self.db.sql(sql, "warehouse")
        config = json.loads((self.copy / "users-source.json").read_text())["config"]
        preview = self.node.request("POST", "/connector-plugins/JdbcSourceConnector/config/preview?rows=1", config)
        self.assertIn("ann@example.com", preview.text)
        self.section("A table of one database into another")
        users = warehouse("SELECT id, name, email FROM users ORDER BY id")
        self.becomes(users, "1\tAnn\tann@example.com\n2\tBjørn\tNULL", "the users are there")
        self.db.sql("INSERT INTO users (name) VALUES ('Cid')", "shop")
        self.becomes(users, "1\tAnn\tann@example.com\n2\tBjørn\tNULL\n3\tCid\tNULL", "a new user follows")

        self.section("Upsert with a key of two columns")
        lines = warehouse("SELECT order_id, line_no, product, quantity FROM order_lines ORDER BY 1, 2")
        self.becomes(lines, "1\t1\tapple\t3\n1\t2\tpear\t1\n2\t1\tapple\t7", "the lines are there")
        self.db.sql("UPDATE order_lines SET quantity = 9 WHERE order_id = 1 AND line_no = 2", "shop")
        self.becomes(lines, "1\t1\tapple\t3\n1\t2\tpear\t9\n2\t1\tapple\t7", "the changed line is replaced")

        self.section("MariaDB to PostgreSQL")
        products = lambda: self.postgres.sql("SELECT id, name, price, active, photo FROM products ORDER BY id", "warehouse")
        self.becomes(products, "1\tapple\t0.45\tt\t\\x00ff\n2\tpear\t12.00\tt\t\\N", "the products are there")

        self.section("The result of a query")
        payments = warehouse("SELECT id, customer, amount FROM payments_by_customer ORDER BY id")
        self.becomes(payments, "1\tAnn\t9.90\n2\tBjørn\t0.45\n3\tAnn\t100.00", "the payments are there")

        self.section("Deletes by tombstones")
        self.becomes(warehouse("SELECT product, quantity FROM stock ORDER BY 1"), "apple\t4", "the deleted row is gone")
        for name in self.node.get("/connectors").json:
            self.node.wait_for_states(name, ["RUNNING", "RUNNING"])


if __name__ == "__main__":
    unittest.main()
