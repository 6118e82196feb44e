#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures durable beside what the machine can do without it.

    benchmark.py PROGRAM            all sizes, five runs each; JSON lines to results.jsonl
    benchmark.py --quick PROGRAM    small sizes, one run each
    benchmark.py --smoke PROGRAM    tiny sizes: that every workload works, not how fast

Disks change their speed from one second to the next. So the raw limit is measured just before and
just after each run; the ratio is to the mean of the two; a run in which they differ by more than
half is repeated, and marked with "?" if it stays so.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile


def sizes(least, most):
    """1, 3, 10, 30 ... times a power of ten."""
    found = [least]
    while found[-1] < most:
        found.append(found[-1] * 3 if str(found[-1])[0] == "1" else found[-1] // 3 * 10)
    return found


# name, what a row of the table says, stores, sizes, what it is compared with
WORKLOADS = [
    ("W1", "serial steps", ("sqlite", "memory"), sizes(1_000, 10_000), "commits"),
    ("W1-inline", "integers, no threads", ("memory",), sizes(10_000, 1_000_000), None),
    ("W1-objects", "objects, no threads", ("memory",), sizes(10_000, 1_000_000), None),
    ("W2", "map, concurrency 100", ("sqlite", "memory"), sizes(10_000, 1_000_000), "rows"),
    ("W2-resume", "resume of half a map", ("sqlite",), sizes(10_000, 1_000_000), "reading"),
    ("W3", "executions of 5 steps", ("sqlite", "memory"), sizes(300, 3_000), "rows"),
    ("W4", "wake-up by a callback", ("sqlite", "memory"), sizes(100, 1_000), "commit"),
    ("W5", "kill -9 to next step", ("sqlite",), sizes(1_000, 100_000), "reading"),
    ("W6-parked", "suspended, in memory", ("sqlite",), sizes(10_000, 100_000), None),
    ("W6-evicted", "suspended, evicted", ("sqlite",), sizes(10_000, 100_000), None),
    ("W7", "process start to a step", ("sqlite", "memory"), (1,), "first row"),
    ("beside", "p99 of a step beside a map", ("sqlite",), (100_000,), None),
]
QUICK = {"W1": 1_000, "W1-inline": 100_000, "W1-objects": 100_000, "W2": 10_000, "W2-resume": 10_000, "W3": 1_000, "W4": 100,
         "W5": 10_000, "W6-parked": 3_000, "W6-evicted": 3_000, "W7": 1, "beside": 10_000}
SMOKE = {name: 20 for name, *_ in WORKLOADS}


class Bench:
    def __init__(self, program):
        self.program = program

    def run(self, workload, store, size, group=1):
        with tempfile.TemporaryDirectory(prefix="benchmark-", dir=".") as directory:
            done = subprocess.run([self.program, workload, store, str(size), directory, str(group)],
                                  capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{workload} {store} {size}: {done.stderr}")
        return json.loads(done.stdout)

    def appends(self):
        """Appends per second to a plain file, each with fdatasync."""
        return self.run("raw-appends", "file", 1)["value"]

    def raw(self, kind, size, group):
        """The limit, in the unit of the workload that is compared with it; `size`: its rows."""
        if kind == "commits":
            return self.run("raw-rows", "sqlite", size)["value"]
        if kind == "commit":
            return 1e3 / self.run("raw-rows", "sqlite", size)["value"]
        if kind == "rows":
            return self.run("raw-rows", "sqlite", min(size, 200_000), group)["value"]
        if kind == "reading":
            return self.run("raw-reading", "sqlite", size)["value"]
        return self.run("raw-first-row", "sqlite", 1)["value"]

    def measure(self, workload, store, size, kind):
        """One run between two probes."""
        if store == "memory" or kind is None:
            return self.run(workload, store, size) | {"raw": None, "ratio": None, "steady": True}
        group, rows = 1, size
        if kind == "rows":  # as many as the workload's own, and as large commits
            trial = self.run(workload, store, min(size, 1_000))
            group = max(1, round(trial["entries"] / max(1, trial["commits"])))
            rows = round(size * trial["entries"] / min(size, 1_000))
        for _ in range(4):
            before = self.raw(kind, rows, group)
            report = self.run(workload, store, size)
            after = self.raw(kind, rows, group)
            steady = max(before, after) < 1.5 * min(before, after)
            if steady:
                break
        raw = (before + after) / 2
        per_second = report["value"]
        if kind == "rows":  # compares journal entries with rows
            per_second *= report["entries"] / size
        return report | {"raw": raw, "ratio": per_second / raw, "steady": steady, "group": group,
                         "rawAppends": self.appends()}


def summary(reports):
    """The medians of some runs, with their least and greatest."""
    first = reports[0]
    result = {key: first[key] for key in ("workload", "store", "size", "unit")}
    for key in sorted({key for report in reports for key in report} - set(result)):
        values = [report[key] for report in reports if report.get(key) is not None]
        if key == "steady":
            result[key] = all(values)
        else:
            result[key] = statistics.median(values) if values else None
    result["min"] = min(report["value"] for report in reports)
    result["max"] = max(report["value"] for report in reports)
    result["runs"] = len(reports)
    return result


def short(number):
    if number is None:
        return "-"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def row(name, result):
    extra = ", ".join(f"{key} {short(result[key])}" for key in
                      ("p99Ms", "idleP99Ms", "growth", "startUpSeconds", "bytesPerItem", "journalMs", "syncs", "rawAppends")
                      if key in result)
    return (f"{result['workload']:<11}{name:<28}{result['store']:<7}{result['size']:>10,}"
            f"{short(result['value']):>12} {result['unit']:<20}"
            f"{short(result['min']):>10} ..{short(result['max']):>10}"
            f"{short(result['raw']):>12}{short(result['ratio']):>8}{' ' if result['steady'] else '?'}"
            f"{result.get('peakKib', 0) / 1024:>8.0f} MiB  {extra}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--only", help="one workload", default="")
    parser.add_argument("--runs", type=int, default=5, help="of each size; the median counts")
    parser.add_argument("--largest", type=int, default=0, help="no sizes above this one")
    parser.add_argument("--json", default="", help="a file for the JSON lines; else they are printed")
    options = parser.parse_args()
    bench = Bench(os.path.abspath(options.program))
    small = SMOKE if options.smoke else QUICK if options.quick else None
    lines = []
    print(f"{'':<11}{'':<28}{'store':<7}{'size':>10}{'median':>12} {'':<20}"
          f"{'least':>10} ..{'greatest':>10}{'raw':>12}{'ratio':>8}{'peak':>9}")
    for name, text, stores, wanted, kind in WORKLOADS:
        if options.only and name != options.only:
            continue
        for store in stores:
            for size in [small[name]] if small else wanted:
                if options.largest and size > options.largest:
                    continue
                runs = 1 if small else options.runs
                reports = [bench.measure(name, store, size, kind) for _ in range(runs)]
                lines.append(summary(reports))
                print(row(text, lines[-1]), flush=True)
    output = open(options.json, "w") if options.json else sys.stdout
    for line in lines:
        print(json.dumps(line), file=output)


if __name__ == "__main__":
    main()
