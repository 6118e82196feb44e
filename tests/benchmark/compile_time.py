#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what a workflow costs to compile, beside the third-party headers that it needs.

    compile_time.py COMPILE_COMMANDS [COMPILER...]

The workflow is the first example. What it is compared with includes the same headers
of Boost, nlohmann_json, fmt and SQLite that it includes in the end, and nothing else.
"""

import json
import pathlib
import re
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
INCLUDE = ROOT / "include"
HELLO = ROOT / "examples" / "01_hello.cpp"
FOREIGN = re.compile(r"#include <((?:boost|nlohmann|fmt)/.*|sqlite3\.h)>")
OWN = re.compile(r"#include <(durable/.*)>")
RUNS = 5


def foreign_headers(source):
    """The third-party headers that `source` includes through ours."""
    found, seen, todo = set(), set(), [source]
    while todo:
        text = todo.pop().read_text()
        found.update(FOREIGN.findall(text))
        for header in OWN.findall(text):
            if header not in seen:
                seen.add(header)
                todo.append(INCLUDE / header)
    return sorted(found)


def flags_of(compile_commands):
    """Where headers are and what is defined, as the build has it."""
    for command in json.loads(pathlib.Path(compile_commands).read_text()):
        if command["file"].endswith("tests/benchmark/main.cpp"):
            words = shlex.split(command["command"])
            flags = [word for word in words if re.match(r"-(D|I|std=)", word)]
            systems = [word for i, word in enumerate(words) if words[i - 1] == "-isystem"]
            return flags + [f"-isystem{path}" for path in systems]
    sys.exit(f"{compile_commands} does not build the benchmark")


def cpu_seconds():
    """What the processes that were started here have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(compiler, flags, source, level, directory):
    """The median of some compilations in seconds of CPU, and the size of the code."""
    times = []
    result = directory / "object.o"
    for _ in range(RUNS):
        begin = cpu_seconds()
        subprocess.run([compiler, *flags, level, "-c", source, "-o", result], check=True)
        times.append(cpu_seconds() - begin)
    sizes = subprocess.run(["size", result], check=True, capture_output=True, text=True)
    return statistics.median(times), int(sizes.stdout.splitlines()[1].split()[0])


def main():
    flags = flags_of(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        headers = directory / "headers.cpp"
        headers.write_text("".join(f"#include <{header}>\n" for header in foreign_headers(HELLO)))
        for compiler in sys.argv[2:] or ["c++"]:
            for level in ("-O0", "-O2"):
                alone, _ = measure(compiler, flags, headers, level, directory)
                whole, size = measure(compiler, flags, HELLO, level, directory)
                print(json.dumps({"compiler": compiler, "level": level, "seconds": round(whole, 2),
                                  "headersAlone": round(alone, 2), "ratio": round(whole / alone, 2),
                                  "textKib": round(size / 1024)}))


if __name__ == "__main__":
    main()
