#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every header of include/durable against the rules of its README.md.

The table under "Allowed includes" there is read, not repeated: to allow an include, change it.
"""

import pathlib
import re
import sys

# Where foreign headers may be included. One that is not named here may be included anywhere.
FOREIGN = {
    "sqlite3.h": ("store/sqlite",),
    "boost/": ("coro", "engine"),
    "nlohmann/json.hpp": ("serdes", "journal", "concurrency"),
}
LINES_MAX = 350
LINES_WARNING = 250


def allowed_includes(readme):
    """{folder: the folders it may include}, from the table."""
    allowed = {}
    section = readme.split("## Allowed includes", 1)[1].split("\n## ", 1)[0]
    for line in section.splitlines():
        cells = [cell.strip(" `") for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or cells[0] == "folder" or cells[0].startswith("-"):
            continue
        for folder in re.findall(r"\w+", cells[0]):
            allowed[folder] = set(re.findall(r"\w+", cells[1]))
    return allowed


def is_below(folder, parents):
    return any(folder == parent or folder.startswith(parent + "/") for parent in parents)


def check(root, name, text, allowed):
    """Yields what is wrong with one header. `name` is its path below include/durable."""
    lines = text.splitlines()
    if not lines or lines[0] != "// SPDX-License-Identifier: Apache-2.0":
        yield "its first line is not // SPDX-License-Identifier: Apache-2.0"
    if "#pragma once" not in lines:
        yield "it has no #pragma once"
    if len(lines) > LINES_MAX:
        yield f"it has {len(lines)} lines, at most {LINES_MAX} are allowed: split it"

    folder = str(pathlib.PurePosixPath(name).parent)
    layer = folder.split("/")[0]
    if layer != "." and layer not in allowed:
        yield f"its folder {layer} is not in the table of allowed includes"
        return
    for include in re.findall(r"^\s*#\s*include\s*([<\"][^>\"]+)", text, re.MULTILINE):
        style, path = include[0], include[1:]
        if style == '"':
            yield f'it includes "{path}": own headers are included as <durable/...>'
        elif path.startswith("durable/"):
            parts = path.split("/")
            if not (root.parent / path).exists():
                yield f"it includes <{path}>, which does not exist"
            elif layer == "." or parts[1] == layer or path == "durable/version.hpp":
                pass
            elif len(parts) == 2:
                yield f"it includes the umbrella <{path}>"
            elif parts[1] not in allowed[layer]:
                yield (f"it includes <{path}>, but {layer} may include only: "
                       + (", ".join(sorted(allowed[layer])) or "nothing"))
        else:
            for foreign, folders in FOREIGN.items():
                if path.startswith(foreign) and not is_below(folder, folders):
                    yield f"it includes <{path}>, allowed only in: {', '.join(folders)}"


def main(top):
    root = pathlib.Path(top) / "include" / "durable"
    allowed = allowed_includes((root / "README.md").read_text(encoding="utf-8"))
    headers = sorted(root.rglob("*.hpp"))
    wrong = 0
    for header in headers:
        name = header.relative_to(root).as_posix()
        text = header.read_text(encoding="utf-8")
        for problem in check(root, name, text, allowed):
            print(f"include/durable/{name}: {problem}")
            wrong += 1
        if LINES_WARNING < len(text.splitlines()) <= LINES_MAX:
            print(f"warning: include/durable/{name} has {len(text.splitlines())} lines")
    print(f"{len(headers)} headers, {wrong} problems")
    return 1 if wrong or not headers or not allowed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]))
