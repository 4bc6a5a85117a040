"""A broker for the client tests: `millrace broker` in a folder of its own, or the one that KAFKA_BOOTSTRAP names."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/integration"))
from support import PATIENCE_S, PROGRAM, eventually, free_port  # noqa: E402

CLIENTS = pathlib.Path(os.environ.get("MILLRACE_CLIENTS", ROOT / "build/clients"))


def need(kind):
    """Makes a client library importable, or ends the run as skipped."""
    done = subprocess.run([HERE / "setup", kind], text=True, capture_output=True)
    if done.returncode != 0:
        print(done.stdout + done.stderr)
        sys.exit(done.returncode)
    python = str(CLIENTS / "venv/bin/python")
    if kind == "python" and os.environ.get("MILLRACE_VENV") != python:
        os.execve(python, [python, *sys.argv], {**os.environ, "MILLRACE_VENV": python})


class Broker:
    """`millrace broker` with what a test wants overridden; a folder and a port of its own."""

    def __init__(self, overrides=None, properties=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-test-broker-"))
        self.port = free_port()
        self.properties = self.folder / "server.properties"
        self.properties.write_text(properties or f"listeners=PLAINTEXT://127.0.0.1:{self.port}\n")
        self.overrides = {"log.dirs": str(self.folder / "log"), "num.partitions": "4", "group.initial.rebalance.delay.ms": "0",
                          **(overrides or {})}
        self.process = None

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.log = open(self.folder / "broker.log", "ab")
        arguments = [argument for pair in self.overrides.items() for argument in ("--override", "=".join(pair))]
        self.process = subprocess.Popen([str(PROGRAM), "broker", str(self.properties), *arguments],
                                        stdout=self.log, stderr=self.log, cwd=self.folder)
        eventually(self.listening, "the broker listens")
        return self

    def listening(self):
        import socket
        if self.process.poll() is not None:
            raise AssertionError(f"the broker ended with {self.process.returncode}:\n{self.output()}")
        with socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def output(self):
        return (self.folder / "broker.log").read_text()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
        return self.process.returncode if self.process else 0

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class ClientTest(unittest.TestCase):
    """Tests of one client against one broker."""

    @classmethod
    def setUpClass(cls):
        cls.bootstrap = os.environ.get("KAFKA_BOOTSTRAP")
        cls.broker = None
        if not cls.bootstrap:
            cls.broker = Broker().start()
            cls.bootstrap = cls.broker.bootstrap

    @classmethod
    def tearDownClass(cls):
        if cls.broker:
            code = cls.broker.stop()
            output = cls.broker.output()
            cls.broker.remove()
            assert code == 0, f"the broker ended with {code}:\n{output[-4000:]}"

    def name(self, what="topic"):
        return f"{what}-{uuid.uuid4().hex[:8]}"


def wait_until(condition, what):
    return eventually(condition, what)


def deadline(seconds=None):
    end = time.monotonic() + (seconds or PATIENCE_S)
    return lambda: time.monotonic() > end
