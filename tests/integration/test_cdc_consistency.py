"""Change data capture under fire: while eight sessions write, the worker is killed, the server is killed, binlogs are purged; in the
end the topics, applied event by event, must make the very tables, and each event must fit the one before it.

--seed sets the choices (printed; at random without), --seconds how long writers write in each scenario. How sessions and kills
interleave no seed decides.
"""
import argparse
import pathlib
import random
import sys
import time
import unittest

import cdc_support
from cdc_replica import Replica, table_of
from cdc_writers import DATABASE, EXPECTED, Workload, idle
from mariadb_client import SqlError
from support import ProcessTest, eventually

SEED, SECONDS, KEEP = random.SystemRandom().randrange(10**6), 3.0, None
PREFIX, TABLES = "cdc", ("orders", "stock", "moving", "marker")
# So many rows more that a snapshot takes long enough to be hit; they are read before those that writers change.
ROWS_BEFORE = 100_000
# A server that is killed must have what it said was committed, in the binlog and in the tables.
DURABLE = ["--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1"]


class Consistency(ProcessTest):
    def setUp(self):
        super().setUp()
        print(f"--seed {SEED} --seconds {SECONDS:g}", file=sys.stderr)
        self.rng = random.Random(f"{SEED}/{self.id()}")
        self.end = time.monotonic() + SECONDS
        if KEEP:
            kept = pathlib.Path(KEEP, f"{SEED}-{self.id().split('.')[-1]}")
            kept.parent.mkdir(parents=True, exist_ok=True)
            self.addCleanup(self.folder.rename, kept)

    def begin(self, once=False, flags=(), more_rows=0, filled="orders", ddl=False):
        self.once, self.interrupted = once, more_rows > 0
        self.db = cdc_support.CdcServer(self.folder, flags).start()
        self.addCleanup(self.db.stop)
        Workload.prepare(self.db)
        if more_rows:
            with self.db.session(DATABASE) as session:
                column = {"orders": "name", "moving": "s0"}[filled]
                session.run(f"INSERT INTO {filled} (id, {column}) SELECT -seq, CONCAT('row ', seq) FROM seq_1_to_{more_rows}")
        settings = {f"{part}.converter.schemas.enable": "false" for part in ("key", "value")}
        settings["value.converter.replace.null.with.default"] = "false"
        if once:
            settings["exactly.once.source.support"] = "enabled"
        self.worker_ = cdc_support.CdcWorker(self.folder / "worker", settings=settings)
        self.addCleanup(self.worker_.stop)
        self.worker_.start()
        self.workload = Workload(self.db, f"{SEED}/{self.id()}")
        if ddl:
            self.workload.ddl_allowed.set()
        self.workload.start()
        self.addCleanup(self.workload.stopping.set)
        self.connector = self.worker_.connector("shop")
        self.connector.create(cdc_support.connector_config(
            self.db, self.worker_, PREFIX, table_include_list=f"{DATABASE}\\..*", decimal_handling_mode="string",
            binary_handling_mode="base64", exactly_once_support="required" if once else None, errors_retry_delay_initial_ms="100",
            errors_retry_delay_max_ms="500", poll_interval_ms="20"))

    def snapshot_done(self):
        """Until then tables keep their columns, where that is not what a scenario is about."""
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
        replicas = {name: Replica(topic, self.once, self.workload.columns if name == "moving" else None,
                                  self.interrupted) for name, topic in topics.items()}
        for name, replica in replicas.items():
            for record in kafka.read([replica.topic], 120):
                replica.apply(record)
            differences = list(replica.differences(tables[name]))
            self.assertEqual([], differences[:5], f"{len(differences)} rows of {name} differ")
        print(f"{self.id().split('.')[-1]}: {sum(self.workload.committed)} transactions, {self.workload.altered} times DDL; " + ", ".join(
            f"{name}: {len(tables[name])} rows, {each.events} events, {each.repeated} repeated, {each.snapshots} snapshots"
            for name, each in replicas.items()), file=sys.stderr)
        return replicas

    def hit(self):
        """Before a kill of whatever: a snapshot that is not done goes on beside the stream."""
        self.interrupted = self.interrupted or not self.snapshot_done()

    def kill_worker(self):
        self.hit()
        self.assertIsNone(self.worker_.process.poll(), "the worker lives until it is killed")
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

    def test_the_snapshot_is_killed(self):
        self.kill_in_the_snapshot(once=False)

    def test_the_snapshot_is_killed_and_each_event_is_there_once(self):
        self.kill_in_the_snapshot(once=True)

    def kill_in_the_snapshot(self, once):
        self.begin(once, more_rows=ROWS_BEFORE)
        at, topic, kills = 0, f"{PREFIX}.{DATABASE}.orders", 0
        while at < ROWS_BEFORE and not self.snapshot_done():
            at += self.rng.randint(1, ROWS_BEFORE // 3)
            kafka = self.worker_.kafka()
            try:
                eventually(lambda: kafka.highs([topic]).get(topic, 0) >= at or self.snapshot_done(), f"{at} rows have come")
            finally:
                kafka.close()
            kills += not self.snapshot_done()
            self.kill_worker()
        eventually(self.snapshot_done, "the snapshot is done")
        self.assertGreater(kills, 0, "the snapshot was hit")
        self.workload.ddl_allowed.set()
        for _ in self.moments(0.2, 1):
            pass
        self.check()

    def test_tables_change_while_the_snapshot_reads_them(self):
        """A consistent read does not outlive ALTER TABLE: the table must be read beside the stream."""
        self.begin(once=True, more_rows=ROWS_BEFORE // 5, filled="moving", ddl=True)
        for _ in self.moments(0.2, 2):
            self.kill_worker()
        eventually(self.snapshot_done, "the snapshot is done", 120)
        self.check()

    def test_connections_are_killed_and_the_connector_is_paused(self):
        """With transactions so large that a broken stream ends within them."""
        self.begin(once=True)
        for _ in self.moments(0.1, 1):
            self.hit()
            with self.db.session(DATABASE) as session:
                if self.rng.random() < 0.3:
                    self.large_transaction(session)
                # Writers have the database for their own; the connector's sessions have none.
                for (number,) in session.run("SELECT id FROM information_schema.processlist WHERE db IS NULL AND user = 'root'"):
                    self.forgiving(session, f"KILL {number.decode()}")
            if self.rng.random() < 0.2:
                self.connector.pause()
                self.connector.resume()
            self.assertFalse(self.connector.failed(), "lost connections do not fail a task")
        self.check()

    def large_transaction(self, session):
        session.run("SET innodb_lock_wait_timeout = 5")
        for statement in ("BEGIN", "UPDATE orders SET rev = rev + 1", "UPDATE stock SET rev = rev + 1", "UPDATE orders SET rev = rev + 1",
                          "COMMIT"):
            self.forgiving(session, statement)

    @staticmethod
    def forgiving(session, statement):
        try:
            session.run(statement)
        except SqlError as problem:
            if problem.code not in EXPECTED | {1094}:  # no such thread any more
                raise

    def test_the_server_is_killed_and_binlogs_are_purged(self):
        self.begin(flags=DURABLE)
        self.kill_and_purge()

    def test_all_are_killed_binlogs_are_purged_and_each_event_is_there_once(self):
        self.begin(once=True, flags=DURABLE)
        self.kill_and_purge(worker=0.3)

    def kill_and_purge(self, worker=0.0):
        for _ in self.moments(0.5, 2):
            if self.rng.random() < worker:
                self.kill_worker()
            if self.rng.random() < 0.4 and self.workload.ddl_allowed.is_set():
                self.kill_server()
            else:
                self.purge()
        self.check()

    def test_the_binlog_does_not_name_columns(self):
        """What it does not say, the schema history must; and each kill makes it be read again."""
        self.begin(once=True, flags=["--binlog-row-metadata=MINIMAL"])
        for _ in self.moments(0.2, 2):
            self.kill_worker()
        self.check()

    def kill_server(self):
        self.hit()
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
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--seconds", type=float, default=SECONDS)
    options.add_argument("--keep", help="folder to keep logs and data of the scenarios in")
    known, rest = options.parse_known_args()
    SEED, SECONDS, KEEP = known.seed, known.seconds, known.keep
    unittest.main(argv=[sys.argv[0], *rest])
