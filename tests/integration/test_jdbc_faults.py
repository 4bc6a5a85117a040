"""What happens to databases and networks under the JDBC sink: nothing is lost, nothing is written twice or wrong, and the log or the
status says what happened."""
import random
import sys
import tempfile
import unittest

from mariadb_client import Session, SqlError
from support import PASSWORD, ROOT, DatabaseTest, MariaDb, eventually

sys.path.insert(0, str(ROOT / "tests/support"))
from fault_proxy import FaultProxy  # noqa: E402

EXACT = {"insert.mode": "insert", "millrace.exactly.once": "true", "table.name.format": "exact"}
UPSERT = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", "table.name.format": "upserted"}
PATIENT = {"max.retries": "300", "retry.backoff.ms": "100", "connection.attempts": "1"}


class JdbcFaults(DatabaseTest):
    @classmethod
    def setUpClass(cls):
        cls.server_folder = tempfile.mkdtemp(prefix="millrace-mariadb-")
        cls.db = MariaDb(cls.server_folder, ["--innodb-lock-wait-timeout=1"]).start()

    def setUp(self):
        super().setUp()
        for name in ("src", "dst"):
            self.db.sql(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4")
        self.db.sql("CREATE TABLE src.events (id int primary key, name varchar(40))")
        self.proxy = FaultProxy(self.db.port)
        self.addCleanup(self.proxy.close)

    def running_worker(self, rows, **more):
        """A worker with a topic of so many rows."""
        self.fill(0, rows)
        worker = self.worker(settings={"consumer.max.poll.records": "200", "offset.flush.interval.ms": "200", **more}).start()
        worker.must_create("source", self.source("src", "events"))
        self.wait_for_source(worker, rows)
        return worker

    def wait_for_source(self, worker, last):
        def stored():
            offsets = worker.get("/connectors/source/offsets").json["offsets"]
            return offsets and offsets[0]["offset"].get("incrementing") == last
        eventually(stored, "the topic is filled")

    def fill(self, begin, end):
        self.db.sql(f"INSERT INTO events SELECT seq, concat('name ', seq) FROM seq_{begin + 1}_to_{end}", "src")

    def through_proxy(self, **more):
        return self.sink("dst", "my_topic_events", **PATIENT, **more) | {"connection.url": f"jdbc:mariadb://127.0.0.1:{self.proxy.port}/dst"}

    def direct(self, **more):
        return self.sink("dst", "my_topic_events", **(PATIENT | more))

    def count(self, table):
        try:
            return int(self.db.sql(f"SELECT count(*) FROM dst.{table}"))
        except RuntimeError:  # not yet created
            return 0

    def wait_for_all(self, table, rows):
        eventually(lambda: self.count(table) >= rows, f"all rows are in {table}", 120)
        self.assertEqual(rows, self.count(table))
        self.assertEqual("", self.db.sql(f"SELECT * FROM src.events EXCEPT SELECT * FROM dst.{table}"))

    def test_connections_cut_in_the_middle_of_a_batch(self):
        rows, seed = 20000, random.Random(20261121)
        worker = self.running_worker(rows)
        worker.must_create("exact", self.through_proxy(**EXACT))
        worker.must_create("upserted", self.through_proxy(**UPSERT))
        while self.count("exact") < rows or self.count("upserted") < rows:
            if not self.proxy.armed:
                self.proxy.cut_after(seed.randrange(100, 60000))
        self.wait_for_all("exact", rows)
        self.wait_for_all("upserted", rows)
        self.assertGreater(self.proxy.cuts, 10)
        self.assertIn("Write failed", worker.log_text())
        self.assertIn(f"127.0.0.1:{self.proxy.port}", worker.log_text())
        for name in ("exact", "upserted"):
            worker.wait_for_states(name, ["RUNNING", "RUNNING"])

    def test_a_server_that_refuses_and_then_is_slow(self):
        rows = 5000
        worker = self.running_worker(rows)
        worker.must_create("exact", self.through_proxy(**EXACT))
        eventually(lambda: self.count("exact") > 0, "rows flow")
        self.proxy.refuse()
        self.fill(rows, rows + 1000)
        eventually(lambda: worker.log_text().count("Write failed") > 3, "the log says that it cannot write")
        self.assertEqual("RUNNING", worker.states("exact")[1])
        self.proxy.delay_s = 0.01
        self.proxy.refuse(False)
        self.wait_for_all("exact", rows + 1000)

    def test_without_an_end_the_task_fails_and_a_restart_goes_on(self):
        worker = self.running_worker(1000)
        worker.must_create("exact", self.through_proxy(**EXACT) | {"max.retries": "2"})
        self.wait_for_all("exact", 1000)
        self.proxy.refuse()
        self.fill(1000, 1500)
        self.assertIn("(after 2 retries; see max.retries)", worker.failed_trace("exact"))
        self.proxy.refuse(False)
        self.assertEqual(204, worker.request("POST", "/connectors/exact/tasks/0/restart").status)
        self.wait_for_all("exact", 1500)

    def locker(self):
        session = Session(self.db.port, PASSWORD, database="dst")
        self.addCleanup(session.close)
        session.run("SET autocommit=0")
        return session

    def sink_waits(self):
        # Not information_schema.innodb_trx: who asks it more often than every 100 ms is told the same for ever.
        return not self.db.sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'").endswith("\t0")

    def test_a_deadlock_is_tried_again_at_once(self):
        self.db.sql("CREATE TABLE upserted (id int primary key, name varchar(40)); "
                    "INSERT INTO upserted SELECT seq, 'old' FROM seq_1_to_3000", "dst")
        self.db.sql("SET GLOBAL innodb_lock_wait_timeout=50")
        self.addCleanup(self.db.sql, "SET GLOBAL innodb_lock_wait_timeout=1")
        worker = self.running_worker(200)
        other = self.locker()
        # Weighs more than the sink's transaction, so that InnoDB takes back the sink's.
        other.run("UPDATE upserted SET name='locked' WHERE id BETWEEN 100 AND 3000")
        before = int(self.db.sql("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'").split("\t")[1])
        worker.must_create("upserted", self.direct(**UPSERT, **{"max.retries": "0"}))
        eventually(self.sink_waits, "the sink waits for row 100")
        try:
            other.run("UPDATE upserted SET name='locked' WHERE id=1")
        except SqlError as problem:
            self.fail(f"the sink was to lose: {problem}")
        self.assertEqual(before + 1, int(self.db.sql("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'").split("\t")[1]))
        other.run("COMMIT")
        eventually(lambda: self.db.sql("SELECT count(*) FROM dst.upserted WHERE name LIKE 'name %'") == "200", "the sink's rows are there")
        self.assertEqual("2800", self.db.sql("SELECT count(*) FROM dst.upserted WHERE name='locked'"))
        worker.wait_for_states("upserted", ["RUNNING", "RUNNING"])

    def test_a_lock_that_is_held_for_long(self):
        self.db.sql("CREATE TABLE dst.upserted (id int primary key, name varchar(40)); INSERT INTO dst.upserted VALUES (50, 'held')")
        worker = self.running_worker(200)
        other = self.locker()
        other.run("UPDATE upserted SET name='still held' WHERE id=50")
        worker.must_create("upserted", self.direct(**UPSERT))
        eventually(lambda: "Lock wait timeout exceeded" in worker.log_text(), "the log says what it waits for")
        self.assertEqual(1, self.count("upserted"), "nothing is written by halves")
        other.run("ROLLBACK")
        self.wait_for_all("upserted", 200)
        worker.wait_for_states("upserted", ["RUNNING", "RUNNING"])

    def test_a_table_that_is_dropped(self):
        worker = self.running_worker(300)
        worker.must_create("exact", self.direct(**EXACT))
        self.wait_for_all("exact", 300)
        self.db.sql("DROP TABLE dst.exact")
        self.fill(300, 400)
        eventually(lambda: self.count("exact") == 100, "the table is made anew for the rows that follow")
        self.assertEqual("301\t400", self.db.sql("SELECT min(id), max(id) FROM dst.exact"))
        # Without leave to create it the task says so.
        config = self.direct(**EXACT) | {"auto.create": "false", "max.retries": "1"}
        self.assertEqual(200, worker.request("PUT", "/connectors/exact/config", config).status)
        worker.wait_for_states("exact", ["RUNNING", "RUNNING"])
        self.db.sql("RENAME TABLE dst.exact TO dst.kept")
        self.fill(400, 450)
        self.assertIn('Table "dst"."exact" is missing and auto-creation is disabled', worker.failed_trace("exact"))
        self.db.sql("RENAME TABLE dst.kept TO dst.exact")
        self.assertEqual(204, worker.request("POST", "/connectors/exact/tasks/0/restart").status)
        eventually(lambda: self.count("exact") == 150, "it goes on where it was")
        self.assertEqual("150", self.db.sql("SELECT count(DISTINCT id) FROM dst.exact"))

    def test_a_column_that_becomes_too_narrow(self):
        worker = self.running_worker(300)
        worker.must_create("exact", self.direct(**EXACT, **{"max.retries": "1"}))
        self.wait_for_all("exact", 300)
        self.db.sql("ALTER TABLE dst.exact MODIFY name varchar(8)")
        self.fill(300, 500)
        self.db.sql("INSERT INTO src.events VALUES (501, 'much longer than that')")
        self.assertIn("Data too long for column 'name'", worker.failed_trace("exact"))
        self.assertEqual("0", self.db.sql("SELECT count(*) FROM dst.exact WHERE id=501"), "nothing is cut to fit")
        self.db.sql("ALTER TABLE dst.exact MODIFY name varchar(40)")
        self.assertEqual(204, worker.request("POST", "/connectors/exact/tasks/0/restart").status)
        self.wait_for_all("exact", 501)


if __name__ == "__main__":
    unittest.main()
