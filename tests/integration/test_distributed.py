"""A worker of a group on its embedded log, and the way from Kafka Connect's standalone offset file and back."""
import os
import struct
import subprocess
import time
import unittest

from support import BUILD, PROGRAM, ProcessTest, Worker, eventually, free_port


def java_entries(data):
    """The byte arrays of a serialized HashMap<byte[], byte[]>, as they follow each other: key, value, key, …"""
    start = data.index(b"\x77\x08") + 2
    size, at, arrays = struct.unpack(">II", data[start:start + 8])[1], start + 8, []
    while len(arrays) < 2 * size:
        if data[at] == 0x70:
            arrays.append(None)
            at += 1
            continue
        assert data[at] == 0x75, data[at:]
        at = data.index(b"\x78\x70", at) + 2 if data[at + 1] == 0x72 else at + 6
        length = struct.unpack(">I", data[at:at + 4])[0]
        arrays.append(data[at + 4:at + 4 + length])
        at += 4 + length
    assert data[at:] == b"\x78", data[at:]
    return dict(zip(arrays[::2], arrays[1::2]))


class Distributed(ProcessTest):
    def lines(self, name):
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def tool(self, *arguments):
        return subprocess.run([BUILD / "bin" / arguments[0], *arguments[1:]], capture_output=True, text=True, timeout=60).stdout

    def grouped(self, **settings):
        log = free_port()
        worker = self.worker(mode="distributed", settings={
            "log.listeners": f"PLAINTEXT://127.0.0.1:{log}", "bootstrap.servers": f"localhost:{log}", **settings})
        worker.log_port = log
        return worker

    def test_rows_flow_and_the_state_outlives_the_worker(self):
        (self.folder / "in.txt").write_text("one\ntwo\n")
        worker = self.grouped().start()
        self.assertIn("embedded_log", worker.log_text())
        source = {"connector.class": "FileStreamSource", "file": str(self.folder / "in.txt"), "topic": "lines"}
        answer = worker.create("source", source)
        self.assertEqual((201, []), (answer.status, answer.json["tasks"]))
        worker.must_create("sink", {"connector.class": "FileStreamSink", "file": str(self.folder / "out.txt"), "topics": "lines"})
        eventually(lambda: self.lines("out.txt") == ["one", "two"], "two lines arrive")
        server = ["--bootstrap-server", f"127.0.0.1:{worker.log_port}"]
        for topic, partitions in {"connect-configs": 1, "connect-offsets": 25, "connect-status": 5}.items():
            described = self.tool("kafka-topics", *server, "--describe", "--topic", topic)
            self.assertRegex(described, rf"PartitionCount: {partitions}\b.*cleanup.policy=compact")
        if os.environ.get("MILLRACE_SANITIZE") == "thread":
            self.skipTest("the console consumer's librdkafka does not run under ThreadSanitizer")
        kept = self.tool("kafka-console-consumer", *server, "--topic", "connect-configs", "--from-beginning", "--timeout-ms", "2000",
                         "--property", "print.key=true")
        self.assertIn('commit-source\t{"tasks":1}', kept)
        self.assertIn('target-state-source\t{"state":"STARTED","state.v2":"STARTED"}', kept)
        self.assertEqual(202, worker.request("PUT", "/connectors/sink/pause").status)
        worker.wait_for_states("sink", ["PAUSED", "PAUSED"])
        worker.kill()
        worker.start()
        worker.wait_for_states("source", ["RUNNING", "RUNNING"])
        worker.wait_for_states("sink", ["PAUSED", "PAUSED"])
        self.assertEqual({"source": {"topics": ["lines"]}}, worker.get("/connectors/source/topics").json)
        with open(self.folder / "in.txt", "a") as f:
            f.write("three\n")
        self.assertEqual(202, worker.request("PUT", "/connectors/sink/resume").status)
        eventually(lambda: self.lines("out.txt")[-1:] == ["three"], "the third line arrives")
        self.assertEqual(0, worker.stop())

    def test_a_standalone_worker_takes_the_folder_over(self):
        (self.folder / "in.txt").write_text("one\n")
        worker = self.grouped().start()
        worker.must_create("source", {"connector.class": "FileStreamSource", "file": str(self.folder / "in.txt"), "topic": "lines"})
        offsets = {"offsets": [{"partition": {"filename": str(self.folder / "in.txt")}, "offset": {"position": 4}}]}
        eventually(lambda: worker.get("/connectors/source/offsets").json == offsets, "the offset is stored")
        self.assertEqual(0, worker.stop())
        alone = self.worker().start()
        alone.wait_for_states("source", ["RUNNING", "RUNNING"])
        self.assertEqual(offsets, alone.get("/connectors/source/offsets").json)

    def test_a_thousand_connectors_are_listed_at_once(self):
        (self.folder / "in.txt").write_text("one\n")
        worker = self.worker(mode="distributed").start()
        count = 1000
        for i in range(count):
            worker.must_create(f"c{i}", {"connector.class": "FileStreamSource", "file": str(self.folder / "in.txt"), "topic": "t"})
        running = lambda: sum(1 for each in worker.get("/connectors?expand=status").json.values()
                              if [part["state"] for part in each["status"]["tasks"]] == ["RUNNING"])
        eventually(lambda: running() == count, "all run")
        best = 10
        for _ in range(5):
            begun = time.monotonic()
            worker.get("/connectors?expand=status")
            best = min(best, time.monotonic() - begun)
        self.assertLess(best, 0.25)  # 10 ms where nothing else runs; the wish is 50
        self.assertEqual(0, worker.stop())

    def test_wrong_input_ends_with_a_sentence(self):
        worker = self.worker(mode="distributed")

        def refused(**changes):
            settings = {**worker.settings, **{key.replace("_", "."): value for key, value in changes.items()}}
            path = self.folder / "w.properties"
            path.write_text("".join(f"{key}={value}\n" for key, value in settings.items() if value is not None))
            done = subprocess.run([PROGRAM, "distributed", path], cwd=self.folder, capture_output=True, text=True, timeout=30)
            self.assertEqual(3, done.returncode, done.stderr)
            return done.stderr

        for key in ("group.id", "config.storage.topic", "offset.storage.topic", "status.storage.topic"):
            self.assertIn(f'Missing required configuration "{key}"', refused(**{key: None}))
        self.assertIn("bootstrap.servers=kafka.example.com:9092", refused(bootstrap_servers="kafka.example.com:9092"))
        self.assertIn("bootstrap.servers=localhost:1", refused(bootstrap_servers="localhost:1"))


class OffsetFile(ProcessTest):
    def start(self, name, offsets):
        folder = self.folder / name
        folder.mkdir()
        worker = Worker(folder, settings={"offset.storage.file.filename": str(offsets), "offset.flush.interval.ms": "100"})
        self.addCleanup(worker.stop)
        return worker.start()

    def test_offsets_come_from_the_file_and_go_back_to_it(self):
        offsets, data = self.folder / "connect.offsets", self.folder / "in.txt"
        data.write_text("one\ntwo\n")
        config = {"connector.class": "FileStreamSource", "file": str(data), "topic": "lines"}
        key = f'["source",{{"filename":"{data}"}}]'.encode()
        first = self.start("first", offsets)
        first.must_create("source", config)
        eventually(lambda: offsets.exists() and java_entries(offsets.read_bytes()).get(key) == b'{"position":8}', "the file tells the offset")
        self.assertEqual(0, first.stop())
        data.write_text("one\ntwo\nthree\n")
        second = self.start("second", offsets)  # a new log: only the file knows the offset
        second.must_create("source", config)
        second.must_create("sink", {"connector.class": "FileStreamSink", "file": str(self.folder / "out.txt"), "topics": "lines"})
        out = self.folder / "out.txt"
        eventually(lambda: out.exists() and out.read_text() == "three\n", "only the third line is read")
        self.assertEqual(204, second.request("PUT", "/connectors/source/stop").status)
        self.assertEqual(200, second.request("DELETE", "/connectors/source/offsets").status)
        self.assertNotIn(key, java_entries(offsets.read_bytes()))
        self.assertEqual(0, second.stop())

    def test_another_file_is_refused_by_name(self):
        offsets = self.folder / "connect.offsets"
        offsets.write_text("not this")
        worker = self.worker(settings={"offset.storage.file.filename": str(offsets)}).launch()
        self.assertEqual(3, worker.process.wait(30))
        self.assertIn(str(offsets), worker.log_text())
        self.assertEqual("not this", offsets.read_text())


if __name__ == "__main__":
    unittest.main()
