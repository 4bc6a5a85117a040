"""Loaded by schemathesis: sends part of the requests to things that exist, and judges the 500s.

Kafka Connect answers 500 to several mistakes of clients, so a 500 is not by itself a fault; one that says anything
else is.
"""
import json
import os
import re

import schemathesis

CONNECTOR = os.environ["MILLRACE_FUZZ_CONNECTOR"]
BY_CONTRACT = re.compile("|".join([
    r"The request body is not valid JSON", r"The body must be", r"Unrecognized field", r"'(name|config|offsets|partition|offset)'",
    r"initial_state .* is unknown", r"An element of 'offsets'", r"The value of", r"A configuration", r"The configuration",
    r"Failed to find any class that implements Connector", r"More than one connector matches alias",
    r"org\.apache\.kafka\.connect\.[\w.]+Exception: .*(contains no connector type|Failed to find any class)",
    r"Kafka Connect in standalone mode does not support",
    r"(Offset|Partition) objects (should|cannot)", r"The value for the 'position' key",  # what FileStreamSource says of offsets
]), re.S)
_turn = [0]


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    _turn[0] += 1
    if path_parameters and "connector" in path_parameters and _turn[0] % 2:
        path_parameters["connector"] = CONNECTOR
        if "task" in path_parameters and _turn[0] % 4 == 1:
            path_parameters["task"] = 0
    if path_parameters and "plugin" in path_parameters and _turn[0] % 2:
        path_parameters["plugin"] = "FileStreamSource"
    return path_parameters


@schemathesis.check
def server_errors_are_by_contract(ctx, response, case):
    if response.status_code < 500:
        return
    error = json.loads(response.content)
    assert error["error_code"] == response.status_code, error
    assert BY_CONTRACT.match(error["message"]), f"not an error that Kafka Connect answers: {error['message']}"
