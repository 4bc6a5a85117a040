"""The broker is killed with SIGKILL again and again under load: what was acknowledged is there, nothing twice, and
readers of committed records see whole transactions only. The producers are librdkafka's, with acks=all."""
import os
import threading
import unittest

from broker_support import Broker, deadline, need, wait_until

need("python")
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402

KILLS = int(os.environ.get("MILLRACE_KILLS", "12"))
PARTITIONS = 3


class Load(threading.Thread):
    """Produces until told to stop; keeps what was acknowledged."""

    def __init__(self, run):
        super().__init__(daemon=True)
        self.stopping, self.problem, self.acknowledged, self.body = threading.Event(), None, [], run

    def run(self):
        try:
            self.body(self)
        except Exception as problem:  # noqa: BLE001 - shown by the test
            self.problem = problem

    def finish(self):
        self.stopping.set()
        self.join(90)
        if self.problem:
            raise self.problem
        assert not self.is_alive(), "the producer did not finish"


class Kill9(unittest.TestCase):
    def setUp(self):
        self.broker = Broker({"num.partitions": str(PARTITIONS)}).start()
        self.settings = {"bootstrap.servers": self.broker.bootstrap, "reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 100,
                         "log_level": 0}
        admin = AdminClient(self.settings)
        for future in admin.create_topics([NewTopic(t, PARTITIONS, 1) for t in ("plain", "idempotent", "transactional")]).values():
            future.result(30)

    def tearDown(self):
        self.broker.remove()

    def sender(self, topic, idempotent):
        def run(load):
            producer = Producer({**self.settings, "acks": "all", "enable.idempotence": idempotent, "linger.ms": 1,
                                 "message.timeout.ms": 120_000, "retries": 1_000_000})
            n = 0

            def acknowledged(error, message):
                if error:
                    load.problem = KafkaException(error)
                else:
                    load.acknowledged.append((message.value(), message.partition(), message.offset()))
            while not load.stopping.is_set():
                try:
                    producer.produce(topic, value=f"{n:09}", partition=n % PARTITIONS, on_delivery=acknowledged)
                    n += 1
                except BufferError:
                    producer.poll(0.1)
                producer.poll(0 if n % 200 else 0.002)
            assert producer.flush(90) == 0
        return Load(run)

    def transactions(self, topic, size):
        def run(load):
            producer = Producer({**self.settings, "transactional.id": "kill9", "linger.ms": 1, "transaction.timeout.ms": 60_000,
                                 "message.timeout.ms": 55_000})
            producer.init_transactions(60)
            n = 0
            while not load.stopping.is_set():
                n += 1
                producer.begin_transaction()
                try:
                    for i in range(size):
                        producer.produce(topic, value=f"{n}:{i}", partition=i % PARTITIONS)
                    if n % 5 == 0:
                        producer.abort_transaction(60)
                        continue
                    producer.commit_transaction(60)
                    load.acknowledged.append(n)
                except KafkaException as problem:
                    if not problem.args[0].txn_requires_abort():
                        raise
                    producer.abort_transaction(60)
        return Load(run)

    def kill_under(self, loads, acknowledged_between):
        for load in loads:
            load.start()
        for _ in range(KILLS):
            before = [len(load.acknowledged) for load in loads]

            def more():
                for load in loads:
                    if load.problem:
                        raise AssertionError(load.problem)
                return all(len(load.acknowledged) > b + acknowledged_between for load, b in zip(loads, before))
            wait_until(more, "producers go on after a kill")
            self.broker.kill()
            self.broker.start()
        for load in loads:
            load.finish()

    def read_all(self, topic):
        consumer = Consumer({**self.settings, "group.id": "reader", "isolation.level": "read_committed", "enable.partition.eof": True,
                             "auto.offset.reset": "earliest"})
        consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
        records, ended, over = [], set(), deadline()
        while len(ended) < PARTITIONS:
            assert not over(), f"read {len(records)} records, partitions {ended} ended"
            for message in consumer.consume(10_000, 1.0):
                if message.error():
                    ended.add(message.partition())
                else:
                    records.append((message.value(), message.partition(), message.offset()))
        consumer.close()
        return records

    def test_nothing_acknowledged_is_lost_and_idempotent_records_come_once(self):
        plain, idempotent = self.sender("plain", False), self.sender("idempotent", True)
        self.kill_under([plain, idempotent], 500)
        for load, topic in ((plain, "plain"), (idempotent, "idempotent")):
            stored = self.read_all(topic)
            missing = set(load.acknowledged) - set(stored)
            self.assertEqual(len(missing), 0, f"{topic}: {len(missing)} of {len(load.acknowledged)} acknowledged are missing: {sorted(missing)[:3]}")
        values = [value for value, _, _ in self.read_all("idempotent")]
        self.assertEqual(len(values), len(set(values)), "an idempotent producer's record came twice")
        for partition in range(PARTITIONS):
            ordered = [v for v, p, _ in stored if p == partition]
            self.assertEqual(ordered, sorted(ordered), "an idempotent producer's records changed their order")

    def test_committed_readers_see_whole_transactions(self):
        size = 30
        load = self.transactions("transactional", size)
        self.kill_under([load], 5)
        seen = {}
        for value, _, _ in self.read_all("transactional"):
            number, i = value.decode().split(":")
            seen.setdefault(int(number), []).append(int(i))
        for number, parts in seen.items():
            self.assertEqual(sorted(parts), list(range(size)), f"transaction {number} is not whole, or came twice")
        self.assertEqual(set(load.acknowledged) - set(seen), set(), "a committed transaction is missing")
        aborted = {n for n in seen if n % 5 == 0}
        self.assertEqual(aborted, set(), "an aborted transaction is seen")


if __name__ == "__main__":
    unittest.main(verbosity=2)
