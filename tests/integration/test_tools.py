#!/usr/bin/env python3
"""Kafka's command line tools as millrace has them, against a real broker.

KAFKA_BOOTSTRAP=host:port names one that runs already; without it the test starts `millrace broker` of its own.
MILLRACE_JVM=1 runs Apache Kafka's own console tools on the other side of the same topics (see tests/jvm/kafka).
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
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


def run(tool, *words, stdin=None, check=True, jvm=False):
    command = [str(JVM), "tool", tool] if jvm else [TOOLS, tool]
    done = subprocess.run([*command, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=support.PATIENCE_S * 2)
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


if __name__ == "__main__":
    unittest.main()
