"""The JDBC sink with millrace.exactly.once: the worker is killed while rows flow into a table without a key, and each record is there once."""
import os
import random
import sys
import time
import unittest

from support import ROOT, DatabaseTest, eventually

sys.path.insert(0, str(ROOT / "tests/support"))
from fault_proxy import FaultProxy  # noqa: E402


class JdbcExactlyOnce(DatabaseTest):
    def setUp(self):
        super().setUp()
        for name in ("src", "dst"):
            self.db.sql(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4")
        self.proxy = FaultProxy(self.db.port)
        self.proxy.delay_s = 0.002  # no machine is so fast that a copy ends before the kills
        self.addCleanup(self.proxy.close)

    def slow_sink(self, **more):
        return self.sink("dst", "my_topic_events", **more) | {"connection.url": f"jdbc:mariadb://127.0.0.1:{self.proxy.port}/dst"}

    def counts(self, table="dst.copied"):
        """Rows and different rows."""
        try:
            rows, different = self.db.sql(f"SELECT count(*), count(DISTINCT id) FROM {table}").split("\t")
        except RuntimeError:  # not yet created
            return 0, 0
        return int(rows), int(different)

    def fill(self, begin, end):
        self.db.sql(f"INSERT INTO events SELECT seq, concat('name ', seq) FROM seq_{begin + 1}_to_{end}", "src")

    def test_kill_nine_and_each_record_is_there_once(self):
        rows, kills = int(os.environ.get("MILLRACE_KILL_ROWS", "60000")), int(os.environ.get("MILLRACE_KILLS", "12"))
        self.db.sql("CREATE TABLE src.events (id int primary key, name varchar(40))")
        worker = self.worker(settings={"consumer.max.poll.records": "100", "offset.flush.interval.ms": "500"}).start()
        worker.must_create("source", self.source("src", "events", **{"batch.max.rows": "200"}))
        worker.must_create("copy", self.slow_sink(**{
            "table.name.format": "copied", "insert.mode": "insert", "millrace.exactly.once": "true"}))
        seed, step, in_the_middle = random.Random(20261121), rows // kills, 0
        for begin in range(0, step * kills, step):
            before = self.counts()[0]
            self.fill(begin, begin + step)
            eventually(lambda: self.counts()[0] > before, "rows flow")
            time.sleep(seed.uniform(0.0, 0.06))  # the moment of the kill is the point; nothing waits for it
            worker.kill()
            in_the_middle += self.counts()[1] < begin + step
            worker.start()
        self.assertGreater(in_the_middle, kills // 2, "most kills fell into the copy")
        eventually(lambda: self.counts()[1] == step * kills, "all rows arrived", 240)
        worker.wait_for_states("copy", ["RUNNING", "RUNNING"])
        # The source may send a row again when it is killed: so there must be as many rows as the topic has records.
        # It may still be sending: only one statement sees offset and rows of one moment.
        stored, there, different = self.db.sql("SELECT (SELECT `offset` FROM dst.millrace_offsets WHERE connector='copy'), count(*), "
                                               "count(DISTINCT id) FROM dst.copied").split("\t")
        self.assertEqual((int(stored), step * kills), (int(there), int(different)))
        self.assertEqual(kills + 1, int(self.db.sql("SELECT epoch FROM dst.millrace_offsets")), "each start took the partition over")
        self.assertEqual("", self.db.sql("SELECT * FROM src.events EXCEPT SELECT * FROM dst.copied"))

    def test_the_server_is_killed_as_well(self):
        rows, kills = 20000, 4
        self.db.sql("CREATE TABLE src.events (id int primary key, name varchar(40))")
        self.fill(0, rows)
        worker = self.worker(settings={"consumer.max.poll.records": "200"}).start()
        worker.must_create("source", self.source("src", "events"))
        eventually(lambda: worker.get("/connectors/source/offsets").json["offsets"], "the topic is filled")
        worker.must_create("copy", self.slow_sink(**{
            "table.name.format": "copied", "insert.mode": "insert", "millrace.exactly.once": "true", "retry.backoff.ms": "200",
            "connection.attempts": "1", "max.retries": "200"}))
        seed, in_the_middle = random.Random(20261121), 0
        for _ in range(kills):
            before = self.counts()[0]
            eventually(lambda: self.counts()[0] > before or before >= rows, "rows flow")
            time.sleep(seed.uniform(0.0, 0.05))  # the moment of the kill is the point; nothing waits for it
            self.db.kill()
            self.db.restart_on_same_port()
            in_the_middle += self.counts()[1] < rows
        self.assertGreater(in_the_middle, 0, "kills fell into the copy")
        eventually(lambda: self.counts()[1] == rows, "all rows arrived", 240)
        stored = int(self.db.sql("SELECT `offset` FROM dst.millrace_offsets WHERE connector='copy'"))
        self.assertEqual((stored, rows), self.counts())
        worker.wait_for_states("copy", ["RUNNING", "RUNNING"])
        self.assertIn("Write failed", worker.log_text())


if __name__ == "__main__":
    unittest.main()
