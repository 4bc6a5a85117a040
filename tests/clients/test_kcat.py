"""kcat, the field's pocket knife."""
import json
import shutil
import subprocess
import sys
import unittest

from broker_support import ClientTest

if not shutil.which("kcat"):
    print("SKIPPED: kcat is not installed")
    sys.exit(77)


class Kcat(ClientTest):
    def kcat(self, *arguments, text=None):
        done = subprocess.run(["kcat", "-b", self.bootstrap, *arguments], input=text, text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_lists_brokers_and_topics(self):
        topic = self.name()
        self.kcat("-P", "-t", topic, text="one\n")
        listing = json.loads(self.kcat("-L", "-J"))
        self.assertEqual(len(listing["brokers"]), 1)
        self.assertIn(topic, [t["topic"] for t in listing["topics"]])

    def test_every_codec_comes_back_with_keys_and_headers(self):
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            topic = self.name(codec)
            lines = "".join(f"k{i}:value {i} {'x' * 50}\n" for i in range(500))
            self.kcat("-P", "-t", topic, "-p", "0", "-K:", "-z", codec, "-H", "from=kcat", text=lines)
            got = self.kcat("-C", "-t", topic, "-p", "0", "-e", "-q", "-o", "beginning", "-f", "%k:%s|%h|%o\n").splitlines()
            self.assertEqual(len(got), 500, codec)
            self.assertEqual(got[499], f"k499:value 499 {'x' * 50}|from=kcat|499")

    def test_offsets_from_the_end_and_by_time(self):
        topic = self.name()
        self.kcat("-P", "-t", topic, "-p", "1", text="".join(f"{i}\n" for i in range(10)))
        self.assertEqual(self.kcat("-C", "-t", topic, "-p", "1", "-o", "-3", "-e", "-q").split(), ["7", "8", "9"])
        self.assertEqual(self.kcat("-C", "-t", topic, "-p", "1", "-o", "s@1", "-e", "-q").split()[0], "0")
        self.assertIn("offset 10", self.kcat("-Q", "-t", f"{topic}:1:-1").replace(" [1]", ""))

    def test_tombstones_stay_null(self):
        topic = self.name()
        self.kcat("-P", "-t", topic, "-p", "0", "-Z", "-K:", text="gone:\n")
        record = json.loads(self.kcat("-C", "-t", topic, "-p", "0", "-e", "-q", "-J").splitlines()[0])
        self.assertEqual((record["key"], record["payload"]), ("gone", None))

    def test_a_group_reads_all_partitions_once(self):
        topic, group = self.name(), self.name("group")
        for partition in range(4):
            self.kcat("-P", "-t", topic, "-p", str(partition), text="".join(f"{partition}-{i}\n" for i in range(25)))
        first = self.kcat("-G", group, "-X", "auto.offset.reset=earliest", "-c", "100", "-q", topic).split()
        self.assertEqual(len(set(first)), 100)
        self.kcat("-P", "-t", topic, "-p", "2", text="late\n")
        self.assertEqual(self.kcat("-G", group, "-X", "auto.offset.reset=earliest", "-c", "1", "-q", topic).split(), ["late"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
