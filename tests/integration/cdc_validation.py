"""The recorded answers to questions about the configuration: definitions, and the errors of validating changed configurations."""
import json
import re

from support import PASSWORD

CLASS = "io.debezium.connector.mariadb.MariaDbConnector"
# Tests whose names do not say what they change.
NAMED = {
    "both table lists": {"table.include.list": "a.b", "table.exclude.list": "c.d"},
    "both db lists": {"database.include.list": "a", "database.exclude.list": "b"},
    "both column lists": {"column.include.list": "a.b.c", "column.exclude.list": "d.e.f"},
    "batch>queue": {"max.batch.size": "2048", "max.queue.size": "1024"},
    "gtid both": {"gtid.source.includes": "a", "gtid.source.excludes": "b"},
    "sink without topic": {"notification.enabled.channels": "sink"},
    "kafka signal without topic": {"signal.enabled.channels": "kafka"},
}
# Members of a definition that clients see in a form or a check.
COMPARED = ("type", "required", "default_value", "importance", "group", "width", "display_name", "order")


def changed(base, test):
    """The configuration of a test, by its name."""
    if test in NAMED:
        return {**base, **NAMED[test]}
    if test == "minimal":
        return base
    if test == "empty":
        return {name: base[name] for name in ("connector.class", "name", "tasks.max")}
    if test.startswith("without "):
        return {name: value for name, value in base.items() if name != test.removeprefix("without ")}
    name, _, value = test.partition("=")
    return {**base, name: value}


def masked(message, port):
    """Without numbers of connections, ports and the user's name, which are those of a run."""
    message = re.sub(r"\(conn=\d+\)", "(conn=*)", message.replace(str(port), "${PORT}"))
    return re.sub(r"for user '\w+'@'[\w.]+'", "for user *", message)


def differences(case, db, worker):
    text = case.text("base-config.json")
    for name, value in {"PORT": db.port, "PEER": "peer", "KAFKA": worker.bootstrap}.items():
        text = text.replace("${%s}" % name, str(value))
    with db.session() as session:
        session.run("CREATE USER peer@localhost IDENTIFIED BY 'peer'")
        session.run("GRANT ALL ON *.* TO peer@localhost")
        session.run("CREATE USER peer@'127.0.0.1' IDENTIFIED BY 'peer'")
        session.run("GRANT ALL ON *.* TO peer@'127.0.0.1'")
    base = json.loads(text)
    return [*validations(case, base, db.port, worker), *definitions(case, worker)]


def validations(case, base, port, worker):
    for line in case.text("validation.jsonl").splitlines():
        recorded = json.loads(line)
        answer = worker.request("PUT", f"/connector-plugins/{CLASS}/config/validate", changed(base, recorded["test"]))
        if answer.status != 200:
            yield f"validate {recorded['test']}: status {answer.status}: {answer.text[:300]}"
            continue
        seen = {each["value"]["name"]: [masked(error, port) for error in each["value"]["errors"]]
                for each in answer.json["configs"] if each["value"]["errors"]}
        wanted = {name: [masked(error, port) for error in errors] for name, errors in recorded["errors"].items()}
        if as_said(seen) != as_said(wanted):
            yield f"validate {recorded['test']}: {json.dumps(wanted, ensure_ascii=False)} != {json.dumps(seen, ensure_ascii=False)}"


def as_said(errors):
    """Debezium says some of them twice."""
    return {name: sorted(set(texts)) for name, texts in errors.items()}


def definitions(case, worker):
    answer = worker.get(f"/connector-plugins/{CLASS}/config")
    if answer.status != 200:
        yield f"definitions: status {answer.status}: {answer.text[:300]}"
        return
    seen = {each["name"]: each for each in answer.json}
    wanted = {each["name"]: each for each in json.loads(case.text("config-def.json"))}
    yield from (f"definition {name}: missing" for name in wanted if name not in seen)
    for name in wanted:
        for member in COMPARED if name in seen else ():
            if member in seen[name] and wanted[name].get(member) != seen[name][member]:
                yield f"definition {name}.{member}: {json.dumps(wanted[name].get(member))} != {json.dumps(seen[name][member])}"
