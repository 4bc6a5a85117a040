"""What tests and benches of change data capture share: a MariaDB that writes a binlog, a worker whose log others can read, and a
connector's REST calls that return when the state they ask for has come."""
import json
import os
import pathlib
import subprocess
import time

from kafka_client import Kafka
from mariadb_client import Session
from support import BUILD, PASSWORD, MariaDb, Worker, eventually, free_port

# The flags of the recordings, and no waiting for the disk: who loses power loses a test.
SERVER_FLAGS = ["--server-id=1", "--log-bin=bin", "--binlog-format=ROW", "--binlog-row-metadata=FULL", "--binlog-row-image=FULL",
                "--max-allowed-packet=64M", "--character-set-server=latin1", "--collation-server=latin1_swedish_ci",
                "--default-time-zone=+00:00", "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"]


def connector_config(db, worker, prefix, **more):
    """A connector as the user's manual shows it; `more` with `_` for `.` in the names, or a value of None to leave one out."""
    config = {"connector.class": "io.debezium.connector.mariadb.MariaDbConnector", "tasks.max": "1", "database.hostname": "127.0.0.1",
              "database.port": str(db.port), "database.user": "root", "database.password": PASSWORD, "database.server.id": "5400",
              "topic.prefix": prefix, "schema.history.internal.kafka.bootstrap.servers": worker.bootstrap,
              "schema.history.internal.kafka.topic": f"hist.{prefix}", **{name.replace("_", "."): value for name, value in more.items()}}
    if os.environ.get("MILLRACE_SANITIZE") == "thread":  # librdkafka's C11 threads are unknown to it, and a history is not needed
        config = {name: value for name, value in config.items() if not name.startswith("schema.history.")}
    return {name: value for name, value in config.items() if value is not None}


class CdcServer(MariaDb):
    def __init__(self, folder, flags=()):
        super().__init__(folder, [*SERVER_FLAGS, *flags])

    def session(self, database=None):
        return Session(self.port, PASSWORD, database=database)


class CdcWorker(Worker):
    """A worker with its log at `bootstrap`."""

    def __init__(self, folder, mode="distributed", settings=None):
        self.log_port = free_port()
        self.bootstrap = f"127.0.0.1:{self.log_port}"
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        group = {"bootstrap.servers": self.bootstrap} if mode == "distributed" else {}
        super().__init__(folder, mode=mode, settings={"log.listeners": f"PLAINTEXT://{self.bootstrap}", "offset.flush.interval.ms": "100",
                                                      **group, **(settings or {})})

    def kafka(self, **settings):
        return Kafka(self.bootstrap, **settings)

    def topic_tool(self, *arguments):
        done = subprocess.run([BUILD / "bin/kafka-topics", "--bootstrap-server", self.bootstrap, *arguments], capture_output=True, text=True,
                              timeout=60)
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)

    def connector(self, name):
        return Connector(self, name)


class Connector:
    """One connector of a worker, by its REST calls."""

    def __init__(self, worker, name):
        self.worker, self.name = worker, name

    def call(self, method, what="", body=None, expected=(200, 201, 202, 204)):
        answer = self.worker.request(method, f"/connectors/{self.name}{what}", body)
        if answer.status not in expected:
            raise AssertionError(f"{method} {self.name}{what} answered {answer.status}: {answer.text[:2000]}")
        return answer

    def create(self, config):
        self.worker.must_create(self.name, config)

    def states(self):
        """(the connector's state, its task's state or None)"""
        status = self.call("GET", "/status").json
        tasks = [task["state"] for task in status["tasks"]]
        return status["connector"]["state"], tasks[0] if tasks else None

    def failed(self):
        return "FAILED" in self.states()

    def phase(self):
        """What the task says it is at."""
        tasks = self.call("GET", "/status").json["tasks"]
        return tasks[0].get("progress", {}).get("phase", "snapshot") if tasks else "snapshot"

    def trace(self):
        status = self.call("GET", "/status").json
        return next((part["trace"] for part in [status["connector"], *status["tasks"]] if part["state"] == "FAILED"), "")

    def wait(self, accepted, what, timeout_s=None):
        return eventually(lambda: self.states() in accepted, f"{self.name} is {what}", timeout_s)

    def wait_running(self, timeout_s=None):
        """Or failed: who must know looks."""
        return self.wait([("RUNNING", "RUNNING"), ("RUNNING", "FAILED"), ("FAILED", None)], "running", timeout_s)

    def stop(self, timeout_s=None):
        self.call("PUT", "/stop")
        self.wait([("STOPPED", None)], "stopped", timeout_s)

    def pause(self, timeout_s=None):
        self.call("PUT", "/pause")
        self.wait([("PAUSED", "PAUSED")], "paused", timeout_s)

    def resume(self, timeout_s=None):
        self.call("PUT", "/resume")
        self.wait_running(timeout_s)

    def restart(self, timeout_s=None):
        self.call("POST", "/restart?includeTasks=true&onlyFailed=false")
        self.wait_running(timeout_s)

    def merge(self, changes):
        self.call("PUT", "/config", {**self.call("GET", "/config").json, **changes})

    def offsets(self):
        return self.call("GET", "/offsets").json["offsets"]

    def delete(self):
        self.call("DELETE", expected=(204, 404))
        eventually(lambda: self.worker.get(f"/connectors/{self.name}").status == 404, f"{self.name} is gone")


def settled(look, quiet_s, at_most_s):
    """Returns when look() has answered the same for quiet_s, or after at_most_s."""
    end, last, since = time.monotonic() + at_most_s, look(), time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < quiet_s:
        time.sleep(0.02)
        now = look()
        if now != last:
            last, since = now, time.monotonic()
    return last


def envelope(data):
    """The payload of a JsonConverter record with or without schema; None for no value."""
    found = None if data is None else json.loads(data)
    return found["payload"] if isinstance(found, dict) and set(found) == {"schema", "payload"} else found
