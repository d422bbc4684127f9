"""Runs inside a network namespace of its own: what a guard costs, prints one JSON object."""

import errno
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

IDLE_SECONDS = 10
NAMES = 1000


def run(*words, **options):
    result = subprocess.run(list(map(str, words)), timeout=120, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **options)
    if result.returncode != 0:
        raise SystemExit(f"bench: {words} ended with {result.returncode}: {result.stderr[-2000:]}")
    return result.stdout


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("weir")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


def status(path):
    connection = UnixConnection(path)
    connection.request("GET", "/status")
    return json.loads(connection.getresponse().read())


def flood(seconds):
    """Datagrams to a denied address, as many as go; how many were attempted."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(("192.0.2.9", 9))
    attempts, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(1000):
            try:
                sender.send(b"x")
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ECONNREFUSED):
                    raise
        attempts += 1000
    return attempts


def main():
    weir, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
    run("ip", "addr", "add", "198.51.100.2/24", "dev", "eth0")
    run("ip", "link", "set", "eth0", "up")
    run("ip", "link", "set", "eth1", "up")
    run("ip", "route", "add", "default", "via", "198.51.100.1")
    policy = folder / "guarded.yaml"
    policy.write_text("policy: guarded\nlog: 10/second\non-deny: drop\ndefault: allow\ndeny:\n"
                      "  - {clause: shut, to: [192.0.2.0/24]}\n")
    run(weir, "apply", "--no-diff", policy)
    place, log = folder / "socket", folder / "guard.log"
    results = {}
    with open(log, "w") as output:
        guard = subprocess.Popen([weir, "guard", policy, "--status", place], stdout=output)
        try:
            while "started" not in log.read_text():
                time.sleep(0.05)
            time.sleep(2)
            before = processor_seconds(guard.pid)
            time.sleep(IDLE_SECONDS)
            results["idle_cpu"] = (processor_seconds(guard.pid) - before) / IDLE_SECONDS
            results["resident"] = resident_mib(guard.pid)
            before, start = processor_seconds(guard.pid), time.monotonic()
            results["attempts"] = flood(5)
            took = time.monotonic() - start
            results["rate"] = results["attempts"] / took
            results["flood_cpu"] = (processor_seconds(guard.pid) - before) / took
            answer = status(place)
            results["counted"] = next(row["packets"] for row in answer["denials"]
                                      if row["clause"] == "shut")
            results["lines"] = answer["lines"]
        finally:
            guard.send_signal(signal.SIGTERM)
            guard.wait(timeout=30)
    names = [f"host-{index}.bench.test" for index in range(NAMES)]
    configuration = folder / "dnsmasq.conf"
    configuration.write_text(
        "port=5353\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nno-poll\n"
        "cache-size=10000\n" + "".join(
            f"host-record={name},9.9.{index // 250}.{index % 250 + 1},"
            f"2620:fe::{index + 1:x},300\n" for index, name in enumerate(names)))
    policy.write_text(
        "policy: named\ndefault: deny\nessentials: [loopback]\nallow:\n"
        + "".join(f"  - {{clause: n{index}, to: {{name: {name}}}, port: tcp/443}}\n"
                  for index, name in enumerate(names)))
    server = subprocess.Popen(["dnsmasq", "--no-daemon", f"--conf-file={configuration}"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        run(weir, "apply", "--no-diff", policy, "--resolver", "127.0.0.1:5353")
        times = []
        for _ in range(7):
            start = time.monotonic()
            run(weir, "refresh", policy, "--resolver", "127.0.0.1:5353")
            times.append(time.monotonic() - start)
        results["refresh"] = sorted(times)[len(times) // 2]
    finally:
        server.kill()
        server.wait()
    print(json.dumps(results))


main()
