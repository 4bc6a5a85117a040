"""Apache Kafka's own Java programs: its tools, its Streams, its Connect, and its broker's directories, against millrace.

Jars come by name from Maven Central (tests/jvm/kafka). KAFKA_VERSION selects them; 3.9.1 is the default, 4.3.1 works too.
"""
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from broker_support import PATIENCE_S, Broker, ClientTest, free_port, wait_until

JVM = pathlib.Path(__file__).resolve().parents[1] / "jvm"
KAFKA = JVM / "kafka"
VERSION = os.environ.get("KAFKA_VERSION", "3.9.1")
MAJOR = int(VERSION.split(".")[0])
# Kafka 4 has words of their own for what the console tools' two sides are told.
READER, FORMATTER = ("--property", "--property") if MAJOR < 4 else ("--reader-property", "--formatter-property")
# Compiling less is faster for programs that live for a second or two.
SHORT_LIVED = {"KAFKA_JVM_OPTS": "-XX:TieredStopAtLevel=1 -Xmx256m"}
PATIENCE_JVM_S = 3 * PATIENCE_S


def need_jvm():
    """The folder of the compiled Java files beside this suite, or the end of the run as skipped."""
    missing = [program for program in ("java", "javac", "mvn") if not shutil.which(program)]
    if missing:
        print(f"SKIPPED: no {' and no '.join(missing)} here; apt-get install openjdk-17-jdk-headless maven")
        sys.exit(77)
    fetched = subprocess.run([KAFKA, "fetch"], text=True, capture_output=True)
    if fetched.returncode != 0:
        print(f"SKIPPED: Kafka {VERSION} does not come from Maven Central: {(fetched.stdout + fetched.stderr).strip()[-300:]!r}")
        sys.exit(77)
    classes = tempfile.mkdtemp(prefix="millrace-jvm-classes-")
    jars = re.sub(r"\x1b\[[0-9;]*m", "", fetched.stdout).strip()
    compiled = subprocess.run(["javac", "-nowarn", "-Xlint:-removal", "-d", classes, "-cp", f"{jars}/*", *JVM.glob("*.java")],
                              text=True, capture_output=True)
    if compiled.returncode != 0:
        sys.exit(f"javac refuses the files of {JVM}:\n{compiled.stderr}")
    return classes


CLASSES = need_jvm()


def tearDownModule():
    shutil.rmtree(CLASSES, ignore_errors=True)


def environment(**more):
    return {**os.environ, **SHORT_LIVED, "KAFKA_CLASSPATH": CLASSES, **more}


def run(name, *arguments, text="", checks=True):
    """A tool or class run to its end; what it printed, stdout and stderr."""
    done = subprocess.run([KAFKA, "tool", name, *map(str, arguments)], input=text, text=True, capture_output=True,
                          timeout=PATIENCE_JVM_S, env=environment())
    if checks and done.returncode != 0:
        raise AssertionError(f"{name} {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done


class Program:
    """A Java program that runs until it is told to stop; its output is in `log`."""

    def __init__(self, folder, *command, **more):
        self.log = pathlib.Path(folder) / f"{command[1].rsplit('.', 1)[-1]}-{random.randrange(1 << 30)}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([KAFKA, *map(str, command)], stdout=log, stderr=log, env=environment(**more))

    def output(self):
        return self.log.read_text(errors="replace")

    def running(self):
        if self.process.poll() is not None:
            raise SystemError(f"ended with {self.process.returncode}:\n{self.output()[-6000:]}")
        return True

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)


class JvmTest(ClientTest):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="millrace-jvm-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def tool(self, name, *arguments, text=""):
        return run(name, "--bootstrap-server", self.bootstrap, *arguments, text=text).stdout

    def topic(self, partitions=1):
        topic = self.name()
        self.tool("topics", "--create", "--topic", topic, "--partitions", partitions)
        return topic

    def file(self, name, text):
        path = pathlib.Path(self.folder) / name
        path.write_text(text)
        return path

    def start(self, *command, **more):
        program = Program(self.folder, *command, **more)
        self.addCleanup(program.stop)
        return program

    def read(self, topic, count, *more):
        return self.tool("console-consumer", "--topic", topic, "--from-beginning", "--max-messages", count, "--timeout-ms", 60000,
                         FORMATTER, "print.key=true", FORMATTER, "key.separator=:", *more).splitlines()


class Tools(JvmTest):
    def test_topics_and_configs(self):
        topic = self.name()
        self.assertIn(f"Created topic {topic}.", self.tool("topics", "--create", "--topic", topic, "--partitions", 2, "--config", "retention.ms=3600000"))
        self.tool("topics", "--alter", "--topic", topic, "--partitions", 4)
        self.assertIn(topic, self.tool("topics", "--list").splitlines())
        self.tool("configs", "--entity-type", "topics", "--entity-name", topic, "--alter", "--add-config", "cleanup.policy=[compact,delete]",
                  "--delete-config", "retention.ms")
        described = self.tool("configs", "--entity-type", "topics", "--entity-name", topic, "--describe")
        self.assertIn("cleanup.policy=compact,delete", described)
        self.assertNotIn("retention.ms=3600000", described)
        described = self.tool("topics", "--describe", "--topic", topic)
        self.assertRegex(described, rf"Topic: {topic}\s+TopicId: \S{{22}}\s+PartitionCount: 4\s+ReplicationFactor: 1\s+Configs: .*cleanup.policy=compact,delete")
        self.assertEqual(len(re.findall(rf"Topic: {topic}\s+Partition: \d\s+Leader: \d+\s+Replicas: \d+\s+Isr: \d+", described)), 4)
        again = run("topics", "--bootstrap-server", self.bootstrap, "--create", "--topic", topic, checks=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("already exists", again.stdout + again.stderr)

    def test_broker_configs(self):
        broker = ("--entity-type", "brokers", "--entity-default")
        self.tool("configs", *broker, "--alter", "--add-config", "message.max.bytes=2000000")
        self.assertIn("message.max.bytes=2000000", self.tool("configs", *broker, "--describe"))
        self.tool("configs", *broker, "--alter", "--delete-config", "message.max.bytes")
        versions = self.tool("broker-api-versions")
        self.assertRegex(versions, r"Produce\(0\): [\d to]+ \[usable: \d+\]")
        self.assertIn("Fetch(1)", versions)
        self.assertNotRegex(versions, r"\s(Produce|Fetch|Metadata|JoinGroup|AddPartitionsToTxn)\(\d+\): UNSUPPORTED")

    def test_console_pair_and_groups(self):
        topic, group = self.topic(2), self.name("group")
        lines = [f"key {i}:value {i}" for i in range(100)]
        self.tool("console-producer", "--topic", topic, READER, "parse.key=true", READER, "key.separator=:",
                  "--compression-codec", "zstd", text="\n".join(lines) + "\n")
        self.assertEqual(sorted(self.read(topic, 100, "--group", group)), sorted(lines))
        self.assertIn(group, self.tool("consumer-groups", "--list").splitlines())
        self.assertEqual(self.group_sums(group, topic), (100, 100, 0))
        self.tool("consumer-groups", "--group", group, "--topic", topic, "--reset-offsets", "--shift-by", -10, "--execute")
        self.assertEqual(self.group_sums(group, topic), (80, 100, 20))
        self.assertEqual(len(self.read(topic, 20, "--group", group)), 20)
        self.tool("consumer-groups", "--group", group, "--delete")
        self.assertNotIn(group, self.tool("consumer-groups", "--list").splitlines())

    def group_sums(self, group, topic):
        """Committed offset, end and lag, summed over the partitions that `--describe` shows."""
        described = self.tool("consumer-groups", "--group", group, "--describe")
        rows = re.findall(rf"^{group}\s+{topic}\s+\d+\s+(\d+)\s+(\d+)\s+(\d+)\s", described, re.M)
        self.assertEqual(len(rows), 2, described)
        return tuple(sum(map(int, column)) for column in zip(*rows))

    def test_verifiable_pair(self):
        topic, group = self.topic(3), self.name("group")
        sent = [json.loads(line) for line in self.tool("verifiable-producer", "--topic", topic, "--max-messages", 1000, "--acks", -1).splitlines()]
        self.assertEqual(sum(event["name"] == "producer_send_success" for event in sent), 1000)
        self.assertEqual(sent[-2 if sent[-1]["name"] != "tool_data" else -1]["acked"], 1000)
        read = [json.loads(line) for line in self.tool("verifiable-consumer", "--topic", topic, "--group-id", group, "--max-messages", 1000,
                                                       "--reset-policy", "earliest").splitlines()]
        self.assertEqual(sum(event["count"] for event in read if event["name"] == "records_consumed"), 1000)
        commits = [event for event in read if event["name"] == "offsets_committed"]
        self.assertTrue(commits and all(event["success"] for event in commits), commits)

    def test_performance_pair_transactions_offsets_and_deletes(self):
        topic, ident = self.topic(2), self.name("txn")
        size = ("--topic", topic, "--num-records", 20000, "--record-size", 200, "--throughput", -1)
        servers = ("--producer-props", f"bootstrap.servers={self.bootstrap}")
        self.assertRegex(run("producer-perf-test", *size, *servers, "compression.type=lz4").stdout, r"20000 records sent, .* 99.9th")
        sent = run("producer-perf-test", *size, *servers, "--transactional-id", ident, "--transaction-duration-ms", 100).stdout
        self.assertRegex(sent, r"20000 records sent, .* 99.9th")
        read = self.tool("consumer-perf-test", "--topic", topic, "--messages" if MAJOR < 4 else "--num-records", 40000, "--timeout", 30000)
        self.assertEqual(int(read.splitlines()[1].split(", ")[4]), 40000, read)
        self.assertRegex(self.tool("transactions", "list"), rf"{ident}\s+\d+\s+\d+\s+CompleteCommit")
        self.assertRegex(self.tool("transactions", "describe", "--transactional-id", ident), r"CompleteCommit")
        ends = dict(re.findall(rf"^{topic}:(\d):(\d+)$", self.tool("get-offsets", "--topic", topic), re.M))
        self.assertGreater(sum(map(int, ends.values())), 40000)  # markers of transactions count
        order = self.file("delete.json", json.dumps({"version": 1, "partitions": [{"topic": topic, "partition": 0, "offset": 50}, {"topic": topic, "partition": 1, "offset": -1}]}))
        deleted = self.tool("delete-records", "--offset-json-file", order)
        self.assertRegex(deleted, rf"partition: {topic}-0\s+low_watermark: 50\b")
        self.assertRegex(deleted, rf"partition: {topic}-1\s+low_watermark: {ends['1']}\b")
        self.assertIn(f"{topic}:0:50", self.tool("get-offsets", "--topic", topic, "--time", "earliest").splitlines())
        sizes = json.loads(self.tool("log-dirs", "--describe", "--topic-list", topic).splitlines()[-1])
        partitions = {p["partition"]: p["size"] for directory in sizes["brokers"][0]["logDirs"] for p in directory["partitions"]}
        self.assertEqual(set(partitions), {f"{topic}-0", f"{topic}-1"})
        self.assertGreater(partitions[f"{topic}-0"], 100_000)


class Streams(JvmTest):
    """Words are counted right although the application is killed in the middle (exactly once), or is not (at least once)."""

    def lines(self, count):
        choose = random.Random(1)
        return [" ".join(choose.choice(("mill", "race", "river", "wheel", "stone")) for _ in range(4)) for _ in range(count)]

    def application(self, source, sink, guarantee):
        return self.start("tool", "WordCount", self.bootstrap, source + "-count", source, sink, guarantee,
                          f"{self.folder}/{guarantee}", KAFKA_LOG_LEVEL="warn")

    def feed(self, topic, lines):
        self.tool("console-producer", "--topic", topic, text="\n".join(lines) + "\n")

    def check(self, guarantee, killed):
        source, sink, lines = self.topic(4), self.topic(4), self.lines(1000)
        self.feed(source, lines[:500])
        program = self.application(source, sink, guarantee)
        isolation = ("--isolation-level", "read_committed")
        self.read(sink, 100, *isolation)
        if killed:
            program.kill()
            program = self.application(source, sink, guarantee)
        self.feed(source, lines[500:])
        words = collections.Counter(" ".join(lines).split())
        updates = self.read(sink, sum(words.values()), *isolation)
        program.running()
        seen = collections.defaultdict(list)
        for update in updates:
            word, count = update.split(":")
            seen[word].append(int(count))
        for word, count in words.items():
            self.assertEqual(seen[word], list(range(1, count + 1)), f"{word}: {program.output()[-3000:]}")
        program.stop()
        # Tasks of a killed application are "corrupted" by Streams' own rules, and built anew.
        thrown = [line for line in program.output().splitlines()
                  if "Exception" in line and not line.startswith("\tat ") and not (killed and "TaskCorruptedException" in line)]
        self.assertEqual(thrown, [])

    def test_exactly_once_although_killed(self):
        self.check("exactly_once_v2", killed=True)

    def test_at_least_once(self):
        self.check("at_least_once", killed=False)


class Connect(JvmTest):
    """A distributed worker of Apache's, its internal topics here."""

    def worker(self, group, port):
        settings = {"bootstrap.servers": self.bootstrap, "group.id": group, "listeners": f"http://127.0.0.1:{port}",
                    "key.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                    "offset.flush.interval.ms": "500", "exactly.once.source.support": "enabled",
                    "consumer.isolation.level": "read_committed"}
        for topic in ("offset", "config", "status"):
            settings |= {f"{topic}.storage.topic": f"{group}-{topic}", f"{topic}.storage.replication.factor": "1"}
        properties = self.file("worker.properties", "".join(f"{key}={value}\n" for key, value in settings.items()))
        return self.start("tool", "org.apache.kafka.connect.cli.ConnectDistributed", properties, KAFKA_LOG_LEVEL="info")

    def rest(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, data=json.dumps(body).encode() if body else None,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=90) as response:
            return json.loads(response.read() or "null")

    def wait_running(self, worker, *connectors):
        def running():
            worker.running()
            statuses = [self.rest("GET", f"/connectors/{name}/status") for name in connectors]
            failed = [task["trace"] for status in statuses for task in status["tasks"] if task["state"] == "FAILED"]
            if failed:
                raise SystemError(failed[0])
            return all(status["tasks"] and status["tasks"][0]["state"] == "RUNNING" for status in statuses)
        wait_until(running, "the connectors run")

    def test_file_to_file_exactly_once(self):
        group, topic, self.port = self.name("connect"), self.topic(), free_port()
        source, sink = self.file("in.txt", ""), self.file("out.txt", "")
        worker = self.worker(group, self.port)
        wait_until(lambda: worker.running() and self.rest("GET", "/"), "the worker answers")
        self.rest("POST", "/connectors", {"name": "from", "config": {
            "connector.class": "FileStreamSource", "tasks.max": "1", "file": str(source), "topic": topic, "exactly.once.support": "required"}})
        self.rest("POST", "/connectors", {"name": "to", "config": {
            "connector.class": "FileStreamSink", "tasks.max": "1", "file": str(sink), "topics": topic}})
        self.wait_running(worker, "from", "to")
        first, second = ([f"line {i}" for i in numbers] for numbers in (range(300), range(300, 500)))

        def append(lines):
            with source.open("a") as file:
                file.write("\n".join(lines) + "\n")

        def arrived(lines):
            # A sink may repeat what it had not committed when it was killed; the source may not, see below.
            wait_until(lambda: worker.running() and len(set(sink.read_text().split("\n"))) > len(lines), f"{len(lines)} lines arrive")
            self.assertEqual(set(sink.read_text().splitlines()), set(lines))
        append(first)
        arrived(first)
        wait_until(lambda: self.rest("GET", "/connectors/from/offsets")["offsets"], "the source's offsets are stored")
        worker.kill()
        worker = self.worker(group, self.port)
        append(second)
        arrived(first + second)
        self.wait_running(worker, "from", "to")
        records = self.read(topic, 500, "--isolation-level", "read_committed")
        self.assertEqual([json.loads(record.split(":", 1)[1])["payload"] for record in records], first + second)
        transactions = self.tool("transactions", "list")
        self.assertRegex(transactions, rf"{group}-from-0\s+\d+\s+\d+\s+CompleteCommit")
        worker.stop()


class Directories(unittest.TestCase):
    """One program's log directory, opened by the other."""
    # Batches that a cleaner thinned out have gaps, and dump-log tells of them; anything else it tells is a complaint.
    GAPS = re.compile(r"^(Non-consecutive offsets in .*/compacted-0/.*|  -?\d+ is followed by \d+)$")

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-jvm-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def broker(self, logs, **more):
        broker = Broker({"log.dirs": str(logs), "log.cleaner.backoff.ms": "200", **{k.replace("_", "."): v for k, v in more.items()}})
        self.addCleanup(broker.remove)
        return broker.start()

    def stop(self, broker):
        self.assertEqual(broker.stop(), 0, broker.output()[-4000:])

    def dump(self, files, *options):
        done = run("dump-log", *options, "--files", ",".join(map(str, files)))
        complaints = [line for line in done.stderr.splitlines() if not self.GAPS.match(line)]
        self.assertEqual(complaints, [], f"dump-log {' '.join(options)}")
        self.assertNotRegex(done.stdout, r"isvalid: false|invalid bytes|rror")
        return done.stdout

    def records(self, bootstrap):
        """What Records.java sees, but for bounds of partitions that the broker itself writes to."""
        return [line for line in run("Records", "read", bootstrap).stdout.splitlines() if not re.match(r"\w+ __", line)]

    def test_kafka_dumps_what_millrace_wrote(self):
        logs = self.folder / "logs"
        broker = self.broker(logs, offsets_topic_num_partitions="4", transaction_state_log_num_partitions="2")
        run("Records", "write", broker.bootstrap)
        segments = lambda: sorted((logs / "compacted-0").glob("*.log"))  # noqa: E731
        wait_until(lambda: sum(s.stat().st_size for s in segments()) < 2_500_000, "the log is compacted")
        records = self.records(broker.bootstrap)
        self.assertEqual(sum(line.startswith("record codec-") for line in records), 2500)
        self.assertEqual(sum(line.startswith("record transactions-") for line in records), 60)
        self.assertIn("committed readers codec-gzip-0 123 half way", records)
        self.assertIn("committed transactional readers codec-none-0 14 ", records)
        self.stop(broker)

        topics = sorted(path for path in logs.glob("*-*/*.log") if not path.parent.name.startswith("__") and path.stat().st_size)
        dumped = self.dump(topics, "--deep-iteration", "--print-data-log")
        self.assertEqual(len(re.findall(r"^\| offset: .* keySize: ", dumped, re.M)) >= 2500 + 100, True)
        self.assertEqual({"NONE", "GZIP", "SNAPPY", "LZ4", "ZSTD"} - set(re.findall(r"compresscodec: (\w+)", dumped.upper(), re.I)), set())
        self.assertEqual(sorted(re.findall(r"endTxnMarker: (\w+)", dumped)), ["ABORT"] * 4 + ["COMMIT"] * 6)
        indexes = sorted(path for kind in ("index", "timeindex") for path in logs.glob(f"*-*/*.{kind}"))
        self.assertEqual(len(re.findall(r"passed sanity check\.|is empty\.", self.dump(indexes, "--index-sanity-check"))), len(indexes))
        self.dump([path for path in indexes if path.stat().st_size and not path.parent.name.startswith("__")], "--verify-index-only")
        offsets = self.dump([p for p in logs.glob("__consumer_offsets-*/*.log") if p.stat().st_size], "--offsets-decoder")
        self.assertRegex(offsets, r'"group":"readers","topic":"codec-gzip","partition":0')
        self.assertRegex(offsets, r'"offset":123,.*"metadata":"half way"')
        states = self.dump([p for p in logs.glob("__transaction_state-*/*.log") if p.stat().st_size], "--transaction-log-decoder")
        self.assertIn("records", states)
        self.assertRegex(states, r"CompleteCommit|\"transactionStatus\":4")
        self.assertRegex(states, r"CompleteAbort|\"transactionStatus\":5")
        others = sorted([*logs.glob("*-*/*.snapshot"), *logs.glob("*-*/*.txnindex")])
        self.assertIn("producerId: ", self.dump([path for path in others if path.stat().st_size]))

    def test_millrace_serves_what_kafka_wrote(self):
        port = free_port()  # and the controller's is the next
        kafka = Program(self.folder, "broker", "--port", port, "--data", self.folder / "kafka", "log.cleaner.backoff.ms=200",
                        "offsets.topic.num.partitions=4", "transaction.state.log.num.partitions=2")
        self.addCleanup(kafka.stop)
        subprocess.run([KAFKA, "wait", "--port", str(port), "--seconds", str(PATIENCE_S)], check=True)
        run("Records", "write", f"127.0.0.1:{port}")
        expected = self.records(f"127.0.0.1:{port}")
        kafka.stop()

        # Counts of partitions and topic configs are the directory's own, whatever this broker's settings say.
        broker = self.broker(self.folder / "kafka/logs")
        described = run("topics", "--bootstrap-server", broker.bootstrap, "--describe").stdout
        self.assertRegex(described, r"Topic: compacted\s.*Configs: \S*cleanup.policy=compact")
        self.assertRegex(described, r"Topic: __consumer_offsets\s.*PartitionCount: 4\s")
        self.assertNotIn("__cluster_metadata", described)
        self.assertEqual(self.records(broker.bootstrap), expected)
        # It is not only read: producers carry on, and the transactional one is known.
        run("Records", "write-more", broker.bootstrap)
        more = self.records(broker.bootstrap)
        self.assertEqual(sum(line.startswith("record transactions-") for line in more), 120)
        self.assertIn("committed transactional readers codec-none-0 14 ", more)
        self.stop(broker)


if __name__ == "__main__":
    unittest.main(verbosity=2)
