"""PostgreSQL under the JDBC sink and source, killed or cut off while rows flow, and a worker that is killed: each row is there, once where
that is promised, and the tasks go on by themselves."""
import random
import sys
import time
import unittest

from postgres_client import PASSWORD, USER, Postgres
from support import ROOT, ProcessTest, eventually

sys.path.insert(0, str(ROOT / "tests/support"))
from fault_proxy import FaultProxy  # noqa: E402

EXACT = {"insert.mode": "insert", "millrace.exactly.once": "true", "table.name.format": "exact"}
UPSERT = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", "table.name.format": "upserted"}
PATIENT = {"max.retries": "1000", "retry.backoff.ms": "100", "connection.attempts": "1"}


class PostgresFaults(ProcessTest):
    def setUp(self):
        super().setUp()
        self.db = Postgres().start()
        self.addCleanup(self.db.stop)
        self.db.sql("CREATE DATABASE src")
        self.db.sql("CREATE DATABASE dst")
        self.db.sql("CREATE TABLE events (id int primary key, name varchar(40), at timestamp(3) not null default now())", "src")
        self.proxy = FaultProxy(self.db.port)
        self.addCleanup(self.proxy.close)

    def connection(self, database, port=None):
        return {"connection.url": f"jdbc:postgresql://127.0.0.1:{port or self.db.port}/{database}", "connection.user": USER,
                "connection.password": PASSWORD}

    def source(self, port=None, **more):
        return {"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", **self.connection("src", port), "mode": "incrementing",
                "incrementing.column.name": "id", "table.whitelist": "events", "topic.prefix": "pg_", "poll.interval.ms": "50",
                "batch.max.rows": "200", "connection.backoff.ms": "100", **more}

    def sink(self, port=None, **more):
        return {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", **self.connection("dst", port), "auto.create": "true",
                "topics": "pg_events", **PATIENT, **more}

    def fill(self, begin, end):
        self.db.sql(f"INSERT INTO events SELECT i, 'name ' || i FROM generate_series({begin + 1}, {end}) i", "src")

    def started(self):
        return self.worker(settings={"consumer.max.poll.records": "200", "offset.flush.interval.ms": "200"}).start()

    def running_worker(self, rows):
        """A worker with a topic of so many rows."""
        self.fill(0, rows)
        worker = self.started()
        worker.must_create("source", self.source())

        def stored():
            offsets = worker.get("/connectors/source/offsets").json["offsets"]
            return offsets and offsets[0]["offset"].get("incrementing") == rows
        eventually(stored, "the topic is filled")
        return worker

    def count(self, table):
        try:
            return int(self.db.sql(f"SELECT count(*) FROM {table}", "dst"))
        except RuntimeError:  # not yet created, or no server
            return 0

    def wait_for_all(self, table, rows, each_once=True):
        eventually(lambda: int(self.db.sql(f"SELECT count(DISTINCT id) FROM {table}", "dst")) == rows, f"all rows are in {table}", 240)
        if each_once:
            self.assertEqual(rows, self.count(table))
        wanted, got = (self.db.sql(f"SELECT DISTINCT id, name, at FROM {name} ORDER BY id", database).splitlines()
                       for name, database in (("events", "src"), (table, "dst")))
        self.assertEqual([], [pair for pair in zip(wanted, got) if pair[0] != pair[1]][:5])

    def test_connections_cut_in_the_middle_of_a_batch(self):
        rows, seed = 20000, random.Random(20261121)
        worker = self.running_worker(rows)
        worker.must_create("exact", self.sink(self.proxy.port, **EXACT))
        worker.must_create("upserted", self.sink(self.proxy.port, **UPSERT))

        def cut_again():
            if not self.proxy.armed:
                self.proxy.cut_after(seed.randrange(100, 60000))
            return self.count("exact") >= rows and self.count("upserted") >= rows
        eventually(cut_again, "all rows arrive", 240)
        self.wait_for_all("exact", rows)
        self.wait_for_all("upserted", rows)
        self.assertGreater(self.proxy.cuts, 10)
        self.assertIn("Write failed", worker.log_text())
        for name in ("exact", "upserted"):
            worker.wait_for_states(name, ["RUNNING", "RUNNING"])

    def test_the_server_is_killed_under_the_sink(self):
        rows, seed, in_the_middle = 20000, random.Random(20261121), 0
        worker = self.running_worker(rows)
        self.proxy.delay_s = 0.005  # no machine is so fast that the copy ends before the kills
        worker.must_create("exact", self.sink(self.proxy.port, **EXACT))
        worker.must_create("upserted", self.sink(self.proxy.port, **UPSERT))
        for _ in range(4):
            before = self.count("exact")
            eventually(lambda: self.count("exact") > before or before >= rows, "rows flow")
            time.sleep(seed.uniform(0.0, 0.05))  # the moment of the kill is the point; nothing waits for it
            self.db.kill()
            self.db.restart_on_same_port()
            in_the_middle += self.count("exact") < rows
        self.assertGreater(in_the_middle, 0, "kills fell into the copy")
        self.proxy.delay_s = 0
        self.wait_for_all("exact", rows)
        self.wait_for_all("upserted", rows)
        self.assertEqual(str(rows), self.db.sql("SELECT \"offset\" FROM millrace_offsets WHERE connector = 'exact'", "dst"))
        for name in ("exact", "upserted"):
            worker.wait_for_states(name, ["RUNNING", "RUNNING"])

    def test_the_source_is_cut_off_killed_and_the_worker_too(self):
        rows, seed = 30000, random.Random(20261121)
        self.fill(0, rows)
        worker = self.started()
        for mode in ("incrementing", "timestamp+incrementing"):
            worker.must_create(f"source-{mode[0]}", self.source(self.proxy.port, **{
                "mode": mode, "timestamp.column.name": "at", "topic.prefix": f"{mode[0]}_"}))
            worker.must_create(f"sink-{mode[0]}", self.sink(**{
                **UPSERT, "topics": f"{mode[0]}_events", "table.name.format": f"copy_{mode[0]}"}))
        for kill in (self.proxy.cut_all, self.db.kill, worker.kill) * 2:
            before = self.count("copy_i") + self.count("copy_t")
            eventually(lambda: self.count("copy_i") + self.count("copy_t") > before or before >= 2 * rows, "rows flow")
            time.sleep(seed.uniform(0.0, 0.05))  # the moment of the kill is the point; nothing waits for it
            kill()
            if kill == self.db.kill:
                self.db.restart_on_same_port()
            if kill == worker.kill:
                worker.start()
            rows += 1000
            self.fill(rows - 1000, rows)
        self.wait_for_all("copy_i", rows)
        self.wait_for_all("copy_t", rows)
        for name in ("source-i", "source-t", "sink-i", "sink-t"):
            worker.wait_for_states(name, ["RUNNING", "RUNNING"])


if __name__ == "__main__":
    unittest.main()
