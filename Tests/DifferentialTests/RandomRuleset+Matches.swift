import SeededRandom

/// Matches and sets.
extension RandomRuleset {
  private mutating func number(_ values: [Int]) -> Int { values[below(values.count)] }

  /// A comparison with numbers of a list.
  private mutating func compare(_ left: String, _ values: [Int]) -> String {
    let one = number(values)
    let other = number(values)
    switch below(9) {
    case 0, 1, 2: return "\(left) \(one)"
    case 3: return "\(left) != \(one)"
    case 4: return "\(left) \(pick(["<", "<=", ">", ">="])) \(one)"
    case 5 where one != other: return "\(left) \(min(one, other))-\(max(one, other))"
    case 6 where one != other: return "\(left) != \(min(one, other))-\(max(one, other))"
    case 7 where one != other: return "\(left) \(pick(["", "!= "])){ \(one), \(other) }"
    case 8 where one != other:
      return "\(left) { \(min(one, other))-\(max(one, other)), \(max(one, other) + 1) }"
    default: return "\(left) \(one)"
    }
  }

  private mutating func address4(_ field: String) -> String {
    switch below(8) {
    case 0: return "ip \(field) \(pick(["8.8.8.8", "10.1.2.3", "198.51.100.1"]))"
    case 1: return "ip \(field) != \(pick(["8.8.8.8", "10.1.2.3"]))"
    case 2:
      return "ip \(field) \(pick(["8.8.0.0/16", "10.0.0.0/8", "198.51.100.0/30", "0.0.0.0/1"]))"
    case 3: return "ip \(field) != \(pick(["8.8.8.0/24", "10.0.0.0/9", "192.0.0.0/4"]))"
    case 4: return "ip \(field) 8.8.4.4-10.1.2.3"
    case 5:
      return "ip \(field) \(pick(["", "!= "])){ 8.8.8.8, 198.51.100.0/24, 10.1.2.0-10.1.2.200 }"
    case 6: return "ip \(field) & 255.0.255.0 \(pick(["==", "!="])) 8.0.8.0"
    default: return "ip \(field) < 11.0.0.0"
    }
  }

  private mutating func address6(_ field: String) -> String {
    switch below(7) {
    case 0: return "ip6 \(field) \(pick(["2001:db8::1", "fd00::1", "2001:4860:4860::8888"]))"
    case 1: return "ip6 \(field) != 2001:db8::1"
    case 2: return "ip6 \(field) \(pick(["2001:4860::/32", "fc00::/7", "2001:db8::/125"]))"
    case 3: return "ip6 \(field) != 2001:db8::/32"
    case 4: return "ip6 \(field) 2001:db8::1-2001:db8::ffff"
    case 5: return "ip6 \(field) \(pick(["", "!= "])){ 2001:db8::2, 2001:4860::/32 }"
    default: return "ip6 \(field) > 2001:db8::"
    }
  }

  mutating func match() -> String {
    if chance(16), let text = setMatch() { return text }
    switch below(12) {
    case 0, 1, 2: return network()
    case 3, 4, 5: return transport()
    case 6, 7: return meta()
    case 8: return conntrack()
    case 9: return raw()
    case 10: return options()
    default: return miscellaneous()
    }
  }

  /// A match for the chains of a device.
  mutating func deviceMatch() -> String {
    switch below(9) {
    case 0: return "meta protocol \(pick(["ip", "ip6", "!= ip"]))"
    case 1: return compare("meta length", [54, 62, 74, 80])
    case 2: return "ether daddr \(pick(["02:00:00:00:00:09", "!= 02:00:00:00:00:09"]))"
    case 3: return "ether type \(pick(["ip", "ip6"]))"
    case 4: return "oifname \(pick(["\"eth0\"", "\"lo\""]))"
    case 5: return compare("meta l4proto", [1, 6, 17, 58, 132])
    case 6: return compare("meta mark", [0, 1, 7, 16])
    case 7: return network()
    default: return transport()
    }
  }

  private mutating func network() -> String {
    if layer3 == 0 { return meta() }
    if hasFour {
      switch below(10) {
      case 0, 1, 2, 3: return address4(pick(["daddr", "daddr", "saddr"]))
      case 4: return compare("ip ttl", [1, 64, 128, 255])
      case 5: return compare("ip length", [20, 28, 40, 48])
      case 6: return compare("ip protocol", [1, 6, 17, 47, 132, 253])
      case 7: return "ip dscp \(pick(["cs0", "ef", "!= cs0", "{ cs0, ef }"]))"
      case 8: return "ip frag-off & 0x1fff \(pick(["==", "!="])) 0"
      default: return compare("ip hdrlength", [5, 6, 7])
      }
    }
    switch below(9) {
    case 0, 1, 2, 3: return address6(pick(["daddr", "daddr", "saddr"]))
    case 4: return compare("ip6 nexthdr", [0, 6, 17, 43, 44, 58, 60])
    case 5: return compare("ip6 hoplimit", [1, 64, 255])
    case 6: return compare("ip6 length", [8, 16, 20, 28])
    case 7: return "ip6 flowlabel \(pick(["== 53", "!= 0", "< 20000", "& 0xff == 80"]))"
    default: return "ip6 dscp \(pick(["cs0", "ef", "!= cs0"]))"
    }
  }

  private mutating func transport() -> String {
    let ports = [53, 80, 443, 8080, 25, 1000, 2000]
    switch layer4 {
    case "tcp":
      switch below(9) {
      case 0, 1, 2: return compare("tcp dport", ports)
      case 3, 4:
        return "tcp flags "
          + pick([
            "syn", "!= syn", "& (syn|ack) == syn", "& (fin|syn|rst|ack) != syn", "{ syn, ack }",
            "syn,ack",
          ])
      case 5: return compare("tcp doff", [5, 6, 8])
      case 6: return compare("tcp sequence", [1, 2, 3])
      case 7: return compare("tcp window", [4096, 100])
      default: return compare("tcp sport", [20_000, 40_000])
      }
    case "udp":
      return chance(70) ? compare("udp dport", ports) : compare("udp length", [8, 12, 16])
    case "icmp":
      if hasFour { return compare(pick(["icmp type", "icmp code"]), [0, 1, 3, 8, 13]) }
      return hasSix ? compare("icmpv6 type", [1, 128, 129, 135]) : "meta l4proto 58"
    case "sctp": return compare("sctp dport", ports)
    case "dccp":
      return chance(50)
        ? compare("dccp dport", ports) : "dccp type \(pick(["request", "ack", "!= sync"]))"
    case "th":
      return chance(60)
        ? compare("th dport", ports) : compare("th sport", [20_000, 40_000, 60_000])
    default: return meta()
    }
  }

  private mutating func meta() -> String {
    switch below(17) {
    case 0, 1: return compare("meta l4proto", [1, 6, 17, 47, 51, 58, 59, 132, 253])
    case 2: return compare("meta length", [20, 40, 48, 60, 68])
    case 3: return compare("meta mark", [0, 1, 2, 7, 16, 256])
    case 4:
      return
        "meta mark & \(pick(["0x1", "0x10", "0xff"])) \(pick(["==", "!="])) \(pick(["0", "1", "0x10"]))"
    case 5:
      return
        "oifname \(pick(["\"eth0\"", "!= \"eth0\"", "\"eth*\"", "\"lo\"", "{ \"lo\", \"eth0\" }"]))"
    case 6: return "iifname \(pick(["\"eth0\"", "!= \"lo\"", "\"\""]))".replacingEmptyName
    case 7: return "oif \(pick(["\"lo\"", "!= \"lo\"", "1"]))"
    case 8: return "iif \(pick(["\"lo\"", "!= \"lo\""]))"
    case 9: return "meta skuid \(pick(["0", "!= 0", "1000", "!= 1000"]))"
    case 10: return "meta skgid \(pick(["0", "< 100"]))"
    case 11: return "meta pkttype \(pick(["host", "broadcast", "!= broadcast", "other"]))"
    case 12: return "meta protocol \(pick(["ip", "ip6", "!= ip"]))"
    case 13: return family == "inet" ? "meta nfproto \(pick(["ipv4", "ipv6", "!= ipv4"]))" : ""
    case 14: return "meta priority \(pick(["0:0", "0:1", "!= 0:0", "1:2"]))"
    case 15:
      return pick([
        "iiftype ether", "iiftype != ether", "oiftype ether", "oiftype != ether", "oifgroup 0",
        "iifgroup != 5", "meta oifkind \"veth\"", "meta oifkind \"dummy\"",
      ])
    default: return pick(["meta rtclassid cosmos", "meta secpath missing", "meta secpath exists"])
    }
  }

  private mutating func conntrack() -> String {
    switch below(14) {
    case 0, 1: return "ct state \(pick(["new", "established", "invalid", "untracked", "related"]))"
    case 2:
      return
        "ct state \(pick(["new,established", "!= new", "{ new, untracked }", "invalid,untracked"]))"
    case 3: return "ct direction \(pick(["original", "reply"]))"
    case 4: return "ct status \(pick(["dnat", "snat", "confirmed", "!= dnat", "& dnat != dnat"]))"
    case 5: return "ct mark \(pick(["0", "1", "!= 1", "0x2a"]))"
    case 6 where hasFour:
      return "ct original ip daddr \(pick(["8.8.8.8", "10.0.0.0/8", "!= 8.8.8.8"]))"
    case 7 where hasFour:
      return "ct reply ip saddr \(pick(["8.8.4.4", "10.0.0.0/8", "!= 8.8.8.8"]))"
    case 8 where hasSix: return "ct original ip6 daddr \(pick(["2001:db8::1", "!= 2001:db8::1"]))"
    case 9: return compare("ct original proto-dst", [53, 80, 443])
    case 10: return compare("ct reply proto-src", [53, 80, 443])
    case 11: return compare("ct protocol", [6, 17, 253])
    case 12: return "ct zone \(pick(["0", "1", "!= 0"]))"
    default: return "ct helper \"ftp\""
    }
  }

  private mutating func raw() -> String {
    let base = pick(["nh", "th", "ih"])
    let bits = [8, 16, 32, 64, 128][below(5)]
    let offset = [0, 8, 16, 32, 40, 64, 96, 128][below(8)]
    switch below(4) {
    case 0: return "@\(base),\(offset),\(bits) \(pick(["==", "!="])) \(number([0, 1, 53, 69, 80]))"
    case 1: return "@\(base),\(offset),16 \(pick(["<", ">"])) \(number([53, 1000, 0x4500]))"
    case 2:
      return "@\(base),\(offset),\(min(bits, 32)) & 0xf \(pick(["==", "!="])) \(number([0, 1, 5]))"
    default: return "@th,0,64 != 0"
    }
  }

  private mutating func options() -> String {
    switch below(6) {
    case 0 where layer4 == "tcp":
      return "tcp option maxseg size \(pick(["1460", "> 1000", "!= 1460"]))"
    case 1 where layer4 == "tcp":
      return
        "tcp option \(pick(["maxseg", "window", "sack-perm", "timestamp", "fastopen"])) \(pick(["exists", "missing"]))"
    case 2 where layer4 == "tcp": return "tcp option window count \(pick(["7", "!= 7"]))"
    case 0...2 where layer4 == "sctp":
      return chance(60)
        ? "sctp chunk \(pick(["init", "data", "sack"])) \(pick(["exists", "missing"]))"
        : "sctp chunk data stream \(pick(["2", "!= 0"]))"
    case 3 where hasSix:
      return "exthdr \(pick(["hbh", "rt", "frag", "dst"])) \(pick(["exists", "missing"]))"
    case 4 where hasSix:
      return "frag \(pick(["frag-off 1", "frag-off > 0", "more-fragments 1", "nexthdr 17"]))"
    case 5 where hasSix:
      return pick([
        "rt type 0", "rt type 4", "rt type != 0", "dst nexthdr 6", "dst nexthdr 17",
        "hbh nexthdr 17", "hbh nexthdr 58",
      ])
    default:
      return hasFour
        ? "ip option \(pick(["ra", "lsrr", "rr", "ssrr"])) \(pick(["exists", "missing"]))" : ""
    }
  }

  private mutating func miscellaneous() -> String {
    switch below(5) {
    case 0: return "fib daddr type \(pick(["unicast", "local", "!= local"]))"
    case 1: return "fib saddr type \(pick(["unicast", "local", "!= local"]))"
    case 2 where hasFour:
      return "jhash ip daddr mod \(2 + below(7)) seed 0x\(1 + below(9)) \(pick(["0", "1", "!= 0"]))"
    case 3 where hasFour && layer4 == "tcp":
      return "jhash ip daddr . tcp dport mod 4 seed 0x7 \(pick(["0", "1", "2"]))"
    default: return "numgen inc mod 1 offset \(below(2)) 1"
    }
  }

  // MARK: Sets

  /// The expression that a set's key is compared with.
  func expression(of key: String) -> String {
    switch key {
    case "ipv4_addr": "ip daddr"
    case "ipv6_addr": "ip6 daddr"
    case "inet_service": "th dport"
    case "ipv4_addr . inet_service": "ip daddr . th dport"
    case "ipv6_addr . inet_service": "ip6 daddr . th dport"
    case "inet_proto . inet_service": "meta l4proto . th dport"
    case "ifname": "oifname"
    default: "meta mark"
    }
  }

  /// Whether the rule at hand may look at what a key is made of.
  func fits(_ key: String) -> Bool {
    if key.hasPrefix("ipv4"), !hasFour { return false }
    if key.hasPrefix("ipv6"), !hasSix { return false }
    return !key.contains("inet_service") || layer4 == "th" || layer4 == "none"
  }

  private mutating func setMatch() -> String? {
    let usable = sets.filter { fits($0.key) && $0.kind == "set" }
    guard let set = usable.randomElement(using: &random) else { return nil }
    return "\(expression(of: set.key)) \(chance(30) ? "!= " : "")@\(set.name)"
  }

  mutating func set(_ name: String) -> [String] {
    var keys = ["inet_service", "inet_proto . inet_service", "mark", "ifname"]
    if hasFour {
      keys += ["ipv4_addr", "ipv4_addr", "ipv4_addr . inet_service", "ipv4_addr . inet_service"]
    }
    if hasSix { keys += ["ipv6_addr", "ipv6_addr . inet_service"] }
    let key = pick(keys)
    let isNamed = key == "ifname" || key == "mark"
    if chance(12), key != "ifname" {
      sets.append((name, key, "dynamic"))
      return ["  set \(name) { type \(key); flags dynamic; size 64; }"]
    }
    let isInterval = !isNamed && chance(60)
    let isMap = chance(40)
    sets.append((name, key, isMap ? "vmap" : "set"))
    var seen: Set<String> = []
    var elements: [String] = []
    for _ in 0..<1 + below(5) {
      let element = key.split(separator: " . ").map { field(String($0), isInterval) }
        .joined(separator: " . ")
      guard seen.insert(element).inserted else { continue }
      elements.append(isMap ? "\(element) : \(mapVerdict())" : element)
    }
    if chance(15) { elements.append(isMap ? "* : \(mapVerdict())" : "*") }
    let isTimed = chance(15)
    let names = (isInterval ? ["interval"] : []) + (isTimed ? ["timeout"] : [])
    var flags = names.isEmpty ? "" : " flags \(names.joined(separator: ", "));"
    if isTimed { flags += " timeout 1h;" }
    if chance(8), !isMap { flags += " counter;" }
    let merges =
      isInterval && !isTimed && !isMap && key.contains(" . ") == false ? " auto-merge;" : ""
    let kind = isMap ? "map \(name) { type \(key) : verdict;" : "set \(name) { type \(key);"
    return ["  \(kind)\(flags)\(merges) elements = { \(elements.joined(separator: ", ")) }; }"]
  }

  /// Named maps stand before the chains, so they lead to none.
  private mutating func mapVerdict() -> String { pick(["accept", "drop", "continue", "return"]) }

  private mutating func field(_ type: String, _ isInterval: Bool) -> String {
    switch type {
    case "ipv4_addr":
      return isInterval
        ? pick([
          "8.8.8.0/24", "10.0.0.0/8", "198.51.100.1", "8.8.4.0-8.8.4.9", "0.0.0.0/2", "10.1.2.0/24",
          "224.0.0.0-255.255.255.255",
        ])
        : pick(["8.8.8.8", "8.8.4.4", "10.1.2.3", "198.51.100.1", "1.1.1.1"])
    case "ipv6_addr":
      return isInterval
        ? pick([
          "2001:db8::/32", "2001:4860:4860::/112", "fd00::1", "2001:db8::1-2001:db8::1:0", "::/3",
        ])
        : pick(["2001:db8::1", "2001:db8::2", "fd00::1", "2001:4860:4860::8888"])
    case "inet_service":
      return isInterval
        ? pick(["53", "80-443", "1000-2000", "0-52", "8000-65535"])
        : pick(["53", "80", "443", "8080"])
    case "inet_proto":
      return isInterval ? pick(["tcp", "udp", "6-17", "0-255"]) : pick(["tcp", "udp", "sctp"])
    case "ifname": return pick(["\"eth0\"", "\"lo\"", "\"dummy1\""])
    default: return pick(["0", "1", "7", "16"])
    }
  }
}

extension String {
  /// nft(8) knows no empty name.
  fileprivate var replacingEmptyName: String {
    self == "iifname \"\"" ? "iifname != \"eth1\"" : self
  }
}
