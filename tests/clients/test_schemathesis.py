"""Requests that nobody would write: schemathesis makes them from the worker's own OpenAPI description.

No crash, no hang, no answer that the description does not have, no 500 but those that Kafka Connect answers, too.
"""
import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from support import ProcessTest  # noqa: E402

CLIENTS = pathlib.Path(os.environ.get("MILLRACE_CLIENTS", HERE.parents[1] / "build/clients"))


def find_program():
    """The one that MILLRACE_SCHEMATHESIS names, or the version that setup installs."""
    if named := os.environ.get("MILLRACE_SCHEMATHESIS"):
        return named
    done = subprocess.run([HERE / "setup", "schemathesis"], text=True, capture_output=True)
    if done.returncode != 0:
        print(done.stdout + done.stderr)
        sys.exit(done.returncode)
    return str(CLIENTS / "fuzz/bin/schemathesis")


PROGRAM = find_program()

CONNECTOR = "fuzzed"
EXAMPLES = os.environ.get("MILLRACE_FUZZ_EXAMPLES", "25")
SEED = os.environ.get("MILLRACE_FUZZ_SEED", "1")


class Fuzz(ProcessTest):
    def test_the_description_is_kept_whatever_is_asked(self):
        # A distributed one: where Kafka's standalone worker answers 500 for a connector that is not there, this says 404.
        worker = self.worker(mode="distributed", settings={"millrace.log.level": "WARN"}).start()
        worker.must_create(CONNECTOR, {"connector.class": "FileStreamSource", "file": "in.txt", "topic": "t"})
        done = subprocess.run(
            [PROGRAM, "run", f"http://127.0.0.1:{worker.port}/openapi.json", "--seed", SEED,
             "--checks", "status_code_conformance,response_schema_conformance,server_errors_are_by_contract",
             "--exclude-operation-id", "deleteConnector", "--phases", "examples,coverage,fuzzing",
             "--max-examples", EXAMPLES, "--continue-on-failure", "--request-timeout", "30"],
            capture_output=True, text=True, cwd=self.folder,
            env={**os.environ, "MILLRACE_FUZZ_CONNECTOR": CONNECTOR, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE),
                 "NO_COLOR": "1"})
        self.assertEqual(0, done.returncode, (done.stdout + done.stderr)[-60000:])
        self.assertTrue(worker.healthy())
        self.assertEqual(204, worker.request("DELETE", f"/connectors/{CONNECTOR}").status)


if __name__ == "__main__":
    unittest.main()
