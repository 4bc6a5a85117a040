"""kafkajs has no flexible versions at all: it shows that the old ones work. The suite itself is kafkajs_suite.mjs."""
import os
import subprocess
import unittest

from broker_support import CLIENTS, HERE, ClientTest, need

need("node")


class KafkaJs(ClientTest):
    def test_suite(self):
        done = subprocess.run(["node", HERE / "kafkajs_suite.mjs"], text=True, capture_output=True, timeout=240,
                              env={**os.environ, "KAFKA_BOOTSTRAP": self.bootstrap, "KAFKAJS": str(CLIENTS / "node/node_modules/kafkajs"),
                                   "KAFKAJS_NO_PARTITIONER_WARNING": "1"})
        print(done.stdout)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
