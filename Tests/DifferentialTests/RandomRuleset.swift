import NetworkTypes
import SeededRandom

/// Writes a random ruleset as nft(8) text.
///
/// Tables of all IP families with sets, maps, user chains and base chains at the hooks of an own
/// packet; the rules are about the addresses and ports of ``PacketSource``.
struct RandomRuleset {
  var random: SeededGenerator
  /// The family of the table at hand.
  var family = "inet"
  /// Sets and maps of the table by the kind of their keys.
  var sets: [(name: String, key: String, kind: String)] = []
  var chains: [String] = []
  /// Statements that use the table's objects.
  var objects: [String] = []
  /// Whether the chain at hand is a nat chain, and where.
  var natHook: String?
  var hook = "output"
  var priority = 0
  /// What the rule at hand may look at: one network protocol, one transport protocol.
  var layer3 = 4
  var layer4 = "tcp"

  init(seed: UInt64) { random = SeededGenerator(seed: seed &* 0x9e37_79b9 &+ 17) }

  mutating func chance(_ percent: Int) -> Bool { random.next(upperBound: 100) < percent }
  mutating func below(_ bound: Int) -> Int { random.next(upperBound: bound) }
  mutating func pick(_ values: [String]) -> String { values[below(values.count)] }

  /// Whether the rule at hand may look at IPv4, at IPv6.
  var hasFour: Bool { layer3 == 4 }
  var hasSix: Bool { layer3 == 6 }

  mutating func text() -> String {
    let tables = (0..<1 + below(3)).map { table($0) }
    return (tables + (chance(20) ? [deviceTable()] : [])).joined(separator: "\n")
  }

  // MARK: Tables and chains

  private mutating func table(_ number: Int) -> String {
    family = pick(["ip", "ip6", "inet", "inet"])
    sets = []
    objects = []
    chains = (0..<below(4)).map { "u\(number)_\($0)" }
    var lines: [String] = []
    for index in 0..<below(3) { lines += object("o\(number)_\(index)") }
    for index in 0..<below(5) {
      layer3 = family == "ip" ? 4 : family == "ip6" ? 6 : [4, 6][below(2)]
      lines += set("s\(number)_\(index)")
    }
    // Chains only jump to those before them, so that there are no loops.
    let all = chains
    for index in all.indices {
      chains = Array(all[..<index])
      natHook = nil
      hook = "any"
      priority = 0
      lines.append("  chain \(all[index]) {")
      lines += rules(below(4))
      lines.append("  }")
    }
    chains = all
    for index in 0..<1 + below(3) { lines += baseChain("b\(number)_\(index)") }
    return "table \(family) t\(number) {\n" + lines.joined(separator: "\n") + "\n}\n"
  }

  private mutating func object(_ name: String) -> [String] {
    let kind = pick(["counter", "quota", "limit"])
    objects.append("\(kind) name \(name)")
    switch kind {
    case "counter": return ["  counter \(name) { }"]
    case "quota": return ["  quota \(name) { \(pick(["", "over "]))1 mbytes }"]
    default: return ["  limit \(name) { rate \(pick(["", "over "]))1000/second }"]
    }
  }

  /// A table of the device by which packets leave.
  private mutating func deviceTable() -> String {
    family = "netdev"
    sets = []
    objects = []
    chains = []
    natHook = nil
    hook = "egress"
    priority = 0
    var lines: [String] = []
    for index in 0..<1 + below(2) {
      let policy = chance(90) ? "accept" : "drop"
      lines.append(
        "  chain e\(index) { type filter hook egress device \"eth0\" priority \(below(20)); policy \(policy);"
      )
      for _ in 0..<1 + below(5) {
        layer3 = [4, 6, 0][below(3)]
        layer4 = pick(["tcp", "udp", "th", "none"])
        let verdict = pick(["accept", "drop", "counter", "counter", "continue", "meta mark set 5"])
        lines.append("    \(deviceMatch()) \(deviceMatch()) \(verdict)")
      }
      lines.append("  }")
    }
    return "table netdev dev {\n" + lines.joined(separator: "\n") + "\n}\n"
  }

  private mutating func baseChain(_ name: String) -> [String] {
    hook = pick(["output", "output", "postrouting"])
    var type = "filter"
    natHook = nil
    priority = [-300, -150, -99, 0, 0, 10, 50, 110, 225][below(9)]
    if chance(22) {
      type = "nat"
      natHook = hook
      priority = [-100, 0, 100, 200][below(4)]
    } else if hook == "output", chance(12) {
      type = "route"
    }
    let policy = chance(88) ? "accept" : "drop"
    let head = "  chain \(name) { type \(type) hook \(hook) priority \(priority); policy \(policy);"
    return [head] + rules(1 + below(6)) + ["  }"]
  }

  private mutating func rules(_ count: Int) -> [String] {
    (0..<count).map { _ in "    " + rule() }
  }

  private mutating func rule() -> String {
    var parts: [String] = []
    layer3 = family == "ip" ? 4 : family == "ip6" ? 6 : [4, 6, 0][below(3)]
    layer4 = pick(["tcp", "tcp", "tcp", "udp", "udp", "th", "icmp", "sctp", "dccp", "none"])
    for _ in 0..<below(3) + (chance(60) ? 1 : 0) { parts.append(match()) }
    if chance(30) { parts.append("counter") }
    if chance(6) {
      parts.append(
        pick([
          "limit rate 1000/second", "limit rate over 5/second", "quota 10 mbytes",
          "quota over 1 bytes",
        ]))
    }
    if chance(8), let object = objects.randomElement(using: &random) { parts.append(object) }
    if chance(12), let map = verdictMap() { return (parts + [map]).joined(separator: " ") }
    if chance(25) { parts.append(change()) }
    parts.append(statement())
    if parts.allSatisfy({ $0.isEmpty }) { parts = ["counter"] }
    return parts.filter { !$0.isEmpty }.joined(separator: " ")
  }

  // MARK: Statements

  private mutating func statement() -> String {
    if let natHook, chance(60) { return translation(natHook) }
    switch below(16) {
    case 0, 1: return "accept"
    case 2, 3: return natHook == nil ? "drop" : "accept"
    case 4: return "return"
    case 5: return "continue"
    case 6, 7: return chains.isEmpty ? "counter" : "jump \(pick(chains))"
    case 8: return chains.isEmpty ? "accept" : "goto \(pick(chains))"
    case 9:
      return hook == "output" ? pick(["reject", "reject with icmpx admin-prohibited"]) : "drop"
    default: return "counter"
    }
  }

  private mutating func verdictMap() -> String? {
    func verdict(_ random: inout Self) -> String {
      let targets = ["accept", "drop", "continue", "return"]
      if random.chance(35), !random.chains.isEmpty {
        return random.pick(["jump ", "goto "]) + random.pick(random.chains)
      }
      return random.pick(targets)
    }
    if chance(40),
      let named = sets.filter({ fits($0.key) && $0.kind == "vmap" }).randomElement(using: &random)
    {
      return "\(expression(of: named.key)) vmap @\(named.name)"
    }
    let first = verdict(&self)
    let second = verdict(&self)
    let third = verdict(&self)
    let rest = chance(25) ? ", * : \(verdict(&self))" : ""
    switch below(5) {
    case 0:
      return "th dport vmap { 53 : \(first), 80-443 : \(second), 1000-2000 : \(third)\(rest) }"
    case 1: return "meta l4proto vmap { tcp : \(first), udp : \(second), 253 : \(third)\(rest) }"
    case 2 where hasFour:
      return
        "ip daddr vmap { 8.8.8.0/24 : \(first), 10.0.0.0/8 : \(second), 198.51.100.1 : \(third)\(rest) }"
    case 3 where hasFour:
      return
        "ip daddr . th dport vmap { 8.8.0.0/16 . 53-80 : \(first), 0.0.0.0/1 . 0-1000 : \(second)\(rest) }"
    case 4 where hasSix:
      return "ip6 daddr vmap { 2001:4860::/32 : \(first), 2001:db8::1 : \(second)\(rest) }"
    default: return nil
    }
  }

  private mutating func change() -> String {
    switch below(17) {
    case 0: return "meta mark set \(pick(["1", "0x10", "7"]))"
    case 1: return "meta mark set meta mark | \(pick(["2", "0x100"]))"
    case 2: return "meta mark set meta mark \(pick(["<<", ">>"])) \(1 + below(31))"
    case 3: return "ct mark set \(pick(["1", "0x2a"]))"
    case 4: return "meta mark set ct mark"
    case 5 where hasFour: return "ip daddr set \(pick(["8.8.4.4", "10.1.2.3", "198.51.100.2"]))"
    case 6 where hasFour: return "ip ttl set \(pick(["1", "63"]))"
    case 7 where hasFour: return "ip dscp set \(pick(["cs1", "ef", "0"]))"
    case 8 where hasSix: return "ip6 hoplimit set \(pick(["1", "63"]))"
    case 9 where hasSix: return "ip6 daddr set 2001:db8::2"
    case 10 where layer4 == "tcp": return "tcp dport set \(pick(["80", "8080"]))"
    case 11 where layer4 == "udp": return "udp dport set \(pick(["53", "1000"]))"
    case 12 where layer4 == "tcp": return "tcp option maxseg size set \(pick(["1000", "1460"]))"
    case 13: return "meta priority set \(pick(["1:2", "0:1"]))"
    case 14: return "meta pkttype set \(pick(["broadcast", "host", "other"]))"
    case 15:
      if let named = sets.filter({ fits($0.key) && $0.kind == "dynamic" }).randomElement(
        using: &random)
      {
        return "\(pick(["add", "update"])) @\(named.name) { \(expression(of: named.key)) }"
      }
      return ""
    case 12: return pick(["reset tcp option maxseg", "reset tcp option sack-perm"])
    case 16: return priority == -300 && hook == "output" ? "notrack" : ""
    default: return ""
    }
  }

  private mutating func translation(_ hook: String) -> String {
    let isFour = layer3 == 4 || (layer3 == 0 && chance(60))
    if hook == "postrouting" {
      if chance(40) { return "masquerade" }
      if family == "inet" {
        return isFour ? "snat ip to 198.18.77.200" : "snat ip6 to 2001:db8:77::200"
      }
      return isFour ? "snat to 198.18.77.200" : "snat to 2001:db8:77::200"
    }
    switch below(5) {
    case 0: return "meta l4proto { tcp, udp } redirect to :\(pick(["80", "8080"]))"
    case 1: return "redirect"
    default: break
    }
    let keyword = family == "inet" ? (isFour ? "dnat ip to" : "dnat ip6 to") : "dnat to"
    let address = isFour ? pick(["8.8.4.4", "10.1.2.3"]) : pick(["2001:db8::2", "fd00::1"])
    if chance(40) {
      let port = pick(["53", "8080", "1000-2000"])
      let target = isFour ? "\(address):\(port)" : "[\(address)]:\(port)"
      return "meta l4proto { tcp, udp } \(keyword) \(target)"
    }
    if chance(25), isFour {
      return
        "meta l4proto { tcp, udp } \(keyword) th dport map { 53 : 8.8.8.8, 80 : 10.1.2.3, 443 : 8.8.4.4 }"
    }
    return "\(keyword) \(address)"
  }
}
