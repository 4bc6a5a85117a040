#!/usr/bin/env python3
"""What many connectors and much REST traffic cost.

    bench/rest_scale.py [--connectors 1000] [--lines 5000000] [--build build/release]

First: creates the connectors one after another, lists them with their states, restarts and deletes them all. Then: a file
source reads lines into a topic, alone and beside 200 REST calls a second, in turns; prints the rates of both.
"""
import argparse
import http.client
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/integration"))


class Rest:
    """One kept-alive connection, as a monitoring tool has it."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def call(self, method, path, body=None):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self.connection.getresponse()
        text = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {text[:300]!r}")
        return json.loads(text) if text else None


def timed(what, count, action):
    begun = time.monotonic()
    action()
    seconds = time.monotonic() - begun
    print(f"{what:44} {seconds:8.3f} s {seconds * 1000 / count:9.3f} ms each", flush=True)


def many_connectors(worker, folder, count, eventually):
    rest = Rest(worker.port)
    (folder / "empty.txt").write_text("")
    names = [f"file-{i}" for i in range(count)]
    config = {"connector.class": "FileStreamSource", "file": str(folder / "empty.txt"), "topic": "many"}
    timed(f"create {count}", count, lambda: [rest.call("POST", "/connectors", {"name": n, "config": config}) for n in names])
    eventually(lambda: all(t["state"] == "RUNNING" for c in rest.call("GET", "/connectors?expand=status").values()
                           for t in c["status"]["tasks"]), "all run")
    samples = []
    for _ in range(20):
        begun = time.monotonic()
        assert len(rest.call("GET", "/connectors?expand=status")) == count
        samples.append((time.monotonic() - begun) * 1000)
    print(f"{'GET /connectors?expand=status':44} median {statistics.median(samples):.1f} ms, worst {max(samples):.1f} ms", flush=True)
    timed(f"restart {count} with tasks", count, lambda: [rest.call("POST", f"/connectors/{n}/restart?includeTasks=true") for n in names])
    timed(f"delete {count}", count, lambda: [rest.call("DELETE", f"/connectors/{n}") for n in names])


def data_rate(worker, folder, lines, name, calls_per_second, eventually):
    rest = Rest(worker.port)
    path = str(folder / "lines.txt")
    size = os.path.getsize(path)
    stop = threading.Event()
    done = [0]

    def traffic():
        mine = Rest(worker.port)
        paths = ["/connectors?expand=status&expand=info", f"/connectors/{name}/status", "/connector-plugins", "/connectors"]
        next_call = time.monotonic()
        while not stop.is_set():
            mine.call("GET", paths[done[0] % len(paths)])
            done[0] += 1
            next_call += 1 / calls_per_second
            stop.wait(max(0, next_call - time.monotonic()))

    config = {"connector.class": "FileStreamSource", "file": path, "topic": name, "batch.size": "5000"}
    begun = time.monotonic()
    rest.call("POST", "/connectors", {"name": name, "config": config})
    threads = [threading.Thread(target=traffic)] if calls_per_second else []
    for thread in threads:
        thread.start()
    eventually(lambda: [o for o in rest.call("GET", f"/connectors/{name}/offsets")["offsets"] if o["offset"]["position"] >= size], "read", 600)
    seconds = time.monotonic() - begun
    stop.set()
    for thread in threads:
        thread.join()
    rest.call("DELETE", f"/connectors/{name}")
    return lines / seconds, done[0] / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connectors", type=int, default=1000)
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--build", default="build/release")
    options = parser.parse_args()
    os.environ["MILLRACE_BUILD"] = str(pathlib.Path(options.build).resolve())
    import support

    folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-rest-"))
    worker = support.Worker(folder, settings={"log.listeners": "none", "value.converter": "org.apache.kafka.connect.storage.StringConverter"})
    try:
        worker.start()
        many_connectors(worker, folder, options.connectors, support.eventually)
        with open(folder / "lines.txt", "w") as file:
            for i in range(options.lines):
                file.write(f"line number {i} of a file that is read while others ask for states\n")
        for turn in range(3):
            quiet, _ = data_rate(worker, folder, options.lines, f"quiet-{turn}", 0, support.eventually)
            busy, calls = data_rate(worker, folder, options.lines, f"busy-{turn}", 200, support.eventually)
            print(f"data rate alone {quiet:12,.0f}/s   beside {calls:5.0f} REST calls/s {busy:12,.0f}/s   {100 * busy / quiet - 100:+.1f} %", flush=True)
    finally:
        worker.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
