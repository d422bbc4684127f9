"""The parts of the benchmark; each prints its tables."""

import json
import pathlib
import re
import shutil
import statistics
import subprocess

import lists
from measure import Case, Table, goal, goal_at_least, median, milliseconds, ratio

LINEAR_RULES = 1000


def compiling(bench):
    """Print and compile: processes without the kernel."""
    many = lists.write_clauses(bench.folder, 10_000)
    large = lists.PrefixList(100_000).write_policy(bench.folder, "list-100000")
    weir = bench.weir
    inputs = {"built-in policy": "app-engine-sockets", "10 000 clauses": many,
              "100 000 + 25 000 prefixes": large}
    cases = {"start": Case([weir, "--version"])}
    for name, path in inputs.items():
        cases[f"print {name}"] = Case([weir, "print", path])
        cases[f"check {name}"] = Case([weir, "policy", "check", path])
        cases[f"compile {name}"] = Case(
            [weir, "apply", "--no-diff", "--dry-run", "--allow-unresolved", "--resolve",
             "smtp.gmail.com=192.0.2.1", "--resolve", "pop.gmail.com=192.0.2.1", "--resolve",
             "imap.gmail.com=192.0.2.1", path])
    results = bench.run(cases)
    table = Table("Print and compile", ["what", "wall", "processor", "peak", "goal", ""])

    def row(name, what, limit=None):
        samples = results[name]
        wall = median(samples, "wall")
        verdict = goal(wall, limit, f"<= {milliseconds(limit)}") if limit else ("", "")
        table.add(what, milliseconds(wall), milliseconds(median(samples, "cpu")),
                  f"{median(samples, 'peak'):.0f} MiB", *verdict)

    row("start", "`weir --version`")
    for name in inputs:
        row(f"print {name}", f"`weir print`, {name}", 0.020 if "built-in" in name else None)
        row(f"check {name}", f"`weir policy check`, {name}")
    for name, limit in (("10 000 clauses", 0.100), ("100 000 + 25 000 prefixes", 0.150)):
        walls, cpus = [
            statistics.median(
                getattr(a, key) - getattr(b, key)
                for a, b in zip(results[f"compile {name}"], results[f"check {name}"]))
            for key in ("wall", "cpu")]
        table.add(f"compile alone, {name}", milliseconds(walls), milliseconds(cpus), "",
                  *goal(walls, limit, f"<= {milliseconds(limit)}"))
    table.show()
    print("Compile alone is `weir apply --dry-run` less `weir policy check`, round by round.")


def applying(bench):
    """Loading lists into the kernel, beside nft, ipset and the layout's floor."""
    sizes = [10, 1000, 100_000] + ([] if bench.quick else [1_000_000])
    for size in sizes:
        _apply_size(bench, size)


def _recorded(bench, policy):
    """The transactions that weir sends for a policy, as files in order."""
    folder = bench.folder / "batches"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(
        ["unshare", "-n", "env", f"BENCH_BATCHES={folder}",
         f"LD_PRELOAD={bench.tools}/record.so", bench.weir, "apply", "--no-diff", policy],
        check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.iterdir(), key=lambda path: int(path.name))


def _apply_size(bench, size):
    entries = lists.PrefixList(size)
    name = f"list-{size}"
    policy = entries.write_policy(bench.folder, name)
    batches = _recorded(bench, policy)
    cases = {
        "weir": Case([bench.weir, "apply", "--no-diff", policy], records=True),
        "nft": Case(["nft", "-f", entries.write_nft(bench.folder, name)]),
        "ipset": Case(["ipset", "restore", "-f", entries.write_ipset(bench.folder, name)]),
        "floor": Case([bench.tools / "replay", *batches]),
    }
    results = bench.run(cases, pause=2.0 if size >= 1_000_000 else 0.2 if size >= 10_000 else 0.0)
    weir, nft, ipset, floor = (results[key] for key in ("weir", "nft", "ipset", "floor"))
    table = Table(f"Apply {size} + {size // 4} prefixes",
                  ["what", "wall", "processor", "peak", "of nft", "of ipset", "of floor",
                   "same by processor", "goal", ""])

    def row(what, samples, key, limits):
        cpu = key.replace("wall", "cpu")
        ratios = [ratio(samples, other, key, "wall") for other in (nft, ipset, floor)]
        by_cpu = [ratio(samples, other, cpu, "cpu") for other in (nft, ipset, floor)]
        checks = [(r, limit, f"{limit:.2f} {whom}") for r, limit, whom in zip(
            ratios, limits, ("nft", "ipset", "floor")) if limit is not None]
        peak = median(samples, "peak")
        table.add(what, milliseconds(median(samples, key)), milliseconds(median(samples, cpu)),
                  f"{peak:.0f} MiB", *(f"{r:.2f}" for r in ratios),
                  " ".join(f"{r:.2f}" for r in by_cpu),
                  "<= " + ", ".join(text for _, _, text in checks) if checks else "",
                  ", ".join("met" if r <= limit else "missed" for r, limit, _ in checks))

    small = (1.0, None, None)
    row("weir, up to commit", weir, "commit_wall",
        {100_000: (0.20, 0.90, 1.35), 1_000_000: (0.15, 1.0, 1.35)}.get(size, small))
    row("weir, whole, read-back compared", weir, "wall",
        (0.33, None, None) if size >= 100_000 else small)
    for what, samples in (("nft -f", nft), ("ipset restore", ipset), ("floor", floor)):
        row(what, samples, "wall", (None, None, None))
    table.show()
    limit = {100_000: 32, 1_000_000: 180}.get(size)
    if limit:
        peak = median(weir, "peak")
        _, verdict = goal(peak, limit, "")
        print(f"Peak memory of weir: {peak:.0f} MiB, goal <= {limit} MiB: {verdict}.", flush=True)


def changing(bench, size=100_000):
    """Applying on top of what is loaded: the same again, and one address more."""
    entries = lists.PrefixList(size)
    name = f"list-{size}"
    policy = entries.write_policy(bench.folder, name)
    (bench.folder / "changed").mkdir(exist_ok=True)
    changed = entries.write_policy(bench.folder / "changed", name, extra=["23.77.0.1"])
    text = entries.write_nft(bench.folder, name)
    loaded = [bench.weir, "apply", "--no-diff", policy]
    results = bench.run({
        "same": Case([bench.weir, "apply", "--no-diff", policy], [loaded]),
        "one": Case([bench.weir, "apply", "--no-diff", changed], [loaded]),
        "nft one": Case(["nft", "add", "element", "inet", "block", "b4", "'{ 23.77.0.1 }'"],
                        [["nft", "-f", text]]),
        "nft same": Case(["nft", "-f", _flushing(bench, text)], [["nft", "-f", text]]),
    }, pause=0.3)
    table = Table(f"On top of {size} + {size // 4} prefixes",
                  ["what", "wall", "processor", "peak", "goal", ""])
    for key, what, limit in (
            ("same", "weir apply, unchanged, full read of what is live", 0.150),
            ("nft same", "nft -f, flush and the same file", None),
            ("one", "weir apply, one address more", 0.030),
            ("nft one", "nft add element, one address", None)):
        wall = median(results[key], "wall")
        verdict = goal(wall, limit, f"<= {milliseconds(limit)}") if limit else ("", "")
        table.add(what, milliseconds(wall), milliseconds(median(results[key], "cpu")),
                  f"{median(results[key], 'peak'):.0f} MiB", *verdict)
    table.show()


def _flushing(bench, text):
    path = bench.folder / "again.nft"
    path.write_text("flush ruleset\n" + text.read_text())
    return path


def snapshots(bench):
    """Recording what the kernel holds, beside the same dump thrown away and nft's listing."""
    foreign = bench.folder / "foreign.nft"
    foreign.write_text(
        "table inet t { chain o { type filter hook output priority 0; policy drop;\n"
        + "".join(f"ip daddr 10.{n >> 8}.{n & 255}.{n % 251} tcp dport {n % 65535 + 1} counter accept\n"
                  for n in range(10_000)) + "}\n}\n")
    _snapshot("10 000 foreign rules", bench, ["nft", "-f", foreign], 0.080)
    for size in [100_000] + ([] if bench.quick else [1_000_000]):
        policy = lists.PrefixList(size).write_policy(bench.folder, f"list-{size}")
        _snapshot(f"weir's own {size} + {size // 4} prefixes", bench,
                  [bench.weir, "apply", "--no-diff", policy], 0.100 if size == 100_000 else None)


def _snapshot(title, bench, loaded, limit):
    cases = {
        "dump": Case([bench.tools / "dump"], [loaded]),
        "rules": Case([bench.weir, "snapshot", "--rules-only"], [loaded]),
        "all": Case([bench.weir, "snapshot"], [loaded]),
    }
    if limit:
        cases["nft"] = Case(["nft", "-j", "list", "ruleset"], [loaded])
    results = bench.run(cases, pause=0.3)
    table = Table(f"Snapshot of {title}",
                  ["what", "wall", "processor", "peak", "of the dump", "goal", ""])
    for key, what in (("dump", "the dump, thrown away (C)"),
                      ("rules", "weir snapshot --rules-only"),
                      ("all", "weir snapshot, host facts too"),
                      ("nft", "nft -j list ruleset")):
        if key not in results:
            continue
        wall = median(results[key], "wall")
        times = ratio(results[key], results["dump"])
        verdict = ("", "")
        if key == "rules":
            text = "<= 1.30" + (f", {milliseconds(limit)}" if limit else "")
            is_met = times <= 1.30 and (limit is None or wall <= limit)
            verdict = (text, "met" if is_met else "missed")
        table.add(what, milliseconds(wall), milliseconds(median(results[key], "cpu")),
                  f"{median(results[key], 'peak'):.0f} MiB", f"{times:.2f}", *verdict)
    table.show()


def packets(bench):
    """What the rules cost a packet."""
    rules = {"none": "", "conntrack": "ct.nft", "weir": "weir.nft"}
    (bench.folder / "ct.nft").write_text(
        "table inet t { chain o { type filter hook output priority 0; ct state invalid drop; }; }\n")
    sizes = [20, 1000, 100_000]
    policies = {"weir.nft": "app-engine-sockets"}
    for size in sizes:
        name = f"list-{size}"
        policies[f"rules-{size}.nft"] = lists.PrefixList(size).write_policy(bench.folder, name)
        rules[f"weir-{size}"] = f"rules-{size}.nft"
    for file, policy in policies.items():
        with open(bench.folder / file, "w") as out:
            subprocess.run([bench.weir, "print", policy], check=True, stdout=out)
    (bench.folder / "linear.nft").write_text(
        "table inet t { chain o { type filter hook output priority 0;\nct state established accept\n"
        + "".join(f"udp dport {port} drop\n"
                  for port in range(1000, 1000 + LINEAR_RULES)) + "}; }\n")
    rules["linear"] = "linear.nft"
    samples = _packet_samples(bench, rules)
    _packet_table(samples, list(rules))
    _packet_goals(samples, sizes)


def _packet_samples(bench, rules):
    """Nanoseconds a packet in each round, by kind of traffic and name of the rules."""
    rounds = max(bench.rounds, 15 if bench.quick else 41)
    output = subprocess.run(
        ["unshare", "-n", str(bench.tools / "packets"), str(rounds), "1000"]
        + [f"{name.replace(' ', '_')}={bench.folder / file if file else ''}"
           for name, file in rules.items()],
        check=True, stdout=subprocess.PIPE, text=True, timeout=1200).stdout
    samples = {}
    for line in output.splitlines():
        kind, name, *values = line.split()
        samples[kind, name.replace("_", " ")] = [float(value) for value in values]
    return samples


def _packet_table(samples, names):
    kinds = list(dict.fromkeys(kind for kind, _ in samples))
    table = Table("One packet through the output path, ns of processor time (over conntrack)",
                  ["rules", *kinds])
    for name in names:
        table.add(name, *(
            f"{statistics.median(samples[kind, name]):.0f} "
            f"({_difference(samples, kind, name, 'conntrack'):+.0f})" for kind in kinds))
    table.show()


def _difference(samples, kind, mine, base):
    return statistics.median(
        a - b for a, b in zip(samples[kind, mine], samples[kind, base]))


def _quotient(samples, kind, mine, base):
    return statistics.median(
        a / b for a, b in zip(samples[kind, mine], samples[kind, base]))


def _packet_goals(samples, sizes):
    table = Table("Packet path goals", ["what", "IPv4", "IPv6", "goal", ""])

    def row(what, values, limit, form, text):
        table.add(what, *(form.format(value) for value in values),
                  *goal(max(values), limit, text))

    for name in ["weir", *(f"weir-{size}" for size in sizes)]:
        row(f"established, {name}, of conntrack",
            [_quotient(samples, f"established{f}", name, "conntrack") for f in (4, 6)],
            1.05, "{:.3f}", "<= 1.05")
    for kind in ("new", "many", "first"):
        row(f"{kind}, weir, over conntrack",
            [_difference(samples, f"{kind}{f}", "weir", "conntrack") for f in (4, 6)],
            800, "{:+.0f} ns", "<= 800 ns")
    for kind in ("new", "many", "first"):
        row(f"{kind}, weir-{sizes[-1]}, of weir-{sizes[0]}",
            [_quotient(samples, f"{kind}{f}", f"weir-{sizes[-1]}", f"weir-{sizes[0]}")
             for f in (4, 6)], 1.10, "{:.3f}", "<= 1.10")
    table.show()


def scopes(bench):
    """What a packet costs with few and with many scopes, and what one scope more costs."""
    sizes = [10, 1000, 10_000]
    policies = [lists.PrefixList(20 + seed).write_policy(bench.folder, f"tenant-{seed}")
                for seed in range(10)]
    sites, rules = {}, {"none": ""}
    for size in sizes:
        sites[size] = bench.folder / f"site-{size}.yaml"
        # The programs that send are root's: user 0 has the first policy.
        sites[size].write_text("site: bench\nscopes:\n" + "".join(
            f"  - {{user: {user}, policy: {policies[user % len(policies)]}}}\n"
            for user in range(size)))
        rules[f"{size} scopes"] = f"scopes-{size}.nft"
        subprocess.run(
            ["unshare", "-n", "sh", "-c",
             f"{bench.weir} scope apply {sites[size]} >/dev/null &&"
             f" nft list table inet weir-scopes > {bench.folder / rules[f'{size} scopes']}"],
            check=True, timeout=300)
    samples = _packet_samples(bench, rules)
    table = Table("Packets, ns each", ["traffic"] + list(rules) + ["goal", ""])
    for kind in dict.fromkeys(kind for kind, _ in samples):
        quotient = statistics.median(
            large / small for large, small in
            zip(samples[kind, "10000 scopes"], samples[kind, "10 scopes"]))
        table.add(kind, *[f"{statistics.median(samples[kind, name]):.0f}" for name in rules],
                  *goal(quotient, 1.10, f"10 000 / 10 <= 1.10, is {quotient:.2f}"))
    table.show()

    cases = {}
    for size in sizes:
        before = [[bench.weir, "scope", "apply", sites[size]]]
        add = [bench.weir, "scope", "add", "--user", 99_999]
        cases[f"site {size}"] = Case([bench.weir, "scope", "apply", sites[size]])
        cases[f"add {size}"] = Case(add + [policies[0]], before)
        cases[f"list {size}"] = Case([bench.weir, "scope", "list", "--format", "json"], before)
    results = bench.run(cases)
    table = Table("Scopes", ["what", "wall", "processor", "peak", "goal", ""])
    for name, samples in results.items():
        wall = median(samples, "wall")
        verdict = goal(wall, 0.020, "<= 20 ms") if name == "add 10000" else ("", "")
        table.add(name, milliseconds(wall), milliseconds(median(samples, "cpu")),
                  f"{median(samples, 'peak'):.0f} MiB", *verdict)
    table.show()
    print("The whole process each time, with the policy read, compiled and read back.")


def guarding(bench):
    """What a guard costs while nothing happens, under a flood of denials, and for many names."""
    result = subprocess.run(
        ["unshare", "-n", "python3", pathlib.Path(__file__).with_name("guarded.py"), bench.weir,
         bench.folder], stdout=subprocess.PIPE, text=True, timeout=300, check=True)
    found = json.loads(result.stdout)
    table = Table("Guard", ["what", "measured", "goal", ""])
    table.add("processor while nothing happens", f"{100 * found['idle_cpu']:.2f} %",
              *goal(found["idle_cpu"], 0.005, "0 %"))
    table.add("resident", f"{found['resident']:.1f} MiB",
              *goal(found["resident"], 40, "<= 40 MiB"))
    table.add("denials attempted", f"{found['rate']:,.0f}/s",
              *goal_at_least(found["rate"], 100_000, ">= 100 000/s"))
    missing = abs(found["attempts"] - found["counted"])
    table.add("denials not counted", f"{missing} of {found['attempts']:,}", *goal(missing, 0, "0"))
    table.add("processor of the guard meanwhile", f"{100 * found['flood_cpu']:.1f} %", "", "")
    table.add("lines about them", f"{found['lines']['told']}, lost {found['lines']['lost']}", "", "")
    table.add("`weir refresh` of 1 000 names", milliseconds(found["refresh"]),
              *goal(found["refresh"], 1.0, "<= 1 s"))
    table.show()


def verifying(bench):
    """How fast the rungs of verify go, by their own clocks."""
    rates = {}
    pattern = re.compile(r"^  (\w+) +agrees: (\d+) allowed, (\d+) denied in (\d+) ms$")
    untraced = ["--no-trace", "--rung", "packet"]
    for index in range(2 * bench.rounds):
        options = untraced if index % 2 else []
        result = subprocess.run(
            [bench.weir, "verify", "app-engine-sockets", *options], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=600)
        text = result.stdout
        if result.returncode != 0:
            print(f"\nweir verify ended with {result.returncode}; rungs that agree count:\n\n{text}")
        for line in text.splitlines():
            if match := pattern.match(line):
                rung, allowed, denied, took = match.groups()
                rung += ", no trace" if options else ""
                rates.setdefault(rung, []).append(
                    (int(allowed) + int(denied)) * 1000 / max(1, int(took)))
    goals = {"interpreter": 1_000_000, "packet": 50_000, "packet, no trace": 150_000,
             "connection": 1_000}
    table = Table("Verify the built-in policy", ["rung", "probes/s, median", "best", "goal", ""])
    for rung, values in rates.items():
        value = statistics.median(values)
        table.add(rung, f"{value:,.0f}", f"{max(values):,.0f}",
                  *(goal_at_least(value, goals[rung], f">= {goals[rung]:,}/s")
                    if rung in goals else ("", "")))
    table.show()


def auditing(bench):
    """Deciding from a snapshot, for every packet; taking the snapshot is not in it."""
    folder = bench.folder
    allow = folder / "audit.yaml"
    allow.write_text("policy: audited\ninbound: deny\nsource-ports: any\ndefault: deny\n"
                     "allow:\n  - {clause: web, to: [192.0.2.0/24, 2001:db8:1::/48], port: tcp/443}\n")

    def linear(count):
        return "".join(
            f"ip daddr 10.{n >> 8 & 255}.{n & 255}.{n % 251} tcp dport {n % 65535 + 1} drop\n"
            for n in range(count))

    base = "table inet t {{ {0} chain o {{ type filter hook output priority 0; policy accept;\n{1} }}\n}}\n"
    chains = "".join(f"chain c{n} {{ tcp dport {n + 1} drop\n ip daddr 10.0.{n}.0/24 accept\n }}\n"
                     for n in range(200))
    jumps = "".join(f"ip saddr 10.{n}.0.0/16 jump c{n}\n" for n in range(200))
    rulesets = {"1 000 linear rules": (["nft", "-f"], base.format("", linear(1000)), None),
                "10 000 linear rules": (["nft", "-f"], base.format("", linear(10_000)), 1.0),
                "200 chains with jumps": (["nft", "-f"], base.format(chains, jumps), None)}
    save = "*filter\n:OUTPUT ACCEPT [0:0]\n" + "".join(
        f"-A OUTPUT -d 10.{n >> 8}.{n & 255}.{n % 251} -p tcp -m tcp --dport {n + 1} -m conntrack "
        "--ctstate NEW -j DROP\n" for n in range(5000)) + "COMMIT\n"
    rulesets["iptables-nft, 5 000 rules"] = (["iptables-nft-restore"], save, None)
    cases = {}
    goals = {}

    def record(name, command, policy, limit, text=None):
        path = folder / f"audit-{len(cases)}.weir"
        source = folder / f"audit-{len(cases)}.rules"
        if text is not None:
            source.write_text(text)
            command = [*command, source]
        line = " ".join(str(word) for word in command)
        subprocess.run(
            ["unshare", "-n", "sh", "-c",
             f"{line} >/dev/null 2>&1 && {bench.weir} snapshot --output {path}"], check=True)
        cases[name] = Case([bench.weir, "audit", policy, "--snapshot", path], codes=(0, 1, 2))
        goals[name] = limit

    record("built-in policy's rules",
           [bench.weir, "apply", "app-engine-sockets", "--resolve", "smtp.gmail.com=142.250.1.108",
            "--resolve", "pop.gmail.com=142.250.1.109", "--resolve",
            "imap.gmail.com=142.250.1.110"], "app-engine-sockets", 0.1)
    for name, (command, text, limit) in rulesets.items():
        record(name, command, allow, limit, text)
    for size in [100_000] + ([] if bench.quick else [1_000_000]):
        policy = lists.PrefixList(size).write_policy(folder, f"audit-{size}")
        record(f"{size} + {size // 4} prefixes", [bench.weir, "apply", "--no-diff", policy], policy,
               0.3 if size == 100_000 else 10.0)
    results = bench.run(cases)
    table = Table("Audit, from a snapshot", ["rules", "wall", "processor", "peak", "goal", ""])
    for name in cases:
        samples = results[name]
        wall = median(samples, "wall")
        limit = goals[name]
        verdict = goal(wall, limit, f"<= {milliseconds(limit)}") if limit else ("", "")
        table.add(name, milliseconds(wall), milliseconds(median(samples, "cpu")),
                  f"{median(samples, 'peak'):.0f} MiB", *verdict)
    table.show()
    print("Whole processes: reading the snapshot, every claim, the report.")
