"""Deterministic inputs for the benchmarks: prefix lists, policies, and the same as nft and ipset text.

A list is N IPv4 prefixes and N/4 IPv6 prefixes, sorted, none inside another, in the mix that
published block-lists have. It leaves out the addresses that the packet benchmark sends to
(second octet 77, second group 7777), so that those packets meet every look-up and pass.
"""

import ipaddress
import pathlib
import random

SEED = 20261123
IPV4_SPACE = (0x01000000, 0xDF000000)  # 1.0.0.0 up to 223.0.0.0
IPV4_MIX = [((32, 32), 55), ((25, 31), 15), ((24, 24), 20), ((17, 23), 9), ((16, 16), 1)]
IPV6_MIX = [(48, 40), (64, 30), (32, 20), (128, 10)]


def ipv4_prefixes(count):
    """`count` disjoint IPv4 prefixes as (address, length), ascending."""
    generator = random.Random(SEED + count)
    spans = generator.choices([span for span, _ in IPV4_MIX], [w for _, w in IPV4_MIX], k=count)
    lengths = [generator.randint(*span) for span in spans]
    first, end = IPV4_SPACE
    # Aligning a block wastes half of its size on average; what is left is shared as gaps.
    needed = sum(3 * (1 << 32 - length) // 2 + 2 for length in lengths)
    room = max(0, (end - first) * 95 // 100 - needed)
    shares = [generator.random() for _ in lengths]
    scale = room / sum(shares)
    result, position = [], first
    for length, share in zip(lengths, shares):
        size = 1 << (32 - length)
        position += 2 + int(share * scale)  # apart, so that no two entries merge
        position = (position + size - 1) & -size
        while position >> 16 & 255 == 77:
            position = ((position >> 16) + 1) << 16
        if position + size > end:
            raise SystemExit(f"lists.py: {count} IPv4 prefixes do not fit")
        result.append((position, length))
        position += size
    return result


def ipv6_prefixes(count):
    """`count` disjoint IPv6 prefixes as (address, length), ascending, one in each /32 used."""
    generator = random.Random(SEED - count)
    tops = sorted(
        top for top in generator.sample(range(0x24000000, 0x2C000000), count + 64)
        if top & 0xFFFF != 0x7777)[:count]
    result = []
    for top in tops:
        length = generator.choices([n for n, _ in IPV6_MIX], [w for _, w in IPV6_MIX])[0]
        below = generator.getrandbits(length - 32) if length > 32 else 0
        result.append((top << 96 | below << (128 - length), length))
    return result


class PrefixList:
    """N IPv4 and N/4 IPv6 prefixes, and the files that say the same to each program."""

    def __init__(self, count):
        self.count = count
        v4 = [ipaddress.IPv4Address(a).compressed + (f"/{n}" if n < 32 else "")
              for a, n in ipv4_prefixes(count)]
        v6 = [ipaddress.IPv6Address(a).compressed + (f"/{n}" if n < 128 else "")
              for a, n in ipv6_prefixes(count // 4)]
        self.ipv4, self.ipv6 = v4, v6

    def write_policy(self, folder: pathlib.Path, name, extra=()):
        """Writes `name.yaml` and `name.txt`: everything is allowed except the list."""
        (folder / f"{name}.txt").write_text("\n".join([*self.ipv4, *self.ipv6, *extra]) + "\n")
        path = folder / f"{name}.yaml"
        path.write_text(
            f"policy: {name}\nabout: A list for the benchmark\ndefault: allow\n"
            f"deny:\n  - {{clause: listed, to: {{file: {name}.txt}}}}\n")
        return path

    def write_nft(self, folder: pathlib.Path, name):
        """Writes the list as two interval sets and two rules, as one writes it by hand."""
        path = folder / f"{name}.nft"
        sets = "".join(
            f"  set b{bits} {{ type ipv{bits}_addr; flags interval; elements = {{ "
            + ",\n    ".join(entries) + " } }\n"
            for bits, entries in ((4, self.ipv4), (6, self.ipv6)))
        path.write_text(
            f"table inet block {{\n{sets}  chain output {{ type filter hook output priority 0;\n"
            "    ip daddr @b4 drop\n    ip6 daddr @b6 drop\n  }\n}\n")
        return path

    def write_ipset(self, folder: pathlib.Path, name):
        """Writes the list for `ipset restore`, hash sizes preset."""
        path = folder / f"{name}.ipset"
        lines = []
        for label, family, entries in (("b4", "inet", self.ipv4), ("b6", "inet6", self.ipv6)):
            size = 1 << max(6, (len(entries) - 1).bit_length())
            lines.append(f"create {label} hash:net family {family} hashsize {size} "
                         f"maxelem {max(64, len(entries))}")
            lines += [f"add {label} {entry}" for entry in entries]
        path.write_text("\n".join(lines) + "\n")
        return path


def write_clauses(folder: pathlib.Path, count):
    """Writes a policy of `count` clauses, each with its own addresses and ports."""
    generator = random.Random(SEED ^ count)
    lines = [f"policy: clauses-{count}", "about: Many clauses for the benchmark",
             "default: allow", "deny:"]
    v4, v6 = ipv4_prefixes(count), ipv6_prefixes(count)
    generator.shuffle(v4)
    for index, ((a4, n4), (a6, n6)) in enumerate(zip(v4, v6)):
        to = [f"{ipaddress.IPv4Address(a4)}/{n4}"]
        if index % 4 == 0:
            to.append(f"'{ipaddress.IPv6Address(a6)}/{n6}'")
        port = "" if index % 2 else f", port: tcp/{generator.randint(1, 65535)}"
        lines.append(f"  - {{clause: c{index}, to: [{', '.join(to)}]{port}}}")
    path = folder / f"clauses-{count}.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path
