#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the judge of the conformance requirements: judge.py FOLDER ENGINE judge|compare SUITE [OPTION]

judge:   the engine, started with OPTION, must meet every requirement of the suite.
compare: with --parked it must give the same results, errors and log lines, and the same history but
         for where invocations end.
SUITE may be several, with commas. Exits with 77 if FOLDER does not exist.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77

# Of events and log lines: what names a moment, an invocation or a secret.
CHANGING = {"EventId", "EventTimestamp", "StartTimestamp", "EndTimestamp", "ScheduledEndTimestamp",
            "RequestId", "CallbackId", "timestamp"}

# Requirements whose handler asks for log lines on replay too: without replay there are fewer.
LOGGING_ON_REPLAY = {"3-11"}


def run(folder, engine, suite, *options):
    command = [sys.executable, folder / "conformance.py", "run", "--engine", engine, "--suite", suite,
               *options]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def stable(value):
    """The value without what differs from run to run."""
    if isinstance(value, dict):
        return {key: stable(member) for key, member in value.items() if key not in CHANGING}
    if isinstance(value, list):
        return [stable(member) for member in value]
    return value


def outcome_of(file):
    """What an execution came to, with the values of the run's variables replaced by their names."""
    text = file.read_text(encoding="utf-8")
    for name, value in (json.loads(text).get("variables") or {}).items():
        text = text.replace(value, f"<{name}>")
    outcome = json.loads(text)
    events = [stable(event) for event in outcome.get("history", [])
              if event["EventType"] != "InvocationCompleted"]
    # Plugins tell of invocations, of which a parked execution has only one.
    logs = [stable(line) for line in map(json.loads, outcome.get("logs", [])) if "plugin" not in line]
    return {"status": outcome.get("status"), "result": outcome.get("result"), "history": events,
            "logs": logs}


def first_difference(left, right, where=""):
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        pairs = [(left[key], right[key], f"{where}.{key}") for key in left]
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = [(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(left, right))]
    else:
        return "" if left == right else f"{where}: {left!r}, parked {right!r}"
    return next((text for text in (first_difference(*pair) for pair in pairs) if text), "")


def compare(folder, engine, suite):
    with tempfile.TemporaryDirectory() as temporary:
        saved = [pathlib.Path(temporary, name) for name in ("plain", "parked")]
        run(folder, engine, suite, "--quiet", "--save", saved[0])
        run(folder, f"{engine} --parked", suite, "--quiet", "--save", saved[1])
        files = sorted(file.name for file in saved[0].glob("*.json"))
        different = 0
        for name in files:
            plain, parked = (outcome_of(directory / name) for directory in saved)
            if name.removesuffix(".json") in LOGGING_ON_REPLAY:
                plain["logs"] = parked["logs"] = []
            problem = first_difference(plain, parked)
            if problem:
                different += 1
                print(f"{name[:-5]}{problem}")
        print(f"{len(files)} compared, {different} differ")
        return 1 if different or not files else 0


def main():
    folder, engine, command, suite, *options = sys.argv[1:]
    folder = pathlib.Path(folder)
    if not (folder / "conformance.py").exists():
        print(f"skipped: there are no conformance requirements in {folder}")
        return SKIPPED
    if command == "compare":
        return compare(folder, engine, suite)
    judged = run(folder, " ".join([engine, *options]), suite, "--quiet", "--no-skips")
    print(judged.stdout, end="")
    return judged.returncode


sys.exit(main())
