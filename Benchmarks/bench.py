"""Entry point of the benchmarks; scripts/bench builds what it needs and calls it."""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time

import parts
from measure import Bench

PARTS = {"print": parts.compiling, "apply": parts.applying, "change": parts.changing,
         "snapshot": parts.snapshots, "packets": parts.packets, "scopes": parts.scopes,
         "guard": parts.guarding,
         "verify": parts.verifying, "audit": parts.auditing}


def first_line(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.split("\n")[0]


def describe_machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "unknown")
    print(f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {os.cpu_count()} x {model}, "
          f"Linux {platform.release()}, {first_line('nft', '--version')}, "
          f"{first_line('ipset', '--version')}, load {os.getloadavg()[0]:.1f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weir", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("names", nargs="*", choices=[[], *PARTS])
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("bench: run as root: large transactions need CAP_NET_ADMIN, and every"
                         " sample a network namespace of its own")
    rounds = max(7, arguments.rounds)
    sys.stdout.reconfigure(line_buffering=True)
    describe_machine()
    with tempfile.TemporaryDirectory(prefix="weir-bench.") as folder:
        bench = Bench(arguments.weir, arguments.tools, folder, rounds, arguments.quick)
        for name in arguments.names or PARTS:
            print(f"\n## {name} ({rounds} rounds)", flush=True)
            PARTS[name](bench)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


main()
