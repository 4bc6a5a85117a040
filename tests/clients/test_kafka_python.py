"""kafka-python: a client with a protocol implementation of its own."""
import unittest

from broker_support import ClientTest, deadline, need, wait_until

need("python")
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition  # noqa: E402
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic  # noqa: E402
from kafka.errors import TopicAlreadyExistsError  # noqa: E402


class KafkaPython(ClientTest):
    def admin(self):
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        self.addCleanup(admin.close)
        return admin

    def producer(self, **settings):
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, **settings)
        self.addCleanup(producer.close)
        return producer

    def consumer(self, *topics, **settings):
        settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, **settings}
        consumer = KafkaConsumer(*topics, bootstrap_servers=self.bootstrap, **settings)
        self.addCleanup(consumer.close)
        return consumer

    def read(self, consumer, count):
        got, over = [], deadline()
        while len(got) < count:
            self.assertFalse(over(), f"{len(got)} of {count} records")
            for records in consumer.poll(500).values():
                got += records
        return got

    def test_codecs(self):
        for codec in (None, "gzip"):
            topic = self.name(codec or "plain")
            producer = self.producer(compression_type=codec, acks="all")
            sent = [producer.send(topic, key=str(i).encode(), value=b"v" * 100, headers=[("n", str(i).encode())], partition=0)
                    for i in range(1000)]
            producer.flush(30)
            self.assertEqual([f.get(30).offset for f in sent], list(range(1000)))
            consumer = self.consumer()
            consumer.assign([TopicPartition(topic, 0)])
            consumer.seek_to_beginning()
            got = self.read(consumer, 1000)
            self.assertEqual(got[999].headers, [("n", b"999")])
            self.assertEqual([r.offset for r in got], list(range(1000)))

    def test_group_and_seek_by_time(self):
        topic, group = self.name(), self.name("group")
        producer = self.producer()
        for i in range(20):
            producer.send(topic, value=str(i).encode(), partition=i % 2, timestamp_ms=1_700_000_000_000 + i)
        producer.flush(30)
        consumer = self.consumer(topic, group_id=group)
        self.assertEqual(len(self.read(consumer, 20)), 20)
        self.assertEqual(consumer.end_offsets([TopicPartition(topic, 0)]), {TopicPartition(topic, 0): 10})
        found = consumer.offsets_for_times({TopicPartition(topic, 1): 1_700_000_000_010})
        self.assertEqual(found[TopicPartition(topic, 1)].offset, 5)
        consumer.commit({TopicPartition(topic, 0): OffsetAndMetadata(3, "note", -1)})
        self.assertEqual(consumer.committed(TopicPartition(topic, 0)), 3)

    def test_transactions(self):
        topic = self.name()
        producer = self.producer(transactional_id=self.name("txn"))
        producer.init_transactions()
        for value, commit in ((b"yes", True), (b"no", False), (b"again", True)):
            producer.begin_transaction()
            producer.send(topic, value=value, partition=0).get(30)
            producer.commit_transaction() if commit else producer.abort_transaction()
        consumer = self.consumer(isolation_level="read_committed")
        consumer.assign([TopicPartition(topic, 0)])
        self.assertEqual([r.value for r in self.read(consumer, 2)], [b"yes", b"again"])

    def test_admin(self):
        admin, topic = self.admin(), self.name()
        admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1, topic_configs={"cleanup.policy": "compact"})])
        with self.assertRaises(TopicAlreadyExistsError):
            admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
        self.assertIn(topic, admin.list_topics())
        described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        self.assertIn("compact", str(described))
        admin.create_partitions({topic: NewPartitions(4)})
        self.assertEqual(len(admin.describe_topics([topic])[0]["partitions"]), 4)
        admin.delete_topics([topic])
        wait_until(lambda: topic not in admin.list_topics(), "the topic is gone")


if __name__ == "__main__":
    unittest.main(verbosity=2)
