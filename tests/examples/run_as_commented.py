#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs an example as the comment at its top says: run_as_commented.py PROGRAM SOURCE

In the comment, a line `//   $ COMMAND` is run by a shell, in an empty directory that holds a link to
the program, and the indented lines that follow it must be what the command prints. In the end the
program is run once more without arguments, and must print what the last command printed: every
example can be started again.
"""

import os
import pathlib
import subprocess
import sys
import tempfile


def commands_of(source):
    """Pairs of a command and the output that it promises."""
    commands = []
    inside = False
    for line in source.read_text().splitlines():
        if not line.startswith("//"):
            break
        if line.startswith("//   $ "):
            commands.append((line[len("//   $ "):], ""))
            inside = True
        elif line.startswith("//   ") and inside:
            command, output = commands[-1]
            commands[-1] = (command, output + line[len("//   "):] + "\n")
        else:
            inside = False
    return commands


def main():
    program, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    commands = commands_of(source)
    if not commands:
        sys.exit(f"{source}: the comment at its top has no line of the form `//   $ ./{program.name}`")
    commands.append((f"./{program.name}", commands[-1][1]))

    with tempfile.TemporaryDirectory() as directory:
        os.symlink(program, os.path.join(directory, program.name))
        for command, promised in commands:
            run = subprocess.run(command, shell=True, cwd=directory, timeout=50, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if (run.stdout, run.stderr, run.returncode) != (promised, "", 0):
                sys.exit(f"$ {command}\n--- promised:\n{promised}--- printed:\n{run.stdout}"
                         f"--- on standard error:\n{run.stderr}--- exit code: {run.returncode}")
            print(f"$ {command}\n{run.stdout}", end="")


main()
