"""Whole processes, timed in rounds, in network namespaces that exist for one sample each."""

import os
import pathlib
import random
import statistics
import subprocess
import time


class Sample:
    """What one process took: seconds on the clock and of the processor, and its peak in MiB."""

    def __init__(self, numbers, commit):
        self.start, wall, cpu, kibibytes = numbers
        self.wall, self.cpu, self.peak = wall / 1e9, cpu / 1e9, kibibytes / 1024
        # Up to the moment the kernel had taken the last transaction before the swap.
        self.commit_wall = (commit[0] - self.start) / 1e9 if commit else None
        self.commit_cpu = commit[1] / 1e9 if commit else None


class Case:
    """A command to time, what to run untimed before it in the same namespace, and its good ends."""

    def __init__(self, command, before=(), records=False, codes=(0,)):
        self.command, self.before, self.records = list(map(str, command)), before, records
        self.codes = codes


class Bench:
    """Where the programs and the data are, and how many rounds to run."""

    def __init__(self, weir, tools, folder, rounds, quick):
        self.weir, self.tools, self.folder = weir, pathlib.Path(tools), pathlib.Path(folder)
        self.rounds, self.quick = rounds, quick
        self.random = random.Random(20261123)

    def sample(self, case):
        """Runs a case once in a fresh network namespace."""
        out, times = self.folder / "timed", self.folder / "times"
        times.unlink(missing_ok=True)
        environment = dict(os.environ)
        if case.records:
            environment["BENCH_TIMES"] = str(times)
        steps = [" ".join(map(str, step)) + " >/dev/null" for step in case.before]
        preload = f"env LD_PRELOAD={self.tools}/record.so " if case.records else ""
        steps.append(f"{preload}{self.tools}/timed {out} {' '.join(case.command)}")
        result = subprocess.run(
            ["unshare", "-n", "sh", "-c", "ip link set lo up; " + " && ".join(steps)],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            timeout=600)
        if result.returncode not in case.codes:
            raise SystemExit(f"bench: {' '.join(case.command)} failed: {result.stderr[:2000]}")
        commit = None
        if times.exists():
            # One line a transaction: those that preload, then the one that swaps.
            lines = times.read_text().splitlines()
            commit = [int(word) for word in lines[-2 if len(lines) > 1 else 0].split()]
        return Sample([int(word) for word in out.read_text().split()], commit)

    def run(self, cases, pause=0.0):
        """Samples of every case, by name: each round runs all of them in random order."""
        results = {name: [] for name in cases}
        for _ in range(self.rounds):
            for name in self.random.sample(list(cases), len(cases)):
                results[name].append(self.sample(cases[name]))
                # The kernel frees a namespace after it is gone.
                time.sleep(pause)
        return results


def median(samples, key):
    """The median of one measure."""
    return statistics.median(getattr(sample, key) for sample in samples)


def ratio(mine, theirs, key="wall", other=None):
    """The median over the rounds of one measure as a multiple of the other case's."""
    return statistics.median(
        getattr(a, key) / getattr(b, other or key) for a, b in zip(mine, theirs))


class Table:
    """A table for people, printed as Markdown as soon as it is complete."""

    def __init__(self, title, heads):
        self.title, self.rows = title, [heads]

    def add(self, *cells):
        self.rows.append([str(cell) for cell in cells])

    def show(self):
        widths = [max(len(row[i]) for row in self.rows) for i in range(len(self.rows[0]))]
        print(f"\n### {self.title}\n")
        for index, row in enumerate(self.rows):
            cells = [cell.ljust(width) for cell, width in zip(row, widths)]
            print("| " + " | ".join(cells) + " |")
            if index == 0:
                print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
        print(flush=True)


def goal(value, limit, text):
    """Goal and verdict for a figure that should be at most `limit`."""
    return text, "met" if value <= limit else "missed"


def goal_at_least(value, limit, text):
    """Goal and verdict for a figure that should be at least `limit`."""
    return text, "met" if value >= limit else "missed"


def milliseconds(seconds):
    """`12.3 ms` or `1234 ms`."""
    value = seconds * 1000
    return f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"
