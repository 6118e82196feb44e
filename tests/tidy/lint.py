#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy on every source of tests and examples.

    lint.py PROJECT BUILD_FOLDER RUN_CLANG_TIDY CLANG_TIDY

For each source clang-tidy reads all that it includes, which is four fifths of its time. So sources
are joined that are compiled with the same options and checked by the same .clang-tidy: each in a
namespace of its own, which keeps their names apart, below all that they include. The compiler's
warnings are off, since a main in a namespace returns nothing; the other builds have them.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys

SOURCES_PER_JOB = 8
INCLUDE = re.compile(r'^#include ([<"])([^>"]+)[>"]', re.MULTILINE)
# Adds to a namespace that a header has, or tells a header by a macro what to declare.
READ_ALONE = re.compile(r"^(namespace \w+ \{|#define \w+$)", re.MULTILINE)


def includes(source):
    """The include lines of `source`, as they can be written elsewhere."""
    for bracket, name in INCLUDE.findall(source.read_text()):
        beside = source.parent / name
        yield f'#include "{beside}"' if bracket == '"' and beside.exists() else f"#include <{name}>"


def joint(sources):
    lines = list(dict.fromkeys(line for source in sources for line in includes(source)))
    for number, source in enumerate(sources):
        lines += [f"namespace lint_{number} {{",
                  f'#include "{source}"  // NOLINT(bugprone-suspicious-include)',
                  "}"]
    return "\n".join(lines) + "\n"


def checks_of(source):
    files = (folder / ".clang-tidy" for folder in source.parents)
    return next(file for file in files if file.exists())


def jobs(commands, project):
    """Yields (sources, their .clang-tidy, their command without source and object)."""
    alike, seen = {}, set()
    for entry in commands:
        source = pathlib.Path(entry["file"])
        ours = any(source.is_relative_to(project / name) for name in ("tests", "examples"))
        if source in seen or not ours or not any(includes(source)):
            continue
        seen.add(source)
        options = re.sub(r" -o \S+ -c \S+$", "", entry["command"])
        if READ_ALONE.search(source.read_text()):
            yield [source], checks_of(source), options
        else:
            alike.setdefault((checks_of(source), options), []).append(source)
    for (checks, options), sources in alike.items():
        count = -(-len(sources) // SOURCES_PER_JOB)
        for number in range(count):
            yield sorted(sources)[number::count], checks, options


def main(project, build, run_clang_tidy, clang_tidy):
    build = pathlib.Path(build)
    commands = json.loads((build / "compile_commands.json").read_text())
    shutil.rmtree(build / "lint", ignore_errors=True)
    entries = []
    for number, (sources, checks, options) in enumerate(jobs(commands, pathlib.Path(project))):
        file = sources[0]
        if len(sources) > 1:
            folder = build / "lint" / str(number)
            folder.mkdir(parents=True)
            shutil.copy(checks, folder)
            file = folder / "sources.cpp"
            file.write_text(joint(sources))
        entries.append({"directory": str(build), "file": str(file),
                        "command": f"{options} -w -c {file}"})
    if not entries:
        sys.exit(f"{build}/compile_commands.json names no source of {project}")
    (build / "lint" / "compile_commands.json").write_text(json.dumps(entries, indent=1))
    return subprocess.call([run_clang_tidy, "-clang-tidy-binary", clang_tidy,
                            "-p", str(build / "lint"), "-quiet", "-j", "2"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
