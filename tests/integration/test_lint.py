"""`millrace lint` on files: what it says of good and bad ones, and its exit codes."""
import json
import pathlib
import subprocess
import tempfile
import unittest

from support import PROGRAM, ROOT

WORKER = """key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
listeners=http://127.0.0.1:8083
config.providers=file
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
"""


class LintTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.write("secrets.properties", "password=open sesame\n")
        self.worker = self.write("worker.properties", WORKER)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def sink(self, name="sink.json", **more):
        config = {"name": name, "connector.class": "JdbcSinkConnector", "topics": "t", "connection.url": "jdbc:mariadb://localhost:1/x",
                  "connection.user": "root", "connection.password": "${file:%s/secrets.properties:password}" % self.folder,
                  "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead",
                  "errors.deadletterqueue.context.headers.enable": "true", **more}
        return self.write(name, json.dumps(config))

    def lint(self, *arguments):
        done = subprocess.run([PROGRAM, "lint", *arguments], capture_output=True, text=True, cwd=self.folder, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def test_good_files_are_clean(self):
        source = self.write("source.properties", "name=lines\nconnector.class=FileStreamSource\nfile=in.txt\ntopic=lines\n")
        self.assertEqual((0, "3 files: 0 errors, 0 warnings, 0 notices\n", ""), self.lint("--strict", self.worker, source, self.sink()))

    def test_misspelt_settings_are_warnings(self):
        sink = self.sink(**{"insert.mod": "upsert", "tasks.maks": 2})
        code, text, _ = self.lint(self.worker, sink)
        self.assertEqual(0, code, text)
        self.assertIn(f"{sink}:insert.mod: warning: No such setting; it is ignored. Did you mean insert.mode?", text)
        self.assertIn(f"{sink}:tasks.maks: warning: No such setting; it is ignored. Did you mean tasks.max?", text)
        self.assertEqual(1, self.lint("--strict", self.worker, sink)[0])

    def test_wrong_values_are_errors_in_text_and_json(self):
        sink = self.sink(**{"tasks.max": "0", "batch.size": "many", "connection.password": "${file:/no/such/file:x}"})
        code, text, _ = self.lint(self.worker, sink)
        self.assertEqual(2, code, text)
        self.assertIn(f"{sink}:tasks.max: error: Invalid value 0 for configuration tasks.max: Value must be at least 1.", text)
        self.assertIn(f"{sink}:connection.password: error: Could not read properties from file /no/such/file.", text)
        code, text, _ = self.lint("--json", self.worker, sink)
        answer = json.loads(text)
        self.assertEqual((2, 2), (code, answer["files"]))
        self.assertIn("batch.size", [f["key"] for f in answer["findings"] if f["severity"] == "error" and f["file"] == sink])

    def test_nothing_secret_is_printed_and_nothing_is_left_behind(self):
        sink = self.sink(**{"connection.password": "open sesame", "batch.size": "x"})
        before = sorted(p.name for p in self.folder.iterdir())
        text = "".join(self.lint(self.worker, sink)[1:])
        self.assertIn(f"{sink}:connection.password: warning: A secret stands here in plain text.", text)
        self.assertNotIn("open sesame", text)
        self.assertEqual(before, sorted(p.name for p in self.folder.iterdir()))

    def test_files_that_cannot_be_read_repeated_keys_and_names(self):
        twice = self.write("twice.properties", "name=a\nname=sink.json\nconnector.class=FileStreamSource\ntopic=t\n")
        code, text, _ = self.lint(self.worker, self.sink(), twice, self.write("broken.json", "{"), "/no/such/file")
        self.assertEqual(2, code)
        self.assertIn(f"{twice}:name: warning: It is set more than once", text)
        self.assertIn(f"{twice}:name: error: ", text)
        self.assertIn("broken.json: error: ", text)
        self.assertIn("/no/such/file: error: ", text)

    def test_doctor_tells_what_is_wrong_with_the_files_as_lint_does(self):
        (self.folder / "plugins").mkdir()
        self.write("plugins/broken.so", "no library")
        self.write("worker.properties", "plugin.path=plugins\n")
        twice = self.write("twice.properties", "name=twice\nname=once\nconnector.class=FileStreamSource\ntopic=t\ntopic=u\n")
        done = subprocess.run([PROGRAM, "doctor", "--worker", "worker.properties", twice], capture_output=True, text=True, cwd=self.folder,
                              timeout=60)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        lines = done.stdout.splitlines()
        for start, part in [("worker.properties: warning: Connectors are checked as if", '"key.converter" which has no default value.'),
                            ("worker.properties:plugin.path: warning: plugin", "broken.so refused: it cannot be loaded"),
                            (f"{twice}:name: warning: It is set more than once", "the last one counts"),
                            (f"{twice}:topic: warning: It is set more than once", "the last one counts")]:
            self.assertTrue(any(line.startswith(start) and part in line for line in lines), (start, done.stdout))
        self.assertNotIn("..", done.stdout.replace("...", ""))

    def test_wrong_arguments(self):
        code, _, problem = self.lint("--frobnicate")
        self.assertEqual(1, code)
        self.assertIn("usage: millrace lint", problem)
        self.assertEqual(0, self.lint("--help")[0])

    def test_options_page_is_printed(self):
        self.assertEqual((ROOT / "docs/configuration.md").read_text(), self.lint("--print-options")[1])


if __name__ == "__main__":
    unittest.main()
