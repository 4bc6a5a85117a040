"""Exactly-once sources: the worker is killed again and again, and a reader of committed records sees each one once."""
import os
import random
import subprocess
import time
import unittest

from support import ROOT, ProcessTest, eventually


class ExactlyOnce(ProcessTest):
    def setUp(self):
        super().setUp()
        plugins = self.folder / "plugins"
        plugins.mkdir()
        subprocess.run(["g++", "-std=c++20", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", ROOT / "examples/plugins/sequence_source.cc",
                        "-o", plugins / "sequence_source.so", "-I", ROOT / "sdk/include"], check=True)
        self.worker_ = self.worker(settings={"plugin.path": plugins, "exactly.once.source.support": "enabled", "offset.flush.interval.ms": "200"})
        self.worker_.start()

    def stored(self):
        offsets = self.worker_.get("/connectors/numbers/offsets").json["offsets"]
        return next(iter(offsets[0]["offset"].values())) if offsets else 0

    def read(self, name, last, isolation):
        """All numbers of the topic up to the last one; a sink of its own reads it from the start."""
        out = self.folder / f"{name}.txt"
        self.worker_.must_create(name, {"connector.class": "FileStreamSink", "topics": "numbers", "file": str(out),
                                        "consumer.override.isolation.level": isolation})
        eventually(lambda: out.exists() and out.read_text().endswith(f"\n{last}\n"), f"all up to {last} is read")
        return [int(line) for line in out.read_text().splitlines()]

    def kill_loop(self, **boundary):
        kills, seed = int(os.environ.get("MILLRACE_KILLS", "8")), random.Random(20261121)
        self.worker_.must_create("numbers", {"connector.class": "SequenceSource", "topic": "numbers", "batch.size": "200",
                                             "interval.ms": "1", "exactly.once.support": "required", **boundary})
        for _ in range(kills):
            before = self.stored()
            eventually(lambda: self.stored() > before, "it goes on")
            time.sleep(seed.uniform(0.0, 0.1))  # the moment of the kill is the point; nothing waits for it
            self.worker_.kill()
            self.worker_.start()
        before = self.stored()
        eventually(lambda: self.stored() > before, "it goes on after the last kill")
        self.assertEqual(204, self.worker_.request("PUT", "/connectors/numbers/stop").status)
        self.worker_.wait_for_states("numbers", ["STOPPED"])
        stored = self.stored()
        # The stored offset is the last number itself.
        committed = self.read("committed", stored, "read_committed")
        self.assertEqual(len(committed), stored + 1, "each number once")
        self.assertTrue(committed == list(range(stored + 1)), "in order")
        everything = self.read("everything", stored, "read_uncommitted")
        self.assertTrue(sorted(set(everything)) == committed)
        return len(everything) - len(committed)

    def test_a_transaction_a_poll(self):
        self.kill_loop()

    def test_a_transaction_an_interval(self):
        aborted = self.kill_loop(**{"transaction.boundary": "interval", "transaction.boundary.interval.ms": "100"})
        self.assertGreater(aborted, 0, "kills fell into transactions")


if __name__ == "__main__":
    unittest.main()
