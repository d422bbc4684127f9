/// Checks the name of an nftables table: what nft(8) can read back.
///
/// - Parameter text: as the user gave it.
/// - Returns: the same text.
/// - Throws: ``OperationFailure`` (64): a letter first, then letters, digits, `_`, `-`, `.`; at most
///   64; not a word of nft's own grammar.
public func tableName(_ text: String) throws(OperationFailure) -> String {
  let scalars = Array(text.unicodeScalars)
  let isLetter = { (scalar: Unicode.Scalar) in
    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
  }
  let isWord = scalars.allSatisfy {
    isLetter($0) || ("0"..."9").contains($0) || "_-.".unicodeScalars.contains($0)
  }
  guard let first = scalars.first, isLetter(first), isWord, scalars.count <= 64 else {
    throw OperationFailure(
      .usage, "'\(text)' is no table name: use a letter, then letters, digits, '_', '-' or '.'")
  }
  guard !grammarWords.contains(text) else {
    throw OperationFailure(.usage, "'\(text)' is a word of nft's own grammar; use another name")
  }
  return text
}

/// Words of nft(8)'s manual that nft 1.0.6 refuses as a table's name, each tried.
private let grammarWords: Set<String> = [
  "accept", "add", "ah", "all", "and", "arp", "auto-merge", "bridge", "cgroup", "chain",
  "comment", "comp", "constant", "continue", "counter", "cpu", "create", "ct", "day", "dccp",
  "define", "delete", "describe", "device", "devices", "dnat", "drop", "dst", "dup", "dynamic",
  "ecn", "element", "elements", "esp", "ether", "exists", "expires", "exthdr", "fib", "flags",
  "flow", "flowtable", "flush", "frag", "fwd", "gc-interval", "get", "goto", "handle", "hbh",
  "hook", "hour", "ibrname", "icmp", "icmpv6", "igmp", "iif", "iifgroup", "iifname", "iiftype",
  "include", "index", "inet", "insert", "interval", "ip", "ip6", "ipsec", "jhash", "jump",
  "limit", "list", "log", "lt", "map", "mark", "masquerade", "meta", "mh", "missing", "monitor",
  "netdev", "nftrace", "not", "notrack", "numgen", "obrname", "offload", "oif", "oifgroup",
  "oifname", "oiftype", "or", "osf", "pkttype", "policy", "position", "priority", "queue",
  "quota", "random", "redefine", "redirect", "reject", "rename", "replace", "reset", "return",
  "rt", "rtclassid", "rule", "ruleset", "sctp", "secmark", "set", "size", "skgid", "skuid",
  "snat", "socket", "srh", "symhash", "synproxy", "table", "tcp", "th", "time", "timeout",
  "tproxy", "type", "typeof", "udp", "udplite", "undefine", "update", "vlan", "vmap", "xt",
]
