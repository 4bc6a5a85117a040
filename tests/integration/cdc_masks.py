"""Compares two recordings of change events where the recordings bring no compare.py of their own.

What differs from run to run is replaced by `*`: times of the run, random ids, and, unless positions are asked for, places in the binlog.
The interface is that of compare.py: load(folder, positions, ignore_headers) and diff(expected, actual).
"""
import json
import re

TIMES = {"ts_ms", "ts_us", "ts_ns", "ts_sec", "timestamp"}
PLACES = {"file", "pos", "gtid", "gtids", "server_id", "thread", "event"}
RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
VOLATILE_HEADERS = {"__debezium.context.runId", "__source_ts_ms", "__ts_ms"}
# Members that are the connector's, not the row's; only there do the names above mean what they say.
OWN_MEMBERS = ("source", "position", "transaction")


def masked(members, positions):
    def mask(name, value):
        if name in TIMES or name == "version":
            return "*"
        return "*" if not positions and value is not None and name in PLACES | {"id"} else value
    return {name: mask(name, value) for name, value in members.items()}


def mask_payload(payload, positions):
    if not isinstance(payload, dict):
        return payload
    envelope = "source" in payload or "position" in payload
    out = dict(payload)
    for name in OWN_MEMBERS:
        if isinstance(out.get(name), dict):
            out[name] = masked(out[name], positions)
    boundary = "status" in out and "event_count" in out
    if envelope or boundary or "aggregate_type" in out or set(out) == {"ts_ms"}:
        out.update({name: "*" for name in TIMES & set(out)})
    if boundary and not positions:
        out["id"] = "*"
    if out.get("data_collections"):
        out["data_collections"] = sorted(out["data_collections"], key=lambda each: each["data_collection"])
    if "aggregate_type" in out or set(out) == {"id"}:
        out["id"] = RANDOM_ID.sub("*", out["id"]) if isinstance(out["id"], str) else out["id"]
    return out


def load(folder, positions, ignore_headers):
    with open(f"{folder}/schemas.json", encoding="utf-8") as file:
        schemas = json.load(file)

    def side(found):
        if found is None or "text" in found:
            return found
        if "json" in found:
            return {"json": mask_payload(found["json"], positions)}
        number = found.get("schema_ref")
        schema = found["schema"] if "schema" in found else None if number is None else schemas[number]
        return {"schema": schema, "payload": mask_payload(found["payload"], positions)}

    topics = {}
    with open(f"{folder}/expected.jsonl", encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            kept = {"key": side(record["key"]), "value": side(record["value"])}
            if not ignore_headers:
                kept["headers"] = [[name, "*" if name in VOLATILE_HEADERS else value] for name, value in record["headers"]]
            topics.setdefault(record["topic"], []).append(kept)
    # How many heartbeats there are depends on how long the run took.
    return {name: records[-1:] if "heartbeat" in name else records for name, records in topics.items()}


def diff(expected, actual, path=""):
    if isinstance(expected, dict) and isinstance(actual, dict):
        missing = [f"{path}.{name}: missing in actual" for name in expected if name not in actual]
        surplus = [f"{path}.{name}: only in actual" for name in actual if name not in expected]
        return missing + surplus + [line for name in expected if name in actual for line in diff(expected[name], actual[name], f"{path}.{name}")]
    if isinstance(expected, list) and isinstance(actual, list):
        lines = [] if len(expected) == len(actual) else [f"{path}: length {len(expected)} != {len(actual)}"]
        return lines + [line for i, (e, a) in enumerate(zip(expected, actual)) for line in diff(e, a, f"{path}[{i}]")]
    if type(expected) is type(actual) and expected == actual:
        return []
    return [f"{path}: {json.dumps(expected, ensure_ascii=False)[:160]} != {json.dumps(actual, ensure_ascii=False)[:160]}"]
