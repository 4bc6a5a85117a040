"""The REST examples keep their word: every line of examples/curl.md and every request of the Postman collection gets
the status that stands beside it, on a fresh worker, in order."""
import json
import re
import shlex
import subprocess
import unittest

from support import ROOT, ProcessTest

CURL = ROOT / "examples/curl.md"
POSTMAN = ROOT / "examples/postman/millrace.postman_collection.json"


def curl_lines():
    for block in re.findall(r"```sh\n(.*?)```", CURL.read_text(), re.S):
        for line in block.splitlines():
            command, _, comment = line.rpartition("  # ")
            yield command, int(comment.split(":")[0])


def postman_requests():
    collection = json.loads(POSTMAN.read_text())
    variables = {"{{" + v["key"] + "}}": v["value"] for v in collection["variable"]}
    for folder in collection["item"]:
        for item in folder["item"]:
            script = "\n".join(item["event"][0]["script"]["exec"])
            yield item["name"], item["request"], int(re.search(r"have\.status\((\d+)\)", script)[1]), variables


def filled(text, variables):
    for name, value in variables.items():
        text = text.replace(name, value)
    return text


class RestExamples(ProcessTest):
    def setUp(self):
        super().setUp()
        (self.folder / "test.txt").write_text("one\n")  # what the examples' source reads

    def test_every_line_of_curl_md(self):
        worker = self.worker().start()
        count = 0
        for command, status in curl_lines():
            words = shlex.split(command.replace("localhost:8083", f"127.0.0.1:{worker.port}"))
            self.assertEqual("curl", words[0], command)
            done = subprocess.run([*words, "-o", self.folder / "answer", "-w", "%{http_code}"], capture_output=True, text=True)
            self.assertEqual(str(status), done.stdout, f"{command}\n{(self.folder / 'answer').read_text()[:500]}")
            count += 1
        self.assertGreater(count, 35)

    def test_every_request_of_the_collection(self):
        worker = self.worker().start()
        asked = set()
        for name, request, status, variables in postman_requests():
            url = request["url"]
            query = "&".join(f"{q['key']}={q['value']}" for q in url.get("query", []))
            path = "/" + "/".join(url["path"]) + ("?" + query if query else "")
            self.assertEqual(url["raw"], "{{worker}}" + path, "both forms of the address are the same")
            body = request.get("body")
            answer = worker.request(request["method"], filled(path, variables),
                                    json.loads(filled(body["raw"], variables)) if body else None)
            self.assertEqual(status, answer.status, f"{name}: {answer.text[:500]}")
            asked.add((request["method"], "/" + "/".join(url["path"])))
        described = {(method.upper(), re.sub(r"\{\w+\}", "*", path)) for path, operations in worker.get("/openapi.json").json["paths"].items()
                     for method in operations}
        self.assertEqual(described, {(method, re.sub(r"\{\{\w+\}\}", "*", path).replace("/tasks/0/", "/tasks/*/")) for method, path in asked},
                         "all operations, and no others")


if __name__ == "__main__":
    unittest.main()
