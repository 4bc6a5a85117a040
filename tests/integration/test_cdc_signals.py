"""Signals to a change data capture connector while sessions write and the worker is killed: incremental snapshots that are started,
paused, resumed and stopped by rows of the signal table or by a Kafka topic, and blocking ones. In the end the topics, applied event by
event, must make the very tables; each row that was read must fit what the stream said of it before.

MILLRACE_SEED sets the choices (printed).
"""
import json
import os
import random
import sys
import unittest

import cdc_support
from cdc_replica import Replica, table_of
from cdc_writers import DATABASE, Workload
from support import ProcessTest, eventually

SEED = int(os.environ.get("MILLRACE_SEED", random.SystemRandom().randrange(10**6)))
PREFIX, TABLES = "cdc", ("orders", "stock", "moving")
NOTES, SIGNALS, SIGNAL_TABLE = "cdc.notes", "cdc.signals", f"{DATABASE}.signals"
NO_TOPICS = unittest.skipIf(os.environ.get("MILLRACE_SANITIZE") == "thread", "librdkafka does not run under ThreadSanitizer")
QUIET_S = 0.7  # several looks of the connector


class Signals(ProcessTest):
    def begin(self, more_rows=0, **settings):
        print(f"MILLRACE_SEED={SEED}", file=sys.stderr)
        self.signals = 0
        self.db = cdc_support.CdcServer(self.folder).start()
        self.addCleanup(self.db.stop)
        Workload.prepare(self.db)
        self.session = self.db.session()
        self.addCleanup(self.session.close)
        self.session.run(f"CREATE TABLE {SIGNAL_TABLE} (id VARCHAR(64) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048))")
        if more_rows:
            self.session.run(f"INSERT INTO {DATABASE}.orders (id, name) SELECT -seq, CONCAT('row ', seq) FROM {DATABASE}.seq_1_to_{more_rows}")
        converters = {f"{part}.converter.schemas.enable": "false" for part in ("key", "value")}
        self.worker_ = cdc_support.CdcWorker(self.folder / "worker", settings={
            **converters, "value.converter.replace.null.with.default": "false", "exactly.once.source.support": "enabled"})
        self.addCleanup(self.worker_.stop)
        self.worker_.start()
        self.worker_.topic_tool("--create", "--topic", SIGNALS, "--partitions", "1")
        self.workload = Workload(self.db, f"{SEED}/{self.id()}", writers=4, ddl=False)
        self.workload.start()
        self.addCleanup(self.workload.stopping.set)
        self.connector = self.worker_.connector("shop")
        self.connector.create({**cdc_support.connector_config(
            self.db, self.worker_, PREFIX, snapshot_mode="no_data", decimal_handling_mode="string", binary_handling_mode="base64",
            exactly_once_support="required", errors_retry_delay_initial_ms="100", errors_retry_delay_max_ms="500",
            notification_enabled_channels="sink", signal_poll_interval_ms="100"),
            "table.include.list": f"{DATABASE}\\.(orders|stock|moving|marker)", "notification.sink.topic.name": NOTES,
            "signal.kafka.topic": SIGNALS, "signal.kafka.bootstrap.servers": self.worker_.bootstrap, **settings})
        eventually(lambda: self.connector.phase() != "snapshot", "the stream is read")
        self.insert_marker(1)
        eventually(lambda: self.highs(["marker"])["marker"], "the stream is read")

    def kafka(self):
        return self.worker_.kafka(**{"isolation.level": "read_committed"})

    def records(self, topic):
        kafka = self.kafka()
        try:
            return list(kafka.read([topic], 60)) if topic in kafka.topics() else []
        finally:
            kafka.close()

    def highs(self, tables=TABLES):
        kafka = self.kafka()
        try:
            topics = {name: f"{PREFIX}.{DATABASE}.{name}" for name in tables}
            highs = kafka.highs(list(topics.values()))
            return {name: highs.get(topic, 0) for name, topic in topics.items()}
        finally:
            kafka.close()

    def read_rows(self, table):
        return sum(event["op"] == "r" for event in map(self.event_of, self.records(f"{PREFIX}.{DATABASE}.{table}")) if event)

    @staticmethod
    def event_of(record):
        return cdc_support.envelope(record.value)

    def notes(self, kind="Incremental Snapshot"):
        told = [self.event_of(record) for record in self.records(NOTES)]
        return [(note["type"], note["additional_data"]) for note in told if note["aggregate_type"] == kind]

    def told(self, wanted, times=1, kind="Incremental Snapshot"):
        eventually(lambda: sum(type_ == wanted for type_, _ in self.notes(kind)) >= times,
                   f"{wanted} is told {times} times ({self.connector.states()}: {self.connector.trace()[:500]})", 60)

    def by_table(self, kind, **data):
        self.signals += 1
        text = json.dumps({name.replace("_", "-"): value for name, value in data.items()}).replace("\\", "\\\\").replace("'", "''")
        self.session.run(f"INSERT INTO {SIGNAL_TABLE} VALUES ('signal-{self.signals}', '{kind}', '{text}')")

    def by_topic(self, kind, **data):
        self.signals += 1
        text = json.dumps({"id": f"signal-{self.signals}", "type": kind, "data": {name.replace("_", "-"): value for name, value in data.items()}})
        kafka = self.worker_.kafka()
        try:
            kafka.produce(SIGNALS, PREFIX.encode(), text.encode())
        finally:
            kafka.close()

    def by_file(self, kind, **data):
        self.signals += 1
        with open(self.folder / "signals.txt", "a", encoding="utf-8") as file:
            file.write(json.dumps({"id": f"signal-{self.signals}", "type": kind,
                                   "data": {name.replace("_", "-"): value for name, value in data.items()}}) + "\n")

    def by_rest(self, kind, **data):
        self.signals += 1
        answer = self.worker_.request("POST", "/connectors/shop/signals", {
            "id": f"signal-{self.signals}", "type": kind, "data": {name.replace("_", "-"): value for name, value in data.items()}})
        self.assertEqual(202, answer.status, answer.text)

    def insert_marker(self, number):
        self.session.run(f"INSERT INTO {DATABASE}.marker VALUES ({number}, 0)")

    def kill_worker(self):
        self.worker_.kill()
        self.worker_.start()
        eventually(lambda: self.connector.states() == ("RUNNING", "RUNNING"), "the task runs again", 60)

    def close_gate(self, table, first, last):
        """A condition that holds a snapshot of the table up within some rows until open_gate(), however fast the machine is: the chunk
        with them waits for a lock of the server's that the test has. (Of them alone, as the largest key is asked for first.)"""
        self.gate = self.db.session()
        self.addCleanup(self.gate.close)
        self.gate.run("DO GET_LOCK('gate', 0)")
        return [{"data-collection": f"{DATABASE}.{table}", "filter": f"(id NOT BETWEEN {first} AND {last} OR GET_LOCK('gate', 600) = 1)"}]

    def wait_at_gate(self):
        eventually(lambda: self.gate.value("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User lock'") == "1", "a chunk waits at the gate")

    def open_gate(self):
        self.gate.run("DO RELEASE_LOCK('gate')")

    def check(self, tables=TABLES):
        """Every row is there, and as the table has it."""
        self.workload.stop()
        self.insert_marker(99)
        eventually(lambda: any(event and event["after"] and event["after"]["id"] == 99 for event in map(
            self.event_of, self.records(f"{PREFIX}.{DATABASE}.marker"))), "the last change arrives", 60)
        self.connector.stop()
        for name in tables:
            replica = Replica(f"{PREFIX}.{DATABASE}.{name}", once=True, interrupted=True)
            for record in self.records(replica.topic):
                replica.apply(record)
            with self.db.session() as session:
                differences = list(replica.differences(table_of(session, DATABASE, name)))
            self.assertEqual([], differences[:5], f"{len(differences)} rows of {name} differ")

    def pause_kill_resume_kill(self, send):
        send("execute-snapshot", type="incremental", data_collections=[f"{DATABASE}.(orders|stock|moving)"],
             additional_conditions=self.close_gate("orders", 2_400, 2_600))
        self.wait_at_gate()
        send("pause-snapshot", type="incremental")
        self.open_gate()
        self.told("PAUSED")
        chunks = lambda: sum(type_ == "IN_PROGRESS" for type_, _ in self.notes())
        paused = cdc_support.settled(chunks, QUIET_S, 10)
        streamed = self.highs()
        self.kill_worker()
        eventually(lambda: all(high > streamed[name] for name, high in self.highs().items()), "the stream goes on")
        self.assertEqual(paused, cdc_support.settled(chunks, QUIET_S, 10), "paused, also after a kill")
        send("resume-snapshot", type="incremental")
        self.told("RESUMED")
        eventually(lambda: chunks() > paused + 2, "some more chunks are read")
        self.kill_worker()
        self.told("COMPLETED")
        notes = self.notes()
        self.assertEqual(1, sum(type_ == "STARTED" for type_, _ in notes), "the signal is not obeyed again")
        scanned = {data["scanned_collection"] for type_, data in notes if type_ == "TABLE_SCAN_COMPLETED" and data["status"] == "SUCCEEDED"}
        self.assertEqual({f"{DATABASE}.{name}" for name in TABLES}, scanned)

    def test_incremental_by_the_signal_table(self):
        self.begin(**{"signal.data.collection": SIGNAL_TABLE, "incremental.snapshot.chunk.size": "97"})
        self.pause_kill_resume_kill(self.by_table)
        self.check()

    @NO_TOPICS
    def test_incremental_by_a_topic_without_writing_to_the_server(self):
        self.begin(**{"signal.enabled.channels": "kafka", "read.only": "true", "incremental.snapshot.chunk.size": "23"}, more_rows=20_000)
        self.pause_kill_resume_kill(self.by_topic)
        self.kill_worker()
        self.insert_marker(2)
        eventually(lambda: self.highs(["marker"])["marker"] > 1, "the stream goes on")
        self.assertEqual(1, sum(type_ == "STARTED" for type_, _ in self.notes()), "old signals are not obeyed again")
        self.check()

    def test_a_stopped_snapshot_leaves_out_only_what_it_names(self):
        self.begin(**{"signal.data.collection": SIGNAL_TABLE, "signal.enabled.channels": "source,file",
                      "signal.file": str(self.folder / "signals.txt"), "incremental.snapshot.chunk.size": "50"}, more_rows=20_000)
        self.by_file("execute-snapshot", type="incremental", data_collections=[f"{DATABASE}.orders", f"{DATABASE}.stock"],
                     additional_conditions=self.close_gate("orders", -10_000, -9_990))
        self.wait_at_gate()
        self.by_rest("pause-snapshot", type="incremental")
        self.open_gate()
        self.told("PAUSED")
        self.by_rest("stop-snapshot", type="incremental", data_collections=[f"{DATABASE}.orders"])
        self.told("ABORTED")
        self.by_rest("resume-snapshot", type="incremental")
        self.told("TABLE_SCAN_COMPLETED")
        self.check(["stock"])
        self.assertLess(self.read_rows("orders"), 20_000)

    def test_a_pause_gets_between_chunks_of_a_server_that_nobody_writes_to(self):
        self.begin(**{"signal.enabled.channels": "file", "signal.file": str(self.folder / "signals.txt"), "read.only": "true",
                      "incremental.snapshot.chunk.size": "50"})
        self.workload.stop()
        self.by_rest("execute-snapshot", type="incremental", data_collections=[f"{DATABASE}.orders"],
                     additional_conditions=self.close_gate("orders", 2_400, 2_600))
        self.wait_at_gate()
        self.by_rest("pause-snapshot", type="incremental")
        self.open_gate()
        self.told("PAUSED")
        self.by_rest("resume-snapshot", type="incremental")
        self.told("COMPLETED")
        self.check(["orders"])

    @NO_TOPICS
    def test_blocking(self):
        rows = 60_000
        self.begin(**{"signal.enabled.channels": "kafka"}, more_rows=rows)
        self.by_topic("execute-snapshot", type="blocking", data_collections=[f"{DATABASE}.orders", f"{DATABASE}.stock", f"{DATABASE}.moving"],
                      additional_conditions=[{"data-collection": f"{DATABASE}.moving", "filter": f"SELECT * FROM {DATABASE}.moving WHERE id < 0"}])
        eventually(lambda: self.highs()["orders"] > rows // 3, "the snapshot is on its way")
        self.kill_worker()
        self.told("COMPLETED", times=2, kind="Initial Snapshot")  # the one of the start has no rows
        events = [event for event in map(self.event_of, self.records(f"{PREFIX}.{DATABASE}.orders")) if event]
        last = max(i for i, event in enumerate(events) if event["op"] == "r")
        first = max(i for i, event in enumerate(events) if event["source"]["snapshot"] == "first")
        self.assertEqual({"r"}, {event["op"] for event in events[first:last + 1]}, "the stream stands still meanwhile")
        self.assertGreaterEqual(last - first, rows)
        self.assertEqual(0, self.read_rows("moving"), "the condition holds")
        self.check(["orders", "stock"])

    def test_a_table_that_is_added_is_read_beside_the_stream(self):
        lists = f"{DATABASE}\\.(orders|marker)"
        self.begin(**{"snapshot.new.tables": "parallel", "table.include.list": lists, "incremental.snapshot.chunk.size": "50"}, more_rows=5_000)
        eventually(lambda: "millrace_captured" in str(self.worker_.get("/connectors/shop/offsets").json), "the lists are in the offset")
        self.connector.merge({"table.include.list": f"{DATABASE}\\.(orders|stock|marker)"})
        self.kill_worker()
        self.told("COMPLETED")
        self.assertEqual(0, self.read_rows("orders"), "what was captured before is not read again")
        self.connector.restart(60)
        self.check(["stock"])
        self.assertEqual(1, sum(type_ == "STARTED" for type_, _ in self.notes()), "only once")

    def test_a_blocking_snapshot_that_cannot_be_done_fails_nothing(self):
        self.begin(**{"signal.data.collection": SIGNAL_TABLE})
        self.by_table("execute-snapshot", type="blocking", data_collections=[f"{DATABASE}.stock"],
                      additional_conditions=[{"data-collection": f"{DATABASE}.stock", "filter": "SELECT * FROM nowhere WHERE AND"}])
        self.told("ABORTED", kind="Initial Snapshot")
        self.by_table("execute-snapshot", type="blocking", data_collections=[f"{DATABASE}.stock"])
        self.told("COMPLETED", times=2, kind="Initial Snapshot")
        self.check(["stock"])


if __name__ == "__main__":
    unittest.main()
