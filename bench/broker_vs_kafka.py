#!/usr/bin/env python3
"""millrace's broker and Apache Kafka's side by side on this machine, under the same client.

    bench/broker_vs_kafka.py [--records 2000000] [--rounds 1] [--client jvm|native] [--systems millrace,kafka,kafka-fsync]

For each system a fresh broker is started; then, with acks=all and the client's defaults otherwise: 100-byte and 1-kB records from
one producer and from three at once, reading all of it back, and end-to-end latency at 10,000 records/s. Printed are records a
second, CPU seconds of the broker per million records (user and system, from /proc), its RSS and the time until it is ready.
`kafka` has Kafka's defaults, that is no fsync at all; `kafka-fsync` has flush.messages=1; millrace syncs before it acknowledges
unless `millrace-nosync` is asked for. Needs java and mvn for Kafka itself and for the JVM client.
"""
import argparse
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("MILLRACE_BUILD", ROOT / "build/release"))
KAFKA = ROOT / "tests/jvm/kafka"
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None:
                sys.exit(f"the broker ended with {process.returncode}")
            time.sleep(0.001)


class Broker:
    def __init__(self, system):
        self.system, self.port = system, free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-bench-"))

    def __enter__(self):
        log = open(self.folder / "out.log", "wb")
        begin = time.monotonic()
        if self.system.startswith("millrace"):
            loose = ["--override", "log.flush.interval.messages=9223372036854775807"] if self.system == "millrace-nosync" else []
            self.process = subprocess.Popen(
                [BUILD / "bin/millrace", "broker", "--override", f"listeners=PLAINTEXT://127.0.0.1:{self.port}", "--override",
                 f"log.dirs={self.folder / 'data'}", *loose], stdout=log, stderr=log, cwd=self.folder)
            wait_for(self.port, self.process)
            self.pid = self.process.pid
        else:
            extra = ["log.flush.interval.messages=1"] if self.system == "kafka-fsync" else []
            self.process = subprocess.Popen([KAFKA, "broker", "--port", str(self.port), "--data", self.folder / "data", *extra],
                                            stdout=log, stderr=log)
            wait_for(self.port, self.process)
            self.pid = self.java_pid()
        self.ready_ms = (time.monotonic() - begin) * 1000
        return self

    def java_pid(self):
        for line in subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout.splitlines():
            if "java" in line and str(self.folder) in line:
                return int(line.split()[0])
        return self.process.pid

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mib(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def tool(client, name, *arguments):
    command = [KAFKA, "tool", name] if client == "jvm" else [BUILD / "bin/millrace", name]
    return subprocess.Popen([*command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process):
    out, _ = process.communicate(timeout=900)
    if process.returncode != 0:
        sys.exit(f"{process.args}: {out[-2000:]}")
    return out


def produce(broker, client, topic, records, size, producers):
    finish(tool("native", "topics", "--create", "--topic", topic, "--partitions", producers, "--replication-factor", 1,
                "--bootstrap-server", broker.bootstrap))
    cpu = broker.cpu_s()
    running = [tool(client, "producer-perf-test", "--topic", topic, "--num-records", records // producers, "--record-size", size,
                    "--throughput", -1, "--producer-props", "acks=all", f"bootstrap.servers={broker.bootstrap}")
               for _ in range(producers)]
    rate, p99 = 0.0, 0.0
    for process in running:
        summary = [line for line in finish(process).splitlines() if "99th" in line][-1]
        rate += float(re.search(r"([\d.]+) records/sec", summary)[1])
        p99 = max(p99, float(re.search(r"([\d.]+) ms 99th", summary)[1]))
    return rate, (broker.cpu_s() - cpu) / records * 1e6, p99


def consume(broker, client, topic, records):
    cpu = broker.cpu_s()
    out = finish(tool(client, "consumer-perf-test", "--topic", topic, "--messages", records, "--bootstrap-server", broker.bootstrap))
    row = [line for line in out.splitlines() if line.count(",") >= 8 and "MB.sec" not in line][-1].split(",")
    return float(row[9]), (broker.cpu_s() - cpu) / records * 1e6  # fetch.nMsg.sec


def latency(broker, client, topic):
    out = finish(tool(client, "producer-perf-test", "--topic", topic, "--num-records", 100_000, "--record-size", 100, "--throughput",
                      10_000, "--producer-props", "acks=all", "linger.ms=0", f"bootstrap.servers={broker.bootstrap}"))
    summary = [line for line in out.splitlines() if "99th" in line][-1]
    acknowledged = [float(re.search(rf"([\d.]+) ms {p}", summary)[1]) for p in ("50th", "99th", "99.9th")]
    out = finish(tool(client, "e2e-latency", broker.bootstrap, topic, 5000, "all", 100))
    line = [x for x in out.splitlines() if "99th" in x][-1]
    end_to_end = [float(re.search(rf"{p}\s*=\s*([\d.]+)", line)[1]) for p in ("50th", "99th", "99.9th")]
    return acknowledged, end_to_end


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--client", choices=["jvm", "native"], default="jvm")
    parser.add_argument("--systems", default="millrace,kafka,kafka-fsync")
    options = parser.parse_args()
    results = {}
    for _ in range(options.rounds):
        for system in options.systems.split(","):
            with Broker(system) as broker:
                got = results.setdefault(system, {})

                def note(what, value):
                    got.setdefault(what, []).append(value)
                    print(f"{system:16} {what:34} {value:12,.2f}", flush=True)
                note("ready ms", broker.ready_ms)
                for size, records in ((100, options.records), (1024, options.records // 4)):
                    for producers in (1, 3):
                        topic = f"t{size}x{producers}"
                        rate, cpu, p99 = produce(broker, options.client, topic, records, size, producers)
                        note(f"produce {size} B x{producers} rec/s", rate)
                        note(f"produce {size} B x{producers} cpu s/M", cpu)
                        note(f"produce {size} B x{producers} p99 ms", p99)
                    rate, cpu = consume(broker, options.client, f"t{size}x1", records)
                    note(f"consume {size} B rec/s", rate)
                    note(f"consume {size} B cpu s/M", cpu)
                acknowledged, end_to_end = latency(broker, options.client, "t100x1")
                for p, a, e in zip(("p50", "p99", "p99.9"), acknowledged, end_to_end):
                    note(f"acknowledged at 10k/s {p} ms", a)
                    note(f"end to end {p} ms", e)
                note("peak RSS MiB", broker.rss_mib())
    systems = list(results)
    print("\n| | " + " | ".join(systems) + " |\n|---|" + "---|" * len(systems))
    for what in next(iter(results.values())):
        print(f"| {what} | " + " | ".join(f"{statistics.median(results[s][what]):,.2f}" for s in systems) + " |")


if __name__ == "__main__":
    main()
