#!/usr/bin/env python3
"""golden.connect-rest: replays the recorded exchanges against real workers, a distributed and a standalone one.

Scenarios of what is not built yet, and the steps named in tests/golden/connect-rest-open.json, may differ; any other
difference fails, and so does a listed step that has come to agree (the list must shrink with the work).
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "integration"))
import support  # noqa: E402

ROOT = support.ROOT


def golden_root():
    named = os.environ.get("MILLRACE_GOLDEN")
    for root in [named] if named else [ROOT.parent / "shared/golden", ROOT / "tests/golden"]:
        if (pathlib.Path(root) / "connect-rest/replay.py").exists():
            return pathlib.Path(root) / "connect-rest"
    return None


def main():
    golden = golden_root()
    if golden is None:
        print("no replay.py among the recordings: nothing to replay")
        return 77
    rules = json.loads((ROOT / "tests/golden/connect-rest-open.json").read_text())
    scenarios = [path for path in sorted(golden.glob("[0-9]*.json")) if path.stem not in rules["scenarios"]]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-test-rest-"))
    settings = {"offset.flush.interval.ms": "1000", "config.providers": "file",
                "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider"}
    workers = {}
    try:
        for mode in ["distributed", "standalone"]:
            (folder / mode).mkdir()
            workers[mode] = support.Worker(folder / mode, settings=settings, mode=mode).start()
        base, standalone = (f"http://127.0.0.1:{workers[mode].port}" for mode in ["distributed", "standalone"])
        out = subprocess.run([sys.executable, golden / "replay.py", "--base", base, "--standalone-base", standalone, "--dir", folder, *scenarios],
                             capture_output=True, text=True).stdout
    finally:
        for worker in workers.values():
            worker.stop()
    print(out)
    differing = {" ".join(line.split(":")[0].split()) for line in out.splitlines() if line.split(" ")[0].endswith(".json")}
    allowed = {f"{name}.json {step}" for name, steps in rules["steps"].items() for step in steps}
    unexpected, agreed = sorted(differing - allowed), sorted(allowed - differing)
    print(f"{len(differing & allowed)} differences are listed as open", *(f"UNEXPECTED {d}" for d in unexpected),
          *(f"now agrees, remove from the list: {d}" for d in agreed), sep="\n")
    return 1 if unexpected or agreed else 0


sys.exit(main())
