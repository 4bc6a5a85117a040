"""GET /metrics of a real worker: every line by Prometheus' grammar, exact counters, and Kafka Connect's names."""
import re
import unittest

from support import ProcessTest, eventually

LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?)')

# By group: the attributes of Kafka Connect 3.9 that are numbers.
NAMES = {
    "connector_task_metrics": """running_ratio pause_ratio offset_commit_max_time_ms offset_commit_avg_time_ms batch_size_max
        offset_commit_failure_percentage offset_commit_success_percentage batch_size_avg status""",
    "source_task_metrics": """source_record_poll_rate source_record_poll_total source_record_write_rate source_record_write_total
        poll_batch_max_time_ms poll_batch_avg_time_ms source_record_active_count source_record_active_count_max
        source_record_active_count_avg""",
    "sink_task_metrics": """sink_record_read_rate sink_record_read_total sink_record_send_rate sink_record_send_total partition_count
        offset_commit_seq_no offset_commit_completion_rate offset_commit_completion_total offset_commit_skip_rate
        offset_commit_skip_total put_batch_max_time_ms put_batch_avg_time_ms sink_record_active_count
        sink_record_active_count_max sink_record_active_count_avg""",
    "task_error_metrics": """total_record_failures total_record_errors total_records_skipped total_retries total_errors_logged
        deadletterqueue_produce_requests deadletterqueue_produce_failures last_error_timestamp""",
    "connect_worker_metrics": " ".join(
        ["connector_count", "task_count"]
        + [f"{what}_startup_{end}" for what in ("connector", "task")
           for end in ("attempts_total", "success_total", "success_percentage", "failure_total", "failure_percentage")]
        + [f"connector_{state}_task_count" for state in
           ("total", "running", "paused", "failed", "unassigned", "destroyed", "restarting")]),
    "connector_metrics": "info status",
}


def parse(text):
    """{(name, labels): value}; strict: fails on whatever a Prometheus server might not take."""
    samples, typed, helped, closed, current = {}, {}, set(), set(), None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            known = helped if word == "HELP" else typed
            assert word in ("HELP", "TYPE") and name not in known and rest, line
            if word == "HELP":
                helped.add(name)
            else:
                assert rest in ("gauge", "counter"), line
                typed[name] = rest
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        pairs = LABEL.findall(labels or "")
        assert ",".join(f'{k}="{v}"' for k, v in pairs) == (labels or ""), line
        assert len(dict(pairs)) == len(pairs), f"a label twice: {line}"
        assert name in typed and name in helped, f"no type: {line}"
        if name != current:
            assert name not in closed, f"not in one group: {line}"
            closed.add(current)
            current = name
        key = (name, frozenset(pairs))
        assert key not in samples, f"twice: {line}"
        samples[key] = float(value)
        assert typed[name] != "counter" or samples[key] >= 0, line
    return samples


class Metrics(ProcessTest):
    def scrape(self):
        answer = self.running.get("/metrics")
        self.assertEqual(200, answer.status)
        self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        return parse(answer.text)

    def value(self, name, **labels):
        return self.scrape().get((f"kafka_connect_{name}", frozenset({**labels, "team": "data"}.items())))

    def wait_for(self, expected, name, **labels):
        eventually(lambda: self.value(name, **labels) == expected, f"{name}{labels} is {expected}")

    def start_pipeline(self):
        # The third line cannot be a number.
        (self.folder / "in.txt").write_text("1\n2\nthree\n4\n5\n")
        self.running = self.worker(settings={"metrics.context.team": "data"}).start()
        self.running.must_create("in", {"connector.class": "FileStreamSource", "file": "in.txt", "topic": "numbers",
                                        "value.converter": "org.apache.kafka.connect.storage.StringConverter"})
        self.running.must_create("out", {
            "connector.class": "FileStreamSink", "file": "out.txt", "topics": "numbers", "errors.tolerance": "all",
            "errors.log.enable": "true", "errors.deadletterqueue.topic.name": "bad",
            "errors.deadletterqueue.topic.replication.factor": "1",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter", "transforms": "cast",
            "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value", "transforms.cast.spec": "int32"})

    def test_counters_are_exact_and_states_show(self):
        self.start_pipeline()
        source, sink = {"connector": "in", "task": "0"}, {"connector": "out", "task": "0"}
        self.wait_for(4, "sink_task_metrics_sink_record_send_total", **sink)
        self.wait_for(5, "source_task_metrics_source_record_write_total", **source)
        for expected, name, labels in [
                (5, "source_task_metrics_source_record_poll_total", source),
                (0, "source_task_metrics_source_record_active_count", source),
                (0, "task_error_metrics_total_record_errors", source),
                (5, "sink_task_metrics_sink_record_read_total", sink),
                (1, "sink_task_metrics_partition_count", sink),
                (1, "task_error_metrics_total_record_errors", sink),
                (1, "task_error_metrics_total_record_failures", sink),
                (1, "task_error_metrics_total_records_skipped", sink),
                (1, "task_error_metrics_total_errors_logged", sink),
                (1, "task_error_metrics_deadletterqueue_produce_requests", sink),
                (0, "task_error_metrics_deadletterqueue_produce_failures", sink),
                (2, "connect_worker_metrics_connector_count", {}),
                (2, "connect_worker_metrics_task_count", {}),
                (2, "connect_worker_metrics_connector_startup_success_total", {}),
                (2, "connect_worker_metrics_task_startup_attempts_total", {}),
                (1, "connect_worker_metrics_task_startup_success_percentage", {})]:
            with self.subTest(name=name, **labels):
                self.assertEqual(expected, self.value(name, **labels))
        self.assertGreater(self.value("source_task_metrics_source_record_poll_rate", **source), 0)
        self.assertLessEqual(self.value("connector_task_metrics_batch_size_max", **sink), 5)
        self.assertGreater(self.value("task_error_metrics_last_error_timestamp", **sink), 1.7e12)

        self.assertEqual(202, self.running.request("PUT", "/connectors/in/pause").status)
        self.wait_for(1, "connector_task_metrics_status", status="paused", **source)
        self.wait_for(0, "connector_task_metrics_status", status="running", **source)
        self.wait_for(1, "connector_metrics_status", status="paused", connector="in")
        self.wait_for(1, "connect_worker_metrics_connector_paused_task_count", connector="in")
        eventually(lambda: self.value("connector_task_metrics_pause_ratio", **source) > 0, "the pause is counted")

    def test_a_failed_task_shows(self):
        self.start_pipeline()
        self.running.must_create("strict", {
            "connector.class": "FileStreamSink", "file": "strict.txt", "topics": "numbers",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter", "transforms": "cast",
            "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value", "transforms.cast.spec": "int32"})
        self.wait_for(1, "connector_task_metrics_status", status="failed", connector="strict", task="0")
        self.assertEqual(1, self.value("connect_worker_metrics_connector_failed_task_count", connector="strict"))
        self.assertEqual(1, self.value("connector_metrics_status", status="running", connector="strict"))

    def test_all_names_of_kafka_connect_are_there(self):
        self.start_pipeline()
        self.wait_for(4, "sink_task_metrics_sink_record_send_total", connector="out", task="0")
        names = {name for name, _ in self.scrape()}
        for group, attributes in NAMES.items():
            for attribute in attributes.split():
                self.assertIn(f"kafka_connect_{group}_{attribute}", names)
        ours = {name for name in names if name.startswith("kafka_connect_") and "app_info" not in name}
        known = {f"kafka_connect_{group}_{attribute}" for group, all_of in NAMES.items() for attribute in all_of.split()}
        self.assertEqual(ours - known, set(), "names that Kafka Connect does not have")
        for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds", "process_open_fds"):
            self.assertIn(name, names)


if __name__ == "__main__":
    unittest.main()
