"""Change data capture under fire: while eight sessions write, the worker is killed, the server is killed, binlogs are purged; in the
end the topics, applied event by event, must make the very tables, and each event must fit the one before it.

MILLRACE_SEED sets the choices (printed), MILLRACE_MINUTES how long all scenarios take together.
"""
import os
import random
import sys
import time
import unittest

import cdc_support
from cdc_replica import Replica, table_of
from cdc_writers import DATABASE, Workload, idle
from support import ProcessTest, eventually

SEED = int(os.environ.get("MILLRACE_SEED", random.SystemRandom().randrange(10**6)))
SCENARIOS = 3
SECONDS = float(os.environ.get("MILLRACE_MINUTES", "0.67")) * 60 / SCENARIOS
PREFIX, TABLES = "cdc", ("orders", "stock", "moving", "marker")
# A server that is killed must have what it said was committed, in the binlog and in the tables.
DURABLE = ["--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1"]


class Consistency(ProcessTest):
    def setUp(self):
        super().setUp()
        print(f"MILLRACE_SEED={SEED}", file=sys.stderr)
        self.rng = random.Random(f"{SEED}/{self.id()}")
        self.end = time.monotonic() + SECONDS

    def begin(self, once=False, flags=()):
        self.once = once
        self.db = cdc_support.CdcServer(self.folder, flags).start()
        self.addCleanup(self.db.stop)
        Workload.prepare(self.db)
        settings = {f"{part}.converter.schemas.enable": "false" for part in ("key", "value")}
        settings["value.converter.replace.null.with.default"] = "false"
        if once:
            settings["exactly.once.source.support"] = "enabled"
        self.worker_ = cdc_support.CdcWorker(self.folder / "worker", settings=settings)
        self.addCleanup(self.worker_.stop)
        self.worker_.start()
        self.workload = Workload(self.db, f"{SEED}/{self.id()}")
        self.workload.start()
        self.addCleanup(self.workload.stopping.set)
        self.connector = self.worker_.connector("shop")
        self.connector.create(cdc_support.connector_config(
            self.db, self.worker_, PREFIX, table_include_list=f"{DATABASE}\\..*", decimal_handling_mode="string",
            binary_handling_mode="base64", exactly_once_support="required" if once else None, errors_retry_delay_initial_ms="100",
            errors_retry_delay_max_ms="500", poll_interval_ms="20"))

    def snapshot_done(self):
        """Until then tables keep their columns: a consistent read does not outlive ALTER TABLE."""
        offsets = self.connector.offsets()
        return bool(offsets) and not offsets[0]["offset"].get("snapshot")

    def moments(self, low, high):
        """Chosen moments until the time is over; DDL runs from when the snapshot is done."""
        while time.monotonic() < self.end or not self.workload.ddl_allowed.is_set():
            idle(self.rng.uniform(low, high), lambda: self.workload.problems)
            if self.workload.problems:
                return
            yield
            if time.monotonic() > self.end - SECONDS / 2:  # the kills may not keep it from ever being done
                eventually(self.snapshot_done, "the snapshot is done")
            if not self.workload.ddl_allowed.is_set() and self.snapshot_done():
                self.workload.ddl_allowed.set()

    def check(self):
        self.workload.stop()
        self.assertGreater(sum(self.workload.committed), 0)
        with self.db.session() as session:
            session.run(f"INSERT INTO {DATABASE}.marker VALUES (1, 1)")
            tables = {name: table_of(session, DATABASE, name) for name in TABLES}
        kafka = self.worker_.kafka(**{"isolation.level": "read_committed"} if self.once else {})
        self.addCleanup(kafka.close)
        topics = {name: f"{PREFIX}.{DATABASE}.{name}" for name in TABLES}
        eventually(lambda: any(r.key and cdc_support.envelope(r.key)["id"] == 1 for r in kafka.read([topics["marker"]])),
                   f"the last change arrives ({self.connector.states()}: {self.connector.trace()[:500]})", 120)
        self.connector.stop()
        replicas = {name: Replica(topic, self.once, self.workload.columns if name == "moving" else None) for name, topic in topics.items()}
        for name, replica in replicas.items():
            for record in kafka.read([replica.topic], 120):
                replica.apply(record)
            differences = list(replica.differences(tables[name]))
            self.assertEqual([], differences[:5], f"{len(differences)} rows of {name} differ")
        print(f"{self.id().split('.')[-1]}: {sum(self.workload.committed)} transactions, {self.workload.altered} times DDL; " + ", ".join(
            f"{name}: {len(tables[name])} rows, {each.events} events, {each.repeated} repeated, {each.snapshots} snapshots"
            for name, each in replicas.items()), file=sys.stderr)
        return replicas

    def kill_worker(self):
        self.worker_.kill()
        self.worker_.start()

    def test_the_worker_is_killed(self):
        self.begin()
        for _ in self.moments(0.2, 3):
            self.kill_worker()
        self.check()

    def test_the_worker_is_killed_and_each_event_is_there_once(self):
        self.begin(once=True)
        for _ in self.moments(0.2, 3):
            self.kill_worker()
        self.check()

    def test_the_server_is_killed_and_binlogs_are_purged(self):
        self.begin(flags=DURABLE)
        for _ in self.moments(0.5, 2):
            if self.rng.random() < 0.4 and self.workload.ddl_allowed.is_set():
                self.kill_server()
            else:
                self.purge()
        self.check()

    def kill_server(self):
        if self.db.process:  # our own child by now: it must be waited for
            self.db.process.kill()
            self.db.process.wait()
        else:
            self.db.kill()
        self.db.restart_on_same_port()

    def purge(self):
        """All binlogs that the reader has left behind."""
        with self.db.session() as session:
            session.run("FLUSH BINARY LOGS")
            offsets = self.connector.offsets()
            if offsets and "file" in offsets[0]["offset"]:
                session.run(f"PURGE BINARY LOGS TO '{offsets[0]['offset']['file']}'")


if __name__ == "__main__":
    unittest.main()
