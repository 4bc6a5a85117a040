"""`millrace connectors`, `import` and `completion` against real workers."""
import json
import os
import subprocess
import unittest

from support import PROGRAM, ProcessTest, Worker, eventually


class ConnectorsCli(ProcessTest):
    def setUp(self):
        super().setUp()
        self.here = self.start_worker("here")

    def start_worker(self, name, **settings):
        folder = self.folder / name
        folder.mkdir()
        worker = Worker(folder, settings={"offset.flush.interval.ms": "200", **settings})
        self.addCleanup(worker.stop)
        return worker.start()

    def millrace(self, *arguments, code=0, worker=None, stdin=""):
        environment = {**os.environ, "MILLRACE_URL": f"http://127.0.0.1:{(worker or self.here).port}"}
        done = subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=120,
                              env=environment, cwd=self.folder)
        self.assertEqual(code, done.returncode, f"{arguments}:\n{done.stdout}\n{done.stderr}")
        return done.stdout if code == 0 else done.stdout + done.stderr

    def connectors(self, *arguments, **options):
        return self.millrace("connectors", *arguments, **options)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def source(self, name="src", **more):
        self.write("in.txt", "one\ntwo\nthree\n")
        settings = {"name": name, "connector.class": "FileStreamSource", "file": self.folder / "in.txt", "topic": "lines", **more}
        return self.write(f"{name}.properties", "".join(f"{k}={v}\n" for k, v in settings.items()))

    def sink(self, name="snk", **more):
        config = {"connector.class": "FileStreamSink", "file": str(self.folder / "out.txt"), "topics": "lines", **more}
        return self.write(f"{name}.json", json.dumps({"name": name, "config": config}))

    def position(self, name="src", worker=None):
        offsets = json.loads(self.connectors("offsets", "get", name, "--json", worker=worker))["offsets"]
        return offsets[0]["offset"]["position"] if offsets else None

    def test_apply_list_and_change(self):
        self.assertIn("No connectors", self.connectors("list"))
        files = ["-f", self.source(), "-f", self.sink()]
        self.assertIn("src: would be created", self.connectors("apply", *files, "--dry-run"))
        self.assertEqual([], self.here.get("/connectors").json)
        self.assertEqual("src: created\nsnk: created\nsrc: RUNNING\nsnk: RUNNING\n", self.connectors("apply", *files, "--wait"))
        self.assertEqual("src: unchanged\nsnk: unchanged\n", self.connectors("apply", *files))
        lines = self.connectors("list").splitlines()
        self.assertEqual(["snk", "sink", "RUNNING", "1/1", f"127.0.0.1:{self.here.port}", "FileStreamSink"], lines[1].split())
        self.assertEqual("src: updated: batch.size\n", self.connectors("apply", "-f", self.source(**{"batch.size": "7"})))
        self.assertEqual("7", json.loads(self.connectors("get", "src"))["batch.size"])
        self.assertIn("task 0     RUNNING", self.connectors("status", "snk"))
        eventually(lambda: self.connectors("topics", "src") == "lines\n", "the topic is told")
        self.assertIn("did you mean 'snk'?", self.connectors("status", "sink", code=1))

    def test_states(self):
        self.connectors("apply", "-f", self.source(), "-f", self.sink(), "--wait")
        self.assertEqual("src: PAUSED\n", self.connectors("pause", "src", "--wait"))
        self.assertEqual("snk: STOPPED\nsrc: STOPPED\n", self.connectors("stop", "--all", "--wait"))
        self.assertEqual("src: RUNNING\n", self.connectors("resume", "src", "--wait"))
        self.assertIn("restarting connector, task 0", self.connectors("restart", "src", "--wait"))
        self.assertEqual("src: nothing has failed\n", self.connectors("restart", "src", "--failed"))
        self.assertEqual("src: restarted task 0\n", self.connectors("restart", "src", "--task", "0"))
        self.assertIn("src task 0  RUNNING", self.connectors("watch", "src", "--until", "RUNNING"))
        self.connectors("watch", "src", "--until", "PAUSED", "--until-timeout", "0.1", code=1)
        self.assertEqual("src: deleted\nsnk: deleted\n", self.connectors("delete", "src", "snk"))
        self.assertEqual([], self.here.get("/connectors").json)

    def test_watch_tells_changes_until_it_is_interrupted(self):
        self.connectors("apply", "-f", self.source(), "--wait")
        watch = subprocess.Popen([PROGRAM, "connectors", "watch", "--url", f"http://127.0.0.1:{self.here.port}"],
                                 stdout=subprocess.PIPE, text=True)
        try:
            self.assertIn("src  RUNNING", watch.stdout.readline())
            self.assertIn("src task 0  RUNNING", watch.stdout.readline())
            self.connectors("pause", "src")
            self.assertIn("PAUSED", watch.stdout.readline())
        finally:
            watch.send_signal(2)
            watch.wait(10)
            watch.stdout.close()

    def test_offsets(self):
        self.connectors("apply", "-f", self.source(), "--wait")
        eventually(lambda: self.position() == 14, "all is read")
        stored = json.loads(self.connectors("offsets", "get", "src", "--json"))
        stored["offsets"][0]["offset"]["position"] = 4
        self.assertIn("--stop", self.connectors("offsets", "set", "src", "-", stdin=json.dumps(stored), code=1))
        self.connectors("stop", "src", "--wait")
        self.connectors("offsets", "set", "src", "-", stdin=json.dumps(stored))
        self.assertEqual(4, self.position())
        self.connectors("resume", "src", "--wait")
        eventually(lambda: self.position() == 14, "the rest is read again")
        self.connectors("offsets", "reset", "src", code=2)
        self.connectors("offsets", "reset", "src", "--yes", "--stop")
        self.here.wait_for_states("src", ["RUNNING", "RUNNING"])
        self.connectors("delete", "src", "--offsets")
        self.connectors("apply", "-f", "-", stdin=json.dumps(
            {"name": "src", "initial_state": "STOPPED", "config": {"connector.class": "FileStreamSource", "topic": "lines",
                                                                   "file": str(self.folder / "in.txt")}}))
        self.assertIn("has no stored offsets", self.connectors("offsets", "get", "src"))

    def test_failures_are_explained(self):
        refused = self.connectors("apply", "-f", self.source(**{"tasks.max": "many"}), code=1)
        self.assertIn("tasks.max: Invalid value many", refused)
        self.assertIn("tasks.max: Invalid value many", self.connectors("validate", self.source(**{"tasks.max": "many"}), code=1))
        self.assertIn("src: valid", self.connectors("validate", self.source()))
        unknown = self.write("x.json", json.dumps({"name": "x", "connector.class": "Nowhere"}))
        self.assertIn("no connector class 'Nowhere'", self.connectors("validate", unknown, code=1))
        failing = self.sink("failing", file="/nonexistent/folder/out.txt")
        said = self.connectors("apply", "-f", failing, "--wait", code=1)
        self.assertIn("task 0 is FAILED", said)
        self.assertIn("/nonexistent/folder/out.txt", self.connectors("errors", "failing"))
        self.assertIn("task 0: ", self.connectors("list"))
        failure = json.loads(self.connectors("errors", "--json"))[0]
        self.assertIn("millrace connectors restart failing --failed", failure["to_do"])
        self.assertIn("task 0", self.connectors("restart", "failing", "--failed"))

    def test_the_worker_itself(self):
        self.assertIn("org.apache.kafka.connect.file.FileStreamSourceConnector", self.connectors("plugins"))
        self.assertIn("batch.size", self.connectors("plugins", "FileStreamSource"))
        self.assertIn("did you mean", self.connectors("plugins", "FileStreamSourse", code=1))
        if self.here.get("/admin/loggers").status == 200:
            self.assertIn("root", self.connectors("loggers", "list"))
            self.connectors("loggers", "set", "root", "INFO")
            self.assertEqual("INFO\n", self.connectors("loggers", "get", "root"))
        else:
            self.assertIn("the worker has no GET", self.connectors("loggers", "list", code=1))
        self.assertIn("no worker answers", self.connectors("list", "--url", "http://127.0.0.1:1", code=1))
        self.assertIn("did you mean 'list'?", self.connectors("lits", code=2))
        self.assertIn("Exit codes", self.connectors("--help"))

    def test_completion_in_bash(self):
        self.connectors("apply", "-f", self.source("orders-source"), "-f", self.sink("orders-sink"))

        def complete(*words):
            script = (f'source <("{PROGRAM}" completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _millrace; '
                      'printf "%s\\n" "${COMPREPLY[@]}"')
            done = subprocess.run(["bash", "-c", script, "bash", str(PROGRAM), *words], capture_output=True, text=True, timeout=30,
                                  env={**os.environ, "MILLRACE_URL": f"http://127.0.0.1:{self.here.port}"})
            self.assertEqual("", done.stderr)
            return done.stdout.split()

        self.assertEqual(["connectors"], complete("conn"))
        self.assertEqual(["standalone"], complete("stand"))
        self.assertEqual(["restart", "resume"], complete("connectors", "re"))
        self.assertEqual(["orders-sink", "orders-source"], complete("connectors", "status", "ord"))
        self.assertEqual(["--dry-run"], complete("connectors", "apply", "--dry"))

    def test_import_takes_connectors_over_at_the_same_place(self):
        old = self.here
        new = self.start_worker("new")
        self.connectors("apply", "-f", self.source(), "-f", self.source("rests"), "--wait")
        self.connectors("stop", "rests", "--wait")
        eventually(lambda: self.position() == 14, "all is read")
        urls = [f"http://127.0.0.1:{old.port}", "--to", f"http://127.0.0.1:{new.port}"]
        shown = self.millrace("import", *urls)
        self.assertRegex(shown, r"src +source +RUNNING +known +valid +1, moving +create")
        self.assertEqual([], new.get("/connectors").json)
        self.millrace("import", *urls, "--apply", "--start")
        self.assertEqual(["STOPPED"], new.states("src"), "while it runs there, it does not run here")
        self.assertEqual(["RUNNING", "RUNNING"], old.states("src"))
        with open(self.folder / "in.txt", "a") as f:
            f.write("four\n")
        eventually(lambda: self.position(worker=old) == 19, "the old one reads on")
        self.assertIn("set offsets", self.millrace("import", *urls))
        said = self.millrace("import", *urls, "--apply", "--stop-old", "--start")
        self.assertIn("src: here already, 1 offset(s) verified, resumed", said)
        self.assertEqual(["STOPPED"], old.states("src"))
        new.wait_for_states("src", ["RUNNING", "RUNNING"])
        self.assertEqual(["STOPPED"], new.states("rests"))
        self.assertEqual(19, self.position(worker=new))
        with open(self.folder / "in.txt", "a") as f:
            f.write("five\n")
        eventually(lambda: self.position(worker=new) == 24, "it goes on here")
        # What the new worker has written is only what came after: nothing was read twice.
        self.connectors("apply", "-f", self.sink(**{"value.converter": "org.apache.kafka.connect.storage.StringConverter"}), worker=new)
        eventually(lambda: (self.folder / "out.txt").exists() and (self.folder / "out.txt").read_text().count("\n") >= 1, "one line arrives")
        self.assertEqual(1, (self.folder / "out.txt").read_text().count("five"))
        self.assertNotIn("four", (self.folder / "out.txt").read_text())
        self.assertIn("src: not touched", self.millrace("import", *urls, "--apply", "--start"))


if __name__ == "__main__":
    unittest.main()
