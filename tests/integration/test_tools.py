#!/usr/bin/env python3
"""Kafka's command line tools as millrace has them, against a real broker.

KAFKA_BOOTSTRAP=host:port names one that runs already; without it the test starts `millrace broker` of its own.
MILLRACE_JVM=1 runs Apache Kafka's own console tools on the other side of the same topics (see tests/jvm/kafka).
"""
import datetime
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import uuid

import support

JVM = support.ROOT / "tests/jvm/kafka"
# The program, or another that takes a tool's name first.
TOOLS = os.environ.get("MILLRACE_TOOLS", str(support.PROGRAM))


class Broker:
    """The broker of the caller, or one of our own on a free port."""

    def __init__(self):
        self.address = os.environ.get("KAFKA_BOOTSTRAP")
        self.process = self.folder = None
        if self.address:
            return
        port = support.free_port()
        self.address = f"127.0.0.1:{port}"
        self.folder = tempfile.mkdtemp(prefix="millrace-tools-")
        self.log = open(pathlib.Path(self.folder) / "broker.log", "w")
        settings = [f"listeners=PLAINTEXT://127.0.0.1:{port}", f"log.dirs={self.folder}/data", "group.initial.rebalance.delay.ms=0",
                    "offsets.topic.num.partitions=5", "transaction.state.log.num.partitions=5"]
        overrides = [word for setting in settings for word in ("--override", setting)]
        self.process = subprocess.Popen([str(support.PROGRAM), "broker", *overrides], stdout=self.log, stderr=self.log)
        support.eventually(lambda: socket.create_connection(("127.0.0.1", port), 1), "the broker listens").close()

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.log.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def setUpModule():
    global broker
    broker = Broker()


def tearDownModule():
    broker.stop()


def skip_where_librdkafka_cannot_run(returncode):
    """librdkafka starts C11 threads, of which ThreadSanitizer of GCC 12 knows nothing: the first malloc there crashes."""
    if returncode == -signal.SIGSEGV and os.environ.get("MILLRACE_SANITIZE") == "thread":
        raise unittest.SkipTest("librdkafka does not run under ThreadSanitizer")


def run(tool, *words, stdin=None, check=True, jvm=False):
    command = [str(JVM), "tool", tool] if jvm else [TOOLS, tool]
    done = subprocess.run([*command, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=support.PATIENCE_S * 2)
    skip_where_librdkafka_cannot_run(done.returncode)
    if check and done.returncode != 0:
        raise AssertionError(f"{tool} {words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def events(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


class ToolsTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.topic = f"tools-{uuid.uuid4().hex[:12]}"
        self.to = ("--bootstrap-server", broker.address, "--topic", self.topic)

    def produce(self, text, *words, **options):
        return run("console-producer", *self.to, *words, stdin=text, **options)

    def consume(self, count, *words, **options):
        return run("console-consumer", *self.to, "--from-beginning", "--max-messages", count, "--timeout-ms", 20000, *words, **options)

    def test_lines_come_back(self):
        self.produce("one\ntwo\nthree\n")
        done = self.consume(3)
        self.assertEqual(done.stdout, "one\ntwo\nthree\n")
        self.assertEqual(done.stderr.splitlines()[-1], "Processed a total of 3 messages")

    def test_keys_headers_and_nulls(self):
        self.produce("h:1,i:NULL\tk\tv\nh:2\tNULL\tNULL\n", "--property", "parse.key=true", "--property", "parse.headers=true",
                     "--property", "null.marker=NULL")
        done = self.consume(2, "--property", "print.key=true", "--property", "print.headers=true", "--property", "print.partition=true",
                            "--property", "print.offset=true", "--property", "null.literal=-", "--property", "key.separator=|")
        self.assertEqual(done.stdout, "Partition:0|Offset:0|h:1,i:-|k|v\nPartition:0|Offset:1|h:2|-|-\n")

    def test_every_codec_and_acks(self):
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            self.produce(f"{codec}\n", "--compression-codec", codec)
        self.produce("acks0\n", "--request-required-acks", "0")
        self.produce("acks1\nsync\n", "--producer-property", "acks=1", "--sync")
        self.assertEqual(sorted(self.consume(8).stdout.split()), sorted(["none", "gzip", "snappy", "lz4", "zstd", "acks0", "acks1", "sync"]))

    def test_a_group_goes_on_where_it_was(self):
        self.produce("".join(f"{i}\n" for i in range(10)))
        group = ("--group", self.topic)
        self.assertEqual(self.consume(4, *group).stdout.split(), ["0", "1", "2", "3"])
        self.assertEqual(self.consume(6, *group).stdout.split(), ["4", "5", "6", "7", "8", "9"])

    def test_partition_and_offset(self):
        self.produce("a\nb\nc\n")
        done = run("console-consumer", *self.to, "--partition", 0, "--offset", 1, "--max-messages", 2)
        self.assertEqual(done.stdout, "b\nc\n")

    def test_nothing_comes(self):
        self.produce("a\n")
        done = run("console-consumer", *self.to, "--from-beginning", "--timeout-ms", 1000)
        self.assertEqual(done.stdout, "a\n")
        self.assertIn("Processed a total of 1 messages", done.stderr)

    def test_interrupted(self):
        self.produce("a\n")
        consumer = subprocess.Popen([TOOLS, "console-consumer", *self.to, "--from-beginning"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(consumer.stdout.readline(), "a\n")
        consumer.send_signal(signal.SIGINT)
        _, err = consumer.communicate(timeout=support.PATIENCE_S)
        self.assertIn("Processed a total of 1 messages", err)
        self.assertEqual(consumer.returncode, 130)

    def test_reader_gone(self):
        self.produce("".join(f"{i:050}\n" for i in range(20000)))  # more than a pipe holds
        done = subprocess.run(["bash", "-c", f"{TOOLS} console-consumer {' '.join(self.to)} --from-beginning | head -1"], capture_output=True,
                              text=True, timeout=support.PATIENCE_S)
        self.assertEqual(done.stdout, f"{0:050}\n")

    def test_reader_gone_while_nothing_comes(self):
        self.produce("only\n")
        done = subprocess.run(["bash", "-c", f"{TOOLS} console-consumer {' '.join(self.to)} --from-beginning | head -1"], capture_output=True,
                              text=True, timeout=support.PATIENCE_S)
        self.assertEqual(done.stdout, "only\n")

    def test_verifiable_pair(self):
        sent = events(run("verifiable-producer", *self.to, "--max-messages", 5, "--repeating-keys", 2, "--value-prefix", 7))
        self.assertEqual([e["name"] for e in sent], ["startup_complete", *["producer_send_success"] * 5, "shutdown_complete", "tool_data"])
        self.assertEqual([(e["key"], e["value"], e["offset"]) for e in sent[1:6]],
                         [("0", "7.0", 0), ("1", "7.1", 1), ("0", "7.2", 2), ("1", "7.3", 3), ("0", "7.4", 4)])
        self.assertEqual((sent[-1]["sent"], sent[-1]["acked"]), (5, 5))
        read = events(run("verifiable-consumer", *self.to, "--group-id", self.topic, "--max-messages", 5, "--verbose"))
        names = [e["name"] for e in read]
        self.assertEqual([names[0], names[1], names[-2], names[-1]],
                         ["startup_complete", "partitions_assigned", "partitions_revoked", "shutdown_complete"])
        self.assertEqual([e["value"] for e in read if e["name"] == "record_data"], ["7.0", "7.1", "7.2", "7.3", "7.4"])
        self.assertEqual([e for e in read if e["name"] == "offsets_committed"][-1]["offsets"][0]["offset"], 5)

    def test_performance_tools(self):
        produced = run("producer-perf-test", "--topic", self.topic, "--num-records", 20000, "--record-size", 100, "--throughput", -1,
                       "--producer-props", f"bootstrap.servers={broker.address}", "linger.ms=5")
        self.assertRegex(produced.stdout, r"(?m)^20000 records sent, [\d.]+ records/sec \([\d.]+ MB/sec\), [\d.]+ ms avg latency, "
                                          r"[\d.]+ ms max latency, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99.9th.$")
        consumed = run("consumer-perf-test", *self.to, "--messages", 20000, "--timeout", 20000).stdout.splitlines()
        self.assertEqual(consumed[0], "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, "
                                      "rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec")
        self.assertEqual(consumed[1].split(", ")[4], "20000")

    def test_transactions(self):
        produced = run("producer-perf-test", "--topic", self.topic, "--num-records", 300, "--record-size", 10, "--throughput", 600,
                       "--producer-props", f"bootstrap.servers={broker.address}", "--transactional-id", self.topic, "--transaction-duration-ms", 100)
        self.assertIn("300 records sent", produced.stdout)
        self.assertEqual(len(self.consume(300, "--isolation-level", "read_committed").stdout.splitlines()), 300)

    def test_end_to_end_latency(self):
        done = run("e2e-latency", broker.address, self.topic, 20, "all", 30)
        self.assertRegex(done.stdout, r"(?m)^Avg latency: \d+\.\d{4} ms$")
        self.assertRegex(done.stdout, r"(?m)^Percentiles: 50th = \d+, 99th = \d+, 99.9th = \d+$")

    def test_committed_offsets_as_json(self):
        self.produce("a\nb\n")
        self.consume(2, "--group", self.topic)
        done = run("console-consumer", "--bootstrap-server", broker.address, "--topic", "__consumer_offsets", "--from-beginning", "--timeout-ms", 3000,
                   "--formatter", "org.apache.kafka.tools.consumer.OffsetsMessageFormatter")
        commits = [c for c in events(done) if c["key"]["data"]["group"] == self.topic and c["value"]]
        self.assertEqual(commits[-1]["key"]["data"], {"group": self.topic, "topic": self.topic, "partition": 0})
        self.assertEqual(commits[-1]["value"]["data"]["offset"], 2)

    def test_mistakes_are_answered_with_usage(self):
        for words in (("console-consumer", "--tpic", "x"), ("console-producer", "--topic", "x"), ("producer-perf-test", "--topic", "x")):
            done = run(*words, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""), words)
            self.assertIn("--topic", done.stderr)

    @unittest.skipUnless(os.environ.get("MILLRACE_JVM"), "MILLRACE_JVM=1 compares with Apache Kafka's own tools")
    def test_the_jvm_tools_see_the_same(self):
        words = [word for setting in ("parse.key", "parse.headers") for word in ("--property", f"{setting}=true")]
        shown = [word for what in ("key", "headers", "partition", "offset", "timestamp") for word in ("--property", f"print.{what}=true")]
        self.produce("a:b\tours\tvalue\n", *words, "--compression-codec", "snappy")
        self.produce("c:d\ttheirs\tvälue\n", *words, "--compression-codec", "snappy", jvm=True)
        theirs = self.consume(2, *shown, jvm=True).stdout
        # Kafka 4 says so on the standard output.
        theirs = "".join(line for line in theirs.splitlines(True) if "is deprecated" not in line)
        self.assertEqual(self.consume(2, *shown).stdout, theirs)
        ours = run("consumer-perf-test", *self.to, "--messages", 2)
        theirs = run("consumer-perf-test", *self.to, "--messages", 2, jvm=True)
        numbers = re.compile(r"\d+")
        self.assertEqual(ours.stdout.splitlines()[0], theirs.stdout.splitlines()[0])
        self.assertEqual(len(numbers.findall(ours.stdout)), len(numbers.findall(theirs.stdout)))


class CourseTest(unittest.TestCase):
    """The command lines of a beginner's course, through the links beside the program, as they stand there."""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if "MILLRACE_TOOLS" in os.environ:
            raise unittest.SkipTest("MILLRACE_TOOLS names another program than ours")

    def setUp(self):
        self.topic = f"hello-{uuid.uuid4().hex[:8]}.kafka"
        self.group = f"{self.topic}-group"
        self.path = f"{support.PROGRAM.parent}:{os.environ['PATH']}"

    def link(self, line, stdin="", code=0, folder=None):
        """Runs a line of the course, with and without .sh by turns; TOPIC, GROUP and localhost:9092 are ours."""
        words = shlex.split(line.replace("TOPIC", self.topic).replace("GROUP", self.group).replace("localhost:9092", broker.address))
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=support.PATIENCE_S * 2,
                              env={**os.environ, "PATH": self.path}, cwd=folder)
        skip_where_librdkafka_cannot_run(done.returncode)
        self.assertEqual(done.returncode, code, f"{words}\n{done.stdout}\n{done.stderr}")
        return done

    def create(self, partitions=3):
        return self.link(f"kafka-topics.sh --create --bootstrap-server localhost:9092 --partitions {partitions} --replication-factor 1 "
                         "--config retention.ms=172800000 --topic TOPIC")

    def fill(self):
        self.link('kafka-console-producer.sh --bootstrap-server localhost:9092 --topic TOPIC --property "parse.key=true" '
                  '--property "key.separator=:"', "".join(f"k{i}:v{i}\n" for i in range(10)))

    def read_all(self):
        return self.link("kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic TOPIC --property print.key=true "
                         '--property key.separator="-" --group GROUP --from-beginning --max-messages 10 --timeout-ms 20000')

    def offsets(self):
        """Partition to (committed, end, lag) as --describe shows them."""
        lines = self.link("kafka-consumer-groups.sh --bootstrap-server localhost:9092 --group GROUP --describe").stdout.split("\n")
        self.assertEqual(lines[0], "")
        self.assertEqual(lines[1].split(), ["GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST",
                                            "CLIENT-ID"])
        self.assertEqual(lines[-1], "")
        rows = [line.split() for line in lines[2:-1]]
        self.assertTrue(all(row[:2] == [self.group, self.topic] for row in rows), rows)
        return {int(row[2]): tuple(row[3:6]) for row in rows}

    def test_every_link_is_there_twice_and_tells_its_options(self):
        links = {link.name for link in support.PROGRAM.parent.iterdir() if link.is_symlink() and link.name.startswith("kafka-")}
        plain = {name for name in links if not name.endswith(".sh")}
        self.assertEqual(links - plain, {name + ".sh" for name in plain})
        servers = {"kafka-server-start", "kafka-server-stop"}
        self.assertGreaterEqual(len(plain - servers), 24)
        for name in sorted(plain - servers):
            done = self.link(f"{name} --help")
            # e2e-latency takes words, not options
            self.assertRegex(done.stdout + done.stderr, r"--bootstrap-server|--files|bootstrap.servers|USAGE", name)
            self.assertIn("3.9.1", self.link(f"{name}.sh --version").stdout, name)

    def test_topics(self):
        done = self.create()
        self.assertEqual(done.stdout.splitlines()[-1], f"Created topic {self.topic}.")
        self.assertIn("WARNING: Due to limitations in metric names", done.stdout)
        for name in ("kafka-topics.sh", "kafka-topics"):
            self.assertIn(self.topic, self.link(f"{name} --list --bootstrap-server localhost:9092").stdout.splitlines())
        done = self.link("kafka-topics.sh --bootstrap-server localhost:9092 --topic TOPIC --alter --partitions 4")
        self.assertEqual(done.stdout, "")
        lines = self.link("kafka-topics.sh --bootstrap-server localhost:9092 --topic TOPIC --describe").stdout.splitlines()
        self.assertRegex(lines[0], rf"^Topic: {self.topic}\tTopicId: [\w-]{{22}}\tPartitionCount: 4\tReplicationFactor: 1\t"
                                   r"Configs: retention.ms=172800000$")
        self.assertEqual(lines[1:], [f"\tTopic: {self.topic}\tPartition: {i}\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: "
                                     for i in range(4)])
        self.assertEqual(self.link("kafka-topics.sh --bootstrap-server localhost:9092 --topic TOPIC --delete").stdout, "")
        self.assertNotIn(self.topic, self.link("kafka-topics --list --bootstrap-server localhost:9092").stdout)

    def test_configs_in_the_order_of_kafka(self):
        self.link("kafka-topics --create --bootstrap-server localhost:9092 --topic TOPIC --config cleanup.policy=compact "
                  "--config compression.type=producer --config segment.bytes=104857600")
        line = self.link("kafka-topics --describe --bootstrap-server localhost:9092 --topic TOPIC").stdout.splitlines()[0]
        self.assertTrue(line.endswith("Configs: compression.type=producer,cleanup.policy=compact,segment.bytes=104857600"), line)

    def test_topic_mistakes(self):
        self.create()
        to = "kafka-topics.sh --bootstrap-server localhost:9092"
        for line, said in ((f"{to} --create --topic TOPIC", f"Topic '{self.topic}' already exists."),
                           (f"{to} --describe --topic nobody", "Topic 'nobody' does not exist as expected"),
                           (f"{to} --delete --topic nobody", "Topic 'nobody' does not exist as expected"),
                           (f"{to} --alter --topic nobody --partitions 3", "Topic 'nobody' does not exist as expected"),
                           (f"{to} --alter --topic TOPIC --partitions 2", f"The topic {self.topic} currently has 3 partition(s); 2 would not be an increase."),
                           (f"{to} --create --topic bad/name", "Topic name 'bad/name' is illegal: it contains a character other than ASCII "
                                                                "alphanumerics, '.', '_' and '-'"),
                           (f"{to} --create --topic x.y.z --partitions 0", "The partitions must be greater than 0"),
                           (f"{to} --create --topic x.y.z --config nobody=1", "Unknown topic config name: nobody"),
                           (f"{to} --create --topic x.y.z --config retention.ms=abc",
                            "Invalid value abc for configuration retention.ms: Not a number of type LONG")):
            done = self.link(line, code=1)
            self.assertEqual(done.stdout.splitlines()[-1], f"Error while executing topic command : {said}")
            self.assertIn(said, done.stderr)
        for line in (f"{to} --describe --topic nobody --if-exists", f"{to} --delete --topic nobody --if-exists",
                     f"{to} --create --topic TOPIC --if-not-exists"):
            self.link(line)
        for line, said in ((f"{to} --create", 'Missing required argument "[topic]"'), (f"{to} --list --create --topic x", "exactly one action"),
                           (f"{to} --list --nobody", "nobody is not a recognized option"),
                           ("kafka-topics.sh --list", 'Missing required argument "[bootstrap-server]"'),
                           (f"{to} --create --topic x --partitions many", "Cannot parse argument 'many' of option partitions"),
                           ("kafka-topics.sh --list --bootstrap-server nowhere", "'nowhere' is not host:port")):
            done = self.link(line, code=1)
            self.assertIn(said, done.stderr.splitlines()[0])
            self.assertIn("--bootstrap-server", done.stderr)

    def test_configs(self):
        self.create()
        to = "kafka-configs.sh --bootstrap-server localhost:9092 --entity-type topics --entity-name TOPIC"
        self.assertEqual(self.link(f"{to} --alter --add-config retention.ms=86400000").stdout, f"Completed updating config for topic {self.topic}.\n")
        self.assertEqual(self.link(f"{to} --describe").stdout,
                         f"Dynamic configs for topic {self.topic} are:\n"
                         "  retention.ms=86400000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=86400000}\n")
        everything = self.link(f"{to} --describe --all").stdout.splitlines()
        self.assertEqual(everything[0], f"All configs for topic {self.topic} are:")
        self.assertIn("  min.insync.replicas=1 sensitive=false synonyms={DEFAULT_CONFIG:min.insync.replicas=1}", everything)
        self.assertEqual(everything[1:], sorted(everything[1:]))
        self.link(f"{to} --alter --add-config max.message.bytes=2000,cleanup.policy=[compact,delete] --delete-config retention.ms")
        shown = self.link(f"{to} --describe").stdout
        self.assertIn("cleanup.policy=compact,delete sensitive", shown)
        self.assertNotIn("retention.ms", shown)
        brokers = "kafka-configs --bootstrap-server localhost:9092 --entity-type brokers --entity-name 1"
        self.assertEqual(self.link(f"{brokers} --describe").stdout, "Dynamic configs for broker 1 are:\n")
        self.assertIn("  log.retention.hours=168 sensitive=false", self.link(f"{brokers} --describe --all").stdout)
        for words, said in (("--alter --add-config retention.ms=abc", "Invalid value abc for configuration retention.ms: Not a number of type LONG"),
                            ("--alter --add-config nobody=1", "Unknown topic config name: nobody"), ("--alter --delete-config nobody", "Invalid config(s): nobody"),
                            ("--alter", "At least one of --add-config"), ("--alter --add-config retention.ms", "key=val")):
            self.assertIn(said, self.link(f"{to} {words}", code=1).stderr)
        self.assertIn("UnknownTopicOrPartitionException", self.link(to.replace("TOPIC", "nobody") + " --describe", code=1).stderr)
        self.assertIn("Invalid entity type nobody", self.link(to.replace("topics", "nobody") + " --describe", code=1).stderr)

    def test_a_group_from_first_record_to_deletion(self):
        self.create(4)
        self.fill()
        done = self.read_all()
        self.assertEqual(sorted(done.stdout.splitlines()), sorted(f"k{i}-v{i}" for i in range(10)))
        self.assertEqual(done.stderr, "Processed a total of 10 messages\n")
        self.assertIn(self.group, self.link("kafka-consumer-groups.sh --bootstrap-server localhost:9092 --list").stdout.splitlines())
        offsets = self.offsets()
        self.assertEqual(sorted(offsets), [0, 1, 2, 3])
        self.assertEqual(sum(int(end) for _, end, _ in offsets.values()), 10)
        self.assertTrue(all(committed == end and lag == "0" for committed, end, lag in offsets.values()), offsets)
        to = "kafka-consumer-groups.sh --bootstrap-server localhost:9092 --group GROUP"
        members = self.link(f"{to} --describe --members --verbose")
        self.assertEqual(members.stderr, f"\nConsumer group '{self.group}' has no active members.\n")
        self.assertEqual(members.stdout.split(), ["GROUP", "CONSUMER-ID", "HOST", "CLIENT-ID", "#PARTITIONS", "ASSIGNMENT"])
        state = self.link(f"{to} --describe --state").stdout.splitlines()
        self.assertEqual(state[1].split(), ["GROUP", "COORDINATOR", "(ID)", "ASSIGNMENT-STRATEGY", "STATE", "#MEMBERS"])
        self.assertEqual(state[2].split(), [self.group, broker.address, "(1)", "Empty", "0"])
        listed = self.link("kafka-consumer-groups --bootstrap-server localhost:9092 --list --state empty").stdout.splitlines()
        self.assertEqual(listed[0].split(), ["GROUP", "STATE"])
        self.assertIn([self.group, "Empty"], [line.split() for line in listed])
        self.assertEqual(self.link(f"{to} --delete").stdout, f"Deletion of requested consumer groups ('{self.group}') was successful.\n")
        self.assertEqual(self.link(f"{to} --describe").stdout, f"\nError: Consumer group '{self.group}' does not exist.\n")
        self.assertIn(f"* Group '{self.group}' could not be deleted due to: org.apache.kafka.common.errors.GroupIdNotFoundException: The group id "
                      "does not exist.", self.link(f"{to} --delete").stdout)

    def test_a_group_shows_partitions_without_records(self):
        self.create(3)
        self.link("kafka-console-producer --bootstrap-server localhost:9092 --topic TOPIC", "one\n")
        read = "kafka-console-consumer --bootstrap-server localhost:9092 --topic TOPIC --group GROUP --from-beginning --max-messages 1"
        self.assertEqual(self.link(read).stdout, "one\n")
        self.assertEqual(sorted(self.offsets().values()), [("0", "0", "0"), ("0", "0", "0"), ("1", "1", "0")])
        # and of latest, from which what comes later counts
        self.group += "-latest"
        self.link("kafka-console-consumer --bootstrap-server localhost:9092 --topic TOPIC --group GROUP --timeout-ms 500")
        self.link("kafka-console-producer --bootstrap-server localhost:9092 --topic TOPIC", "two\n")
        self.assertEqual(sorted(lag for _, _, lag in self.offsets().values()), ["0", "0", "1"])
        self.assertEqual(self.link(read).stdout, "two\n")

    def test_a_group_with_a_member(self):
        self.create()
        self.fill()
        consumer = subprocess.Popen([support.PROGRAM.parent / "kafka-console-consumer.sh", "--bootstrap-server", broker.address, "--topic", self.topic,
                                     "--group", self.group, "--from-beginning"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            for _ in range(10):
                consumer.stdout.readline()
            to = "kafka-consumer-groups.sh --bootstrap-server localhost:9092 --group GROUP"
            rows = [line.split() for line in self.link(f"{to} --describe --members --verbose").stdout.splitlines()]
            self.assertEqual(rows[1], ["GROUP", "CONSUMER-ID", "HOST", "CLIENT-ID", "#PARTITIONS", "ASSIGNMENT"])
            self.assertRegex(rows[2][1], r"^console-consumer-[0-9a-f-]{36}$")
            self.assertEqual(rows[2][2:], ["/127.0.0.1", "console-consumer", "3", f"{self.topic}(0,1,2)"])
            self.assertEqual(self.link(f"{to} --describe --state").stdout.split()[-3:], ["range", "Stable", "1"])
            described = self.link(f"{to} --describe").stdout.splitlines()
            self.assertTrue(all(line.split()[6] == rows[2][1] for line in described[2:]), described)
            self.assertIn("GroupNotEmptyException: The group is not empty.", self.link(f"{to} --delete").stdout)
            self.assertIn("the current state is Stable", self.link(f"{to} --reset-offsets --to-earliest --topic TOPIC --execute").stdout)
            self.assertIn("Error: Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it.",
                          self.link(f"{to} --delete-offsets --topic TOPIC").stdout)
        finally:
            consumer.terminate()
            consumer.communicate(timeout=support.PATIENCE_S)

    def reset(self, words, code=0):
        done = self.link(f"kafka-consumer-groups.sh --bootstrap-server localhost:9092 --group GROUP --reset-offsets {words}", code=code)
        rows = [line.split() for line in done.stdout.splitlines() if line.startswith(self.group)]
        return {int(row[2]): int(row[3]) for row in rows}

    def test_every_way_to_reset(self):
        self.create(1)
        self.fill()
        self.read_all()
        before = {0: ("10", "10", "0")}
        self.assertEqual(self.offsets(), before)
        hour_ago = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000")
        plan = pathlib.Path(tempfile.mkdtemp()) / "offsets.csv"
        self.addCleanup(shutil.rmtree, plan.parent)
        exported = self.link("kafka-consumer-groups --bootstrap-server localhost:9092 --group GROUP --reset-offsets --to-offset 7 --topic TOPIC --export --dry-run")
        self.assertEqual(exported.stdout, f"{self.topic},0,7\n\n")
        plan.write_text(exported.stdout)
        ways = (("--to-earliest --topic TOPIC", 0), ("--to-latest --all-topics", 10), ("--to-current --topic TOPIC", 10), ("--to-offset 3 --topic TOPIC:0", 3),
                ("--to-offset 99 --topic TOPIC", 10), ("--shift-by -4 --topic TOPIC", 6), ("--shift-by -40 --topic TOPIC", 0),
                ("--by-duration PT1H --topic TOPIC", 0), ("--by-duration PT0S --topic TOPIC", 10), (f"--to-datetime {hour_ago} --topic TOPIC", 0),
                ("--to-datetime 2038-01-01T00:00:00.000+02:00 --topic TOPIC", 10), (f"--from-file {plan}", 7))
        for words, offset in ways:
            self.assertEqual(self.reset(f"{words} --dry-run"), {0: offset}, words)
            self.assertEqual(self.offsets(), before, words)
            self.assertEqual(self.reset(f"{words} --execute"), {0: offset}, words)
            self.assertEqual(self.offsets(), {0: (str(offset), "10", str(10 - offset))}, words)
            self.reset("--to-latest --all-topics --execute")
        for words, said in (("--topic TOPIC", "[to-offset], [to-datetime]"), ("--to-earliest", "One of the reset scopes should be defined"),
                            ("--to-offset x --topic TOPIC", "Cannot parse argument 'x' of option to-offset"),
                            ("--to-earliest --topic TOPIC --dry-run --execute", "only accepts one of")):
            done = self.link(f"kafka-consumer-groups --bootstrap-server localhost:9092 --group GROUP --reset-offsets {words}", code=1)
            self.assertIn(said, done.stderr.splitlines()[0])
        for words, said in (("--by-duration 1h --topic TOPIC", "'1h' is not PnDTnHnMnS"), ("--to-datetime 2020-01-01 --topic TOPIC", "2020-01-01"),
                            ("--to-earliest --topic nobody", "This server does not host this topic-partition."),
                            ("--to-earliest --topic TOPIC:x", "Invalid partition 'x'"), ("--from-file /nobody.csv", "/nobody.csv")):
            done = self.link(f"kafka-consumer-groups --bootstrap-server localhost:9092 --group GROUP --reset-offsets {words} --dry-run", code=1)
            self.assertIn(said, done.stdout.splitlines()[1])
        missing = self.link("kafka-consumer-groups --bootstrap-server localhost:9092 --group GROUP --reset-offsets --to-earliest --topic TOPIC")
        self.assertIn("WARN: No action will be performed as the --execute option is missing.", missing.stderr)
        self.assertEqual(self.offsets(), before)

    def test_group_mistakes(self):
        to = "kafka-consumer-groups.sh --bootstrap-server localhost:9092"
        for line, said in ((to, "Command must include exactly one action"), (f"{to} --describe", "takes one of these options: [all-groups], [group]"),
                           (f"{to} --list --state nobody", "Invalid state list 'nobody'. Valid states are: PreparingRebalance"),
                           (f"{to} --list --type nobody", "Invalid types list 'nobody'. Valid types are: Consumer, Classic"),
                           ("kafka-consumer-groups.sh --list", 'Missing required argument "[bootstrap-server]"')):
            self.assertIn(said, self.link(line, code=1).stderr.splitlines()[0])

    def test_a_streams_application_starts_again(self):
        self.create(1)
        self.fill()
        self.read_all()
        application = self.group
        internal = [f"{application}-counts-changelog", f"{application}-counts-repartition"]
        for name in (*internal, f"{application}-output"):
            self.link(f"kafka-topics --bootstrap-server localhost:9092 --create --topic {name}")
        reset = "kafka-streams-application-reset.sh --bootstrap-server localhost:9092 --application-id GROUP --input-topics TOPIC"
        expected = (f"Reset-offsets for input topics [{self.topic}]\n"
                    f"Following input topics offsets will be reset to (for consumer group {application})\n"
                    f"Topic: {self.topic} Partition: 0 Offset: 0\nDone.\n"
                    f"Deleting inferred internal topics [{', '.join(internal)}]\nDone.\n")
        self.assertEqual(self.link(f"{reset} --dry-run").stdout,
                         "----Dry run displays the actions which will be performed when running Streams Reset Tool----\n" + expected)
        self.assertEqual(self.offsets(), {0: ("10", "10", "0")})
        self.assertIn("Invalid topic specified in the --internal-topics option", self.link(f"{reset} --internal-topics TOPIC", code=1).stderr)
        self.assertEqual(self.offsets(), {0: ("0", "10", "10")})
        self.assertEqual(self.link(reset).stdout, expected)
        topics = self.link("kafka-topics --list --bootstrap-server localhost:9092").stdout.splitlines()
        self.assertEqual([name for name in (self.topic, *internal, f"{application}-output") if name in topics], [self.topic, f"{application}-output"])
        for words, offset in (("--to-latest", 10), ("--shift-by -3", 7), ("--to-offset 4", 4), ("--by-duration PT1H", 0), ("--to-datetime 2038-01-01T00:00:00.000", 10)):
            self.assertIn(f"Topic: {self.topic} Partition: 0 Offset: {offset}\n", self.link(f"{reset} {words}").stdout)
            self.assertEqual(self.offsets()[0][0], str(offset))
        missing = self.link(reset.replace("TOPIC", "TOPIC,nobody"), code=1)
        self.assertIn("Following input topics are not found, skipping them\nTopic: nobody\n", missing.stdout)
        self.assertIn("No input or intermediate topics specified. Skipping seek.", self.link(reset.replace("--input-topics TOPIC", "")).stdout)
        self.assertIn("Seek-to-end for intermediate topics", self.link(reset.replace("--input", "--intermediate")).stdout)
        self.assertEqual(self.offsets(), {0: ("10", "10", "0")})
        for words, said in (("--to-latest --to-earliest", "Only one of these options"), ("--to-offset x", "Cannot parse argument 'x'")):
            self.assertIn(said, self.link(f"{reset} {words}", code=1).stderr.splitlines()[0])
        self.assertIn('Missing required argument "[application-id]"', self.link("kafka-streams-application-reset --dry-run", code=1).stderr)

    def test_a_streams_application_that_still_runs(self):
        self.create(1)
        self.fill()
        consumer = subprocess.Popen([support.PROGRAM.parent / "kafka-console-consumer", "--bootstrap-server", broker.address, "--topic", self.topic,
                                     "--group", self.group, "--from-beginning"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            consumer.stdout.readline()
            reset = "kafka-streams-application-reset --bootstrap-server localhost:9092 --application-id GROUP --input-topics TOPIC"
            self.assertIn(f"Consumer group '{self.group}' is still active", self.link(reset, code=1).stderr)
            consumer.send_signal(signal.SIGSTOP)  # as one that hangs
            done = self.link(f"{reset} --force")
            self.assertEqual(done.stdout.splitlines()[0], f"Force deleting all active members in the group: {self.group}")
            self.assertEqual(self.offsets(), {0: ("0", "10", "10")})
        finally:
            consumer.kill()
            consumer.communicate(timeout=support.PATIENCE_S)

    def test_verifiable_tools(self):
        sent = events(self.link("kafka-verifiable-producer.sh --bootstrap-server localhost:9092 --max-messages 10 --topic TOPIC"))
        self.assertEqual([e["value"] for e in sent if e["name"] == "producer_send_success"], [str(i) for i in range(10)])
        read = events(self.link("kafka-verifiable-consumer.sh --bootstrap-server localhost:9092 --topic TOPIC --group-id GROUP --max-messages 10"))
        self.assertEqual([e["count"] for e in read if e["name"] == "records_consumed"], [10])
        self.assertEqual(read[-1]["name"], "shutdown_complete")

    def test_offsets_and_deleted_records(self):
        self.create(1)
        self.fill()
        to = "kafka-get-offsets.sh --bootstrap-server localhost:9092 --topic TOPIC"
        self.assertEqual(self.link(to).stdout, f"{self.topic}:0:10\n")
        plan = pathlib.Path(tempfile.mkdtemp()) / "records.json"
        self.addCleanup(shutil.rmtree, plan.parent)
        plan.write_text(json.dumps({"partitions": [{"topic": self.topic, "partition": 0, "offset": 4}], "version": 1}))
        done = self.link(f"kafka-delete-records.sh --bootstrap-server localhost:9092 --offset-json-file {plan}")
        self.assertEqual(done.stdout, "Executing records delete operation\nRecords delete operation completed:\n"
                                      f"partition: {self.topic}-0\tlow_watermark: 4\n")
        self.assertEqual(self.link(f"{to} --time earliest").stdout, f"{self.topic}:0:4\n")
        self.assertEqual(self.link(f"{to} --time 0 --partitions 0").stdout, f"{self.topic}:0:4\n")
        self.assertEqual(self.link(f"{to} --time -1").stdout, f"{self.topic}:0:10\n")
        self.assertIn("Malformed time argument nobody", self.link(f"{to} --time nobody", code=1).stderr)
        self.assertIn("Could not match any topic-partitions", self.link("kafka-get-offsets --bootstrap-server localhost:9092 --topic nobody", code=1).stderr)
        plan.write_text(json.dumps({"partitions": [{"topic": "nobody", "partition": 0, "offset": 4}], "version": 1}))
        self.assertIn("partition: nobody-0\terror: ", self.link(f"kafka-delete-records --bootstrap-server localhost:9092 --offset-json-file {plan}").stdout)
        self.assertIn("/nobody.json", self.link("kafka-delete-records --bootstrap-server localhost:9092 --offset-json-file /nobody.json", code=1).stderr)

    def test_where_things_lie(self):
        self.create(1)
        self.fill()
        lines = self.link("kafka-log-dirs.sh --bootstrap-server localhost:9092 --describe --topic-list TOPIC").stdout.splitlines()
        self.assertEqual(lines[:2], ["Querying brokers for log directories information", "Received log directory information from brokers 1"])
        told = json.loads(lines[2])
        (directory,) = told["brokers"][0]["logDirs"]
        self.assertEqual((told["version"], told["brokers"][0]["broker"], directory["error"]), (1, 1, None))
        (partition,) = directory["partitions"]
        self.assertEqual((partition["partition"], partition["offsetLag"], partition["isFuture"]), (f"{self.topic}-0", 0, False))
        segment = pathlib.Path(directory["logDir"]) / f"{self.topic}-0/{0:020}.log"
        self.assertEqual(segment.stat().st_size, partition["size"])
        dumped = self.link(f"kafka-dump-log.sh --print-data-log --deep-iteration --files {segment}").stdout
        self.assertIn(f"Dumping {segment}\nLog starting offset: 0\n", dumped)
        self.assertRegex(dumped, r"(?m)^baseOffset: 0 lastOffset: \d+ count: \d+ .* isvalid: true$")
        self.assertRegex(dumped, r"(?m)^\| offset: 9 CreateTime: \d+ keySize: 2 valueSize: 2 sequence: \d+ headerKeys: \[\] key: k9 payload: v9$")
        self.assertIn("/nobody.log", self.link("kafka-dump-log.sh --files /nobody.log", code=1).stderr)

    def test_transactions(self):
        self.create(1)
        self.link(f"kafka-producer-perf-test.sh --topic TOPIC --num-records 5 --record-size 10 --throughput -1 --producer-props "
                  "bootstrap.servers=localhost:9092 --transactional-id GROUP --transaction-duration-ms 100")
        to = "kafka-transactions.sh --bootstrap-server localhost:9092"
        lines = self.link(f"{to} list").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["TransactionalId", "Coordinator", "ProducerId", "TransactionState"])
        row = next(line.split() for line in lines if line.startswith(self.group))
        self.assertEqual((row[1], row[3]), ("1", "CompleteCommit"))
        described = self.link(f"{to} describe --transactional-id GROUP").stdout.splitlines()
        self.assertEqual(described[1].split()[:3], ["1", self.group, row[2]])
        self.assertEqual(self.link(f"{to} describe-producers --topic TOPIC --partition 0").stdout.splitlines()[1].split()[0], row[2])
        self.assertEqual(len(self.link(f"{to} find-hanging --broker-id 1").stdout.splitlines()), 1)
        self.assertIn("`nobody`", self.link(f"{to} describe --transactional-id nobody", code=1).stderr)
        self.assertIn("nobody-0", self.link(f"{to} describe-producers --topic nobody --partition 0", code=1).stderr)

    def test_the_cluster(self):
        to = "--bootstrap-server localhost:9092"
        versions = self.link(f"kafka-broker-api-versions.sh {to}").stdout
        self.assertRegex(versions, rf"(?m)^{broker.address} \(id: 1 rack: null\) -> \($")
        self.assertRegex(versions, r"(?m)^\tProduce\(0\): 0 to \d+ \[usable: \d+\],$")
        self.assertRegex(self.link(f"kafka-cluster.sh cluster-id {to}").stdout, r"^Cluster ID: [\w-]{22}\n$")
        self.assertRegex(self.link(f"kafka-features.sh {to} describe").stdout, r"(?m)^Feature: metadata.version\tSupportedMinVersion: ")
        quorum = self.link(f"kafka-metadata-quorum.sh {to} describe --status").stdout
        self.assertRegex(quorum, r"(?m)^LeaderId: +1$")
        self.create(1)
        self.assertIn(f"{self.topic}-0", self.link(f"kafka-leader-election.sh {to} --election-type preferred --topic TOPIC --partition 0").stdout)
        self.assertEqual(self.link(f"kafka-reassign-partitions.sh {to} --list").stdout, "No partition reassignments found.\n")
        self.assertIn(self.topic, self.link(f"kafka-topics {to} --list").stdout)
        self.assertIn("No Authorizer is configured", self.link(f"kafka-acls.sh {to} --list", code=1).stdout)

    def test_a_broker_that_is_not_there(self):
        nowhere = f"127.0.0.1:{support.free_port()}"
        for line in ("kafka-topics --list", "kafka-consumer-groups --list", "kafka-configs --entity-type topics --describe", "kafka-get-offsets",
                     "kafka-log-dirs --describe", "kafka-transactions list", "kafka-acls --list", "kafka-broker-api-versions",
                     "kafka-cluster cluster-id", "kafka-features describe", "kafka-metadata-quorum describe --status", "kafka-reassign-partitions --list"):
            done = self.link(f"{line} --bootstrap-server {nowhere}", code=1)
            self.assertIn(f"no broker answers at {nowhere}: is it running, and is the address right?", done.stdout + done.stderr)
        for line in ("kafka-console-consumer --topic x", "kafka-verifiable-consumer --topic x --group-id x", "kafka-verifiable-producer --topic x"):
            tool = subprocess.Popen([*line.split(), "--bootstrap-server", nowhere], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                    env={**os.environ, "PATH": self.path})
            said = ""
            while "no broker answers" not in said:
                said = tool.stderr.readline()
                skip_where_librdkafka_cannot_run(said or tool.wait())
                self.assertTrue(said, f"{line} ends without telling that there is no broker")
            self.assertIn(f"no broker answers at {nowhere}: is it running, and is the address right?", said)
            started = time.monotonic()
            tool.terminate()
            tool.communicate(timeout=support.PATIENCE_S)
            self.assertLess(time.monotonic() - started, 20, f"{line} does not end when it is told to")

    def test_servers(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-tools-"))
        self.addCleanup(shutil.rmtree, folder)
        port = support.free_port()
        (folder / "server.properties").write_text(f"broker.id=0\nlisteners=PLAINTEXT://127.0.0.1:{port}\nlog.dirs={folder}/logs\n"
                                                  "zookeeper.connect=localhost:2181\n")
        self.assertIn("No ZooKeeper is needed", self.link("zookeeper-server-start.sh config/zookeeper.properties").stdout)
        self.link(f"kafka-server-start.sh -daemon {folder}/server.properties", folder=folder)  # leaves logs/ where it starts
        support.eventually(lambda: socket.create_connection(("127.0.0.1", port), 1), "the broker listens").close()
        # Named, for other brokers may run on this machine.
        self.link(f"kafka-server-stop.sh {folder}/server.properties")
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", port), 1)
        self.assertEqual(self.link(f"kafka-server-stop {folder}/server.properties", code=1).stdout, "No kafka server to stop\n")


@unittest.skipUnless(os.environ.get("MILLRACE_JVM"), "MILLRACE_JVM=1 compares with Apache Kafka's own tools")
class CompareTest(unittest.TestCase):
    """Line by line what Apache's tools say about the same broker. They show maps in the order of Java's hashes, so that lines are sorted."""
    maxDiff = None

    def setUp(self):
        self.topic = f"compare-{uuid.uuid4().hex[:8]}"
        self.group = f"{self.topic}-group"
        run("topics", "--bootstrap-server", broker.address, "--create", "--topic", self.topic, "--partitions", 3, "--config", "retention.ms=86400000",
            "--config", "cleanup.policy=delete")
        run("console-producer", "--bootstrap-server", broker.address, "--topic", self.topic, stdin="a\nb\nc\n")
        run("console-consumer", "--bootstrap-server", broker.address, "--topic", self.topic, "--group", self.group, "--from-beginning", "--max-messages", 3)

    def compare(self, tool, *words):
        said = []
        for jvm in (False, True):
            done = run(tool, "--bootstrap-server", broker.address, *words, check=False, jvm=jvm)
            said.append((done.returncode, sorted(done.stdout.splitlines())))
        self.assertEqual(said[0], said[1], f"{tool} {words}")

    def test_topics(self):
        self.compare("topics", "--describe", "--topic", self.topic)
        self.compare("topics", "--describe")
        self.compare("topics", "--list")

    def test_groups(self):
        for words in ((), ("--members",), ("--members", "--verbose"), ("--state",)):
            self.compare("consumer-groups", "--describe", "--group", self.group, *words)
        self.compare("consumer-groups", "--list", "--state")
        self.compare("consumer-groups", "--list", "--type")
        self.compare("consumer-groups", "--group", self.group, "--reset-offsets", "--to-earliest", "--topic", self.topic, "--export", "--dry-run")
        consumer = subprocess.Popen([TOOLS, "console-consumer", "--bootstrap-server", broker.address, "--topic", self.topic, "--group", self.group],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            described = ("consumer-groups", "--bootstrap-server", broker.address, "--describe", "--group", self.group, "--state")
            support.eventually(lambda: "Stable" in run(*described, check=False).stdout, "the group is stable")
            for words in ((), ("--members",), ("--state",)):
                self.compare("consumer-groups", "--describe", "--group", self.group, *words)
        finally:
            consumer.terminate()
            consumer.wait(support.PATIENCE_S)

    def test_streams_application_reset(self):
        self.compare("streams-application-reset", "--application-id", self.group, "--input-topics", self.topic, "--dry-run")
        self.compare("streams-application-reset", "--application-id", self.group, "--input-topics", f"{self.topic},nobody", "--to-latest")

    def test_configs(self):
        for words in (("--entity-type", "topics", "--entity-name", self.topic), ("--entity-type", "brokers", "--entity-name", "1")):
            self.compare("configs", "--describe", *words)
            self.compare("configs", "--describe", "--all", *words)

    def test_offsets(self):
        for time_of in ("latest", "earliest", "max-timestamp", "0"):
            self.compare("get-offsets", "--topic", self.topic, "--time", time_of)

    def test_log_dirs(self):
        told = []
        for jvm in (False, True):
            done = run("log-dirs", "--bootstrap-server", broker.address, "--describe", "--topic-list", self.topic, jvm=jvm)
            lines = done.stdout.splitlines()
            document = json.loads(lines[2])
            for directory in document["brokers"][0]["logDirs"]:
                directory["partitions"].sort(key=lambda partition: partition["partition"])
            told.append((lines[:2], json.dumps(document)))
        self.assertEqual(told[0], told[1])

    def test_transactions(self):
        run("producer-perf-test", "--topic", self.topic, "--num-records", 5, "--record-size", 10, "--throughput", -1, "--producer-props",
            f"bootstrap.servers={broker.address}", "--transactional-id", self.topic, "--transaction-duration-ms", 100)
        self.compare("transactions", "list")
        self.compare("transactions", "describe-producers", "--topic", self.topic, "--partition", "0")


if __name__ == "__main__":
    unittest.main()
