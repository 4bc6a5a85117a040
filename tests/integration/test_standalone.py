"""Standalone mode as Kafka's users know it: property files, file connectors, script names, plugins, wrong input."""
import json
import socket
import subprocess
import time
import unittest

from support import BUILD, PROGRAM, ROOT, ProcessTest, eventually

# Kafka's own sample files, by their settings.
KAFKA_WORKER = """
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable=true
offset.storage.file.filename={folder}/connect.offsets
offset.flush.interval.ms=10000
listeners=http://127.0.0.1:{port}
"""
FILE_SOURCE = "name=local-file-source\nconnector.class=FileStreamSource\ntasks.max=1\nfile=test.txt\ntopic=connect-test\n"
FILE_SINK = "name=local-file-sink\nconnector.class=FileStreamSink\ntasks.max=1\nfile=test.sink.txt\ntopics=connect-test\n"


class Standalone(ProcessTest):
    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def sink_lines(self, name="test.sink.txt"):
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def test_a_text_file_becomes_a_topic_becomes_a_file(self):
        self.write("test.txt", "one\ntwo ünï\n\nfour\n")
        worker = self.worker(connectors=[self.write("source.properties", FILE_SOURCE), self.write("sink.properties", FILE_SINK)]).start()
        eventually(lambda: self.sink_lines() == ["one", "two ünï", "", "four"], "four lines arrived")
        with open(self.folder / "test.txt", "a") as f:
            f.write("five\n")
        eventually(lambda: self.sink_lines()[-1:] == ["five"], "an appended line follows")
        self.assertEqual(0, worker.stop())
        worker.start()
        with open(self.folder / "test.txt", "a") as f:
            f.write("six\n")
        eventually(lambda: self.sink_lines()[-1:] == ["six"], "goes on after a restart")
        self.assertEqual(self.sink_lines(), ["one", "two ünï", "", "four", "five", "six"])

    def test_kafkas_own_files_run_with_the_default_log_folder(self):
        worker = self.worker()
        properties = self.write("connect-standalone.properties", KAFKA_WORKER.format(folder=self.folder, port=worker.port))
        self.write("test.txt", "hello\n")
        worker.connectors = [str(self.write("s.properties", FILE_SOURCE)), str(self.write("k.json", json.dumps(
            {"name": "local-file-sink", "config": {"connector.class": "FileStreamSink", "file": "test.sink.txt", "topics": "connect-test"}})))]
        for link in ("connect-standalone", "connect-standalone.sh"):
            (self.folder / "test.sink.txt").unlink(missing_ok=True)
            process = subprocess.Popen([BUILD / "bin" / link, properties, *worker.connectors], cwd=self.folder, stderr=subprocess.DEVNULL)
            try:
                with open(self.folder / "test.txt", "a") as f:
                    f.write(link + "\n")
                eventually(lambda: link in self.sink_lines(), f"{link} copies the line")
            finally:
                process.terminate()
                self.assertEqual(0, process.wait(30))
        self.assertTrue((self.folder / "millrace-data").is_dir(), "log.dirs defaults to ./millrace-data")

    def test_posted_connectors_survive_and_files_win_by_name(self):
        self.write("test.txt", "x\n")
        worker = self.worker().start()
        worker.must_create("kept", {"connector.class": "FileStreamSource", "file": "test.txt", "topic": "kept-topic"})
        worker.must_create("local-file-source", {"connector.class": "FileStreamSource", "file": "other.txt", "topic": "other"})
        worker.must_create("gone", {"connector.class": "FileStreamSource", "file": "test.txt", "topic": "gone"})
        self.assertEqual(204, worker.request("DELETE", "/connectors/gone").status)
        self.assertEqual(202, worker.request("PUT", "/connectors/kept/pause").status)
        worker.stop()
        worker.connectors = [str(self.write("source.properties", FILE_SOURCE))]
        worker.start()
        self.assertEqual(sorted(worker.get("/connectors").json), ["kept", "local-file-source"])
        self.assertEqual(worker.get("/connectors/local-file-source/config").json["topic"], "connect-test")
        self.assertEqual(worker.get("/connectors/kept/status").json["connector"]["state"], "PAUSED")

    def test_rest_answers_within_100_ms_of_the_start(self):
        worker = self.worker()
        begun = time.monotonic()
        worker.launch()
        eventually(lambda: worker.get("/").status == 200, "GET / answers", 10)
        # The bound itself is the benchmark's; here only that no start-up work stands before the answer.
        self.assertLess(time.monotonic() - begun, 5)

    def test_wrong_input_ends_with_a_sentence(self):
        worker = self.worker()

        def refused(*arguments, code=3):
            done = subprocess.run([PROGRAM, *map(str, arguments)], cwd=self.folder, capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, code, done.stderr)
            return done.stderr + done.stdout

        good = self.write("w.properties", KAFKA_WORKER.format(folder=self.folder, port=worker.port))
        self.assertIn("worker", refused("standalone", code=1))
        self.assertIn("nothing.properties", refused("standalone", "nothing.properties"))
        self.assertIn('Missing required configuration "key.converter"', refused("standalone", self.write("empty.properties", "")))
        no_name = self.write("noname.properties", "connector.class=FileStreamSource\n")
        self.assertIn("is missing the mandatory 'name' configuration", refused("standalone", good, no_name))
        no_topic = self.write("notopic.properties", "name=x\nconnector.class=FileStreamSource\nfile=a\n")
        self.assertIn('Missing required configuration "topic"', refused("standalone", good, no_topic))
        cluster = self.write("cluster.properties", good.read_text() + "bootstrap.servers=kafka.example.com:9092\n")
        self.assertIn("bootstrap.servers", refused("standalone", cluster))
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", worker.port))
            taken.listen()
            message = refused("standalone", good)
            self.assertIn(str(worker.port), message)
            self.assertIn("listeners", message)
        # A file where the folder should be: unwritable for every user, root too.
        self.write("not-a-folder", "")
        bad_folder = self.write("folder.properties", good.read_text() + f"log.dirs={self.folder}/not-a-folder/log\n")
        self.assertIn("not-a-folder", refused("standalone", bad_folder))

    def test_one_log_folder_serves_one_worker(self):
        first = self.worker().start()
        second_port = self.write("second.properties", "".join(f"{k}={v}\n" for k, v in first.settings.items() if k != "listeners")
                                 + "listeners=http://127.0.0.1:0\n")
        done = subprocess.run([PROGRAM, "standalone", second_port], capture_output=True, text=True, timeout=30, cwd=self.folder)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(str(self.folder / "log"), done.stderr)


class Plugins(ProcessTest):
    def test_a_custom_plugin_from_one_compiler_line(self):
        plugins = self.folder / "plugins"
        plugins.mkdir()
        for source in sorted((ROOT / "examples/plugins").glob("*.cc")):
            self.assertLessEqual(len(source.read_text().splitlines()), 60, source)
            subprocess.run(["g++", "-std=c++20", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", source, "-o", plugins / f"{source.stem}.so",
                            "-I", ROOT / "sdk/include"], check=True)
        worker = self.worker(settings={"plugin.path": plugins}).start()
        listed = {plugin["class"]: plugin["type"] for plugin in worker.get("/connector-plugins").json}
        self.assertEqual(listed.get("SequenceSource"), "source")
        worker.must_create("numbers", {"connector.class": "SequenceSource", "topic": "numbers", "batch.size": "10", "interval.ms": "20"})
        worker.must_create("to-file", {"connector.class": "FileStreamSink", "file": str(self.folder / "out"), "topics": "numbers"})
        out = self.folder / "out"
        eventually(lambda: out.exists() and len(out.read_text().splitlines()) >= 50, "fifty numbers arrived")
        worker.kill()
        seen = len(out.read_text().splitlines())
        worker.start()
        eventually(lambda: len(out.read_text().splitlines()) >= seen + 50, "it goes on after a kill")
        numbers = [int(line) for line in out.read_text().splitlines()]
        self.assertEqual(set(range(max(numbers) + 1)), set(numbers), "no number is missing")

    def test_broken_plugins_are_refused_or_fail_alone(self):
        faults = BUILD / "tests/bad_plugins"
        (self.folder / "in.txt").write_text("alive\n")
        worker = self.worker(settings={"plugin.path": faults, "task.shutdown.graceful.timeout.ms": "1000"}).start()
        log = worker.log_text()
        for fault in ("wrong_major", "missing_symbol", "null_table", "null_functions"):
            line = next((text for text in log.splitlines() if "plugin_refused" in text and fault in text), None)
            self.assertIsNotNone(line, f"{fault} is refused")
        classes = [plugin["class"] for plugin in worker.get("/connector-plugins").json]
        worker.must_create("good", {"connector.class": "FileStreamSource", "file": str(self.folder / "in.txt"), "topic": "good"})
        worker.must_create("good-sink", {"connector.class": "FileStreamSink", "file": str(self.folder / "out.txt"), "topics": "good"})
        failing = [name for name in classes if name.startswith(("ThrowsIn", "BadOffsets", "BadSchema"))]
        self.assertGreaterEqual(len(failing), 3, classes)
        for name in failing:
            worker.must_create(name, {"connector.class": name, "topic": "bad"})
            trace = worker.failed_trace(name)
            self.assertRegex(trace, r"^org\.apache\.kafka\.\S+: .{10,}")
        hangs = [name for name in classes if "Hangs" in name]
        for name in hangs:
            release = self.folder / "release-the-hang"
            worker.must_create(name, {"connector.class": name, "topic": "bad", "release.file": str(release)})
            worker.wait_for_states(name, ["RUNNING", "RUNNING"])
            self.assertEqual(204, worker.request("DELETE", f"/connectors/{name}").status)
        with open(self.folder / "in.txt", "a") as f:
            f.write("still alive\n")
        eventually(lambda: "still alive" in (self.folder / "out.txt").read_text(), "the good pair runs on")
        self.assertIn("task_left_behind", worker.log_text())
        self.assertEqual(0, worker.stop())


if __name__ == "__main__":
    unittest.main()
