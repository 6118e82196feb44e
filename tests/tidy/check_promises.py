#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every test that the table of promises in tests/README.md names exists."""

import pathlib
import re
import sys

CASE = r'^(?:TEMPLATE_)?TEST_CASE\(\s*"([^"]*)"'
# By CMake's own command, or by a function durable_..._test whose first argument is the name. The
# folder before a colon may be left out.
ADDED = r'^ *(?:add_test\(NAME|durable_\w+_test\()\s*"([^"]*)"'


def names_in(files, pattern):
    return {name for file in files
            for name in re.findall(pattern, file.read_text(), re.MULTILINE)}


def main():
    tests = pathlib.Path(sys.argv[1]) / "tests"
    promises = (tests / "README.md").read_text().split("## Every promise and its test", 1)[1]
    rows = [line for line in promises.splitlines() if line.startswith("| ")][1:]
    if len(rows) < 10:
        sys.exit("tests/README.md: the table of promises was not found")
    known = names_in(tests.rglob("*_test.cpp"), CASE)
    added = names_in(tests.rglob("CMakeLists.txt"), ADDED)
    added |= {re.sub("^[a-z]+: ", "", name) for name in added}
    known |= added - {"${name}"}  # a function's argument
    problems = 0
    for row in rows:
        promise, named = [cell.strip() for cell in row.strip("|").split("|")]
        names = re.findall(r"`([^`]*)`", named)
        for name in names or ["nothing"]:
            if name not in known:
                problems += 1
                print(f'tests/README.md: "{promise}" names the test "{name}", which does not exist')
    print(f"{len(rows)} promises, {problems} problems")
    return problems > 0


if __name__ == "__main__":
    sys.exit(main())
