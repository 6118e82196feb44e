#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the README's smallest program again and again, and reads its journal in between.

    run_smallest_program.py again PROGRAM    twice, each time to its end
    run_smallest_program.py kill PROGRAM     killed while it pauses, then twice to its end

Every time is recorded, so equal histories mean that nothing was recorded again.
"""

import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time


def query(journal, sql):
    """The rows; none while there is no journal to read from. Opening it so repairs nothing."""
    try:
        database = sqlite3.connect(f"file:{journal}?mode=ro", uri=True)
        rows = database.execute(sql).fetchall()
        database.close()
        return rows
    except sqlite3.DatabaseError:
        return []


def history_of(journal):
    return query(journal, "select * from v_history")


def kinds_of(journal, operation):
    """What is recorded of an operation of that name, in order."""
    return [kind for kind, name in query(journal, "select kind, name from v_history")
            if name == operation]


def require_equal(found, expected, what):
    if found != expected:
        sys.exit(f"FAILED: {what}\n--- expected: {expected}\n--- found:    {found}")


def require_greeting(program, journal, which):
    run = subprocess.run([program], cwd=journal.parent, timeout=50, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    require_equal((run.returncode, run.stdout, run.stderr), (0, "Hello, world!\n", ""),
                  f"exit code, output and errors of the {which} run")
    for operation in "compose", "pause":
        require_equal(kinds_of(journal, operation), ["started", "succeeded"],
                      f'what the journal holds of "{operation}" after the {which} run')


def kill_while_it_pauses(program, directory):
    """The journal that is left. Where the pause was over too soon, another try with a new one."""
    for number in range(10):
        journal = pathlib.Path(directory, str(number), "hello.db")
        journal.parent.mkdir()
        waiting = "select name from v_waiting"
        process = subprocess.Popen([program], cwd=journal.parent, stdout=subprocess.DEVNULL)
        while process.poll() is None and query(journal, waiting) != [("pause",)]:
            time.sleep(0.01)
        process.kill()
        process.wait()
        if query(journal, waiting) == [("pause",)]:
            return journal
    sys.exit("FAILED: the program was never seen to pause")


def main():
    mode, program = sys.argv[1], os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory() as directory:
        if mode == "kill":
            journal = kill_while_it_pauses(program, directory)
            before = history_of(journal)
            require_equal(bool(before), True, "whether anything was recorded before the kill")
            require_greeting(program, journal, "second")
            require_equal(history_of(journal)[:len(before)], before,
                          "what was recorded before the kill, after the second run")
        else:
            journal = pathlib.Path(directory, "hello.db")
            require_greeting(program, journal, "first")
        ended = history_of(journal)
        require_greeting(program, journal, "last")
        require_equal(history_of(journal), ended, "the history after a run that had nothing to do")


main()
