"""What the process tests share: a private MariaDB, a worker, REST calls, and waiting for conditions.

The worker is the real program; the database is a real server on a free port. Nothing is mocked and nothing sleeps
longer than until its condition holds.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MILLRACE_BUILD", ROOT / "build/release"))
PROGRAM = BUILD / "bin/millrace"
PASSWORD = "test1357"
# Sanitizers make everything slower; one number to turn.
PATIENCE_S = float(os.environ.get("MILLRACE_PATIENCE_S", "60"))


def free_port(given=set()):
    """One that was not given out before: what asked first may not listen yet."""
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in given:
            given.add(port)
            return port


def eventually(condition, what, timeout_s=None):
    """The first true value of condition(), or a failure that says what did not happen and what was seen last."""
    end, last = time.monotonic() + (timeout_s or PATIENCE_S), None
    while True:
        try:
            last = condition()
        except (OSError, AssertionError, RuntimeError) as problem:
            last = problem
        if last and not isinstance(last, Exception):
            return last
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {timeout_s or PATIENCE_S} s; last seen: {last!r}")
        time.sleep(0.02)


class MariaDb:
    def __init__(self, folder, flags=(), environment=None):
        self.folder = pathlib.Path(folder) / "mariadb"
        self.environment = {**os.environ, **(environment or {})}
        self.flags = list(flags)  # for mariadbd, beside those of scripts/private-mariadb
        self.port = None
        self.process = None  # once restarted by this test

    def start(self):
        out = subprocess.run([ROOT / "scripts/private-mariadb", "start", self.folder, PASSWORD, *self.flags], capture_output=True, text=True,
                             env=self.environment)
        if out.returncode != 0:
            raise RuntimeError(out.stderr.strip())
        self.port = int(out.stdout.strip())
        return self

    def stop(self):
        if self.process:  # our own child must be waited for, or it stays a zombie
            self.process.terminate()
            self.process.wait(30)
        subprocess.run([ROOT / "scripts/private-mariadb", "stop", self.folder], check=True, timeout=60)

    def kill(self):
        pid = int((self.folder / "mariadbd.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not alive(pid), "mariadbd is gone")

    def restart_on_same_port(self):
        """Kafka Connect users expect a server that returns to be found again; so it returns where it was."""
        user = ["--user=root"] if os.getuid() == 0 else []
        self.process = subprocess.Popen(
            [shutil.which("mariadbd") or "/usr/sbin/mariadbd", "--no-defaults", *user, f"--datadir={self.folder}/data",
             f"--tmpdir={self.folder}/tmp",  # a server that starts removes what others have in a shared folder
             f"--socket={self.folder}/socket", f"--pid-file={self.folder}/mariadbd.pid", f"--port={self.port}",
             "--bind-address=127.0.0.1", f"--log-error={self.folder}/error.log", *self.flags], env=self.environment)
        eventually(lambda: self.sql("SELECT 1") == "1", "mariadbd answers again")

    def sql(self, statements, database=None):
        command = ["mariadb", "--no-defaults", f"--socket={self.folder}/socket", "-uroot", f"-p{PASSWORD}", "-N", "-B",
                   "--default-character-set=utf8mb4"]
        done = subprocess.run(command + ([database] if database else []), input=statements, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.strip()

    def url(self, database, scheme="mysql"):
        return f"jdbc:{scheme}://127.0.0.1:{self.port}/{database}"


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie is gone for our purposes.
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Answer:
    def __init__(self, status, text, headers):
        self.status, self.text, self.headers = status, text, headers

    @property
    def json(self):
        return json.loads(self.text)


GROUP_SETTINGS = {
    "group.id": "connect-cluster",
    "config.storage.topic": "connect-configs",
    "offset.storage.topic": "connect-offsets",
    "status.storage.topic": "connect-status",
}


class Worker:
    """`millrace standalone`, or `millrace distributed`, in a folder of its own."""

    def __init__(self, folder, connectors=(), settings=None, program=PROGRAM, mode="standalone"):
        self.folder, self.program, self.mode = pathlib.Path(folder), program, mode
        self.port = free_port()
        self.connectors = [str(c) for c in connectors]
        self.settings = {
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "listeners": f"http://127.0.0.1:{self.port}",
            "log.dirs": str(self.folder / "log"),
            "log.listeners": "none",
            **(GROUP_SETTINGS if mode == "distributed" else {}),
            **(settings or {}),
        }
        self.process = None

    def launch(self):
        properties = self.folder / "worker.properties"
        properties.write_text("".join(f"{k}={v}\n" for k, v in self.settings.items()))
        with open(self.folder / "worker.log", "ab") as log:  # the child has its own
            self.process = subprocess.Popen([str(self.program), self.mode, str(properties), *self.connectors],
                                            stdout=log, stderr=log, cwd=self.folder)
        return self

    def start(self):
        self.launch()
        eventually(self.healthy, "the worker is healthy")
        return self

    def healthy(self):
        if self.process.poll() is not None:
            raise SystemExit(f"the worker ended with {self.process.returncode}:\n{self.log_text()[-3000:]}")
        return self.get("/health").status == 200

    def log_text(self):
        return (self.folder / "worker.log").read_text("utf-8", "replace")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("the worker did not stop within 30 s of SIGTERM")
        return self.process.returncode if self.process else None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def request(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.read().decode(), answer.headers)
        except urllib.error.HTTPError as answer:
            return Answer(answer.code, answer.read().decode(), answer.headers)

    def get(self, path):
        return self.request("GET", path)

    def create(self, name, config):
        return self.request("POST", "/connectors", {"name": name, "config": config})

    def must_create(self, name, config):
        answer = self.create(name, config)
        if answer.status != 201:
            raise AssertionError(f"creating {name} answered {answer.status}: {answer.text}")

    def states(self, name):
        status = self.get(f"/connectors/{name}/status").json
        return [status["connector"]["state"], *[task["state"] for task in status["tasks"]]]

    def wait_for_states(self, name, states):
        return eventually(lambda: self.states(name) == states, f"{name} is {states}")

    def failed_trace(self, name):
        """The trace of the connector or of its first failed task."""
        def look():
            status = self.get(f"/connectors/{name}/status").json
            return next((part["trace"] for part in [status["connector"], *status["tasks"]] if part["state"] == "FAILED"), None)
        return eventually(look, f"{name} fails")


class ProcessTest(unittest.TestCase):
    """Gives each test a folder, and stops what it started."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def worker(self, **options):
        worker = Worker(self.folder, **options)
        self.addCleanup(worker.stop)
        return worker


class DatabaseTest(ProcessTest):
    """One MariaDB for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.server_folder = tempfile.mkdtemp(prefix="millrace-mariadb-")
        cls.db = MariaDb(cls.server_folder).start()

    @classmethod
    def tearDownClass(cls):
        cls.db.stop()
        shutil.rmtree(cls.server_folder, ignore_errors=True)

    def source(self, database, table, **more):
        return {"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "connection.url": self.db.url(database),
                "connection.user": "root", "connection.password": PASSWORD, "mode": "incrementing",
                "incrementing.column.name": "id", "table.whitelist": table, "topic.prefix": "my_topic_", "tasks.max": "1",
                "poll.interval.ms": "100", **more}

    def sink(self, database, topic, **more):
        return {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "connection.url": self.db.url(database),
                "connection.user": "root", "connection.password": PASSWORD, "auto.create": "true", "auto.evolve": "true",
                "delete.enabled": "false", "tasks.max": "1", "topics": topic, **more}
