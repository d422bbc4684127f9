import SeededRandom

/// Writes random rules of one family for `iptables-nft-restore`, about the packets of
/// ``PacketSource``.
struct RandomXtables {
  var random: SeededGenerator
  let isFour: Bool
  private var table = "filter"
  private var chain = "OUTPUT"

  init(seed: UInt64, isFour: Bool) {
    random = SeededGenerator(seed: seed &* 0x51_7cc1 &+ (isFour ? 4 : 6))
    self.isFour = isFour
  }

  private mutating func chance(_ percent: Int) -> Bool { random.next(upperBound: 100) < percent }
  private mutating func pick(_ values: [String]) -> String {
    values[random.next(upperBound: values.count)]
  }

  /// The input of `iptables-nft-restore`; empty for no rules in this family.
  mutating func text() -> String {
    var lines: [String] = []
    for (name, chains) in [
      ("raw", ["OUTPUT"]), ("mangle", ["OUTPUT", "POSTROUTING"]),
      ("nat", ["OUTPUT", "POSTROUTING"]),
      ("filter", ["OUTPUT"]),
    ] where chance(name == "filter" ? 90 : 45) {
      table = name
      lines.append("*\(name)")
      for chain in chains {
        lines.append(":\(chain) \(name != "nat" && chance(10) ? "DROP" : "ACCEPT") [0:0]")
      }
      lines.append(":user - [0:0]")
      chain = "user"
      for _ in 0..<random.next(upperBound: 3) { lines.append(rule()) }
      for own in chains {
        chain = own
        for _ in 0..<1 + random.next(upperBound: 5) { lines.append(rule()) }
      }
      lines.append("COMMIT")
    }
    return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
  }

  private mutating func rule() -> String {
    var parts = ["-A \(chain)"]
    var ipProtocol = ""
    if chance(60) {
      ipProtocol = pick(["tcp", "tcp", "udp", isFour ? "icmp" : "ipv6-icmp"])
      parts.append("-p \(ipProtocol)")
      if chance(70) { parts.append(transport(ipProtocol)) }
    }
    for _ in 0..<random.next(upperBound: 3) { parts.append(match()) }
    parts.append(target(ipProtocol))
    return parts.filter { !$0.isEmpty }.joined(separator: " ")
  }

  private mutating func transport(_ ipProtocol: String) -> String {
    let not = chance(25) ? "! " : ""
    switch ipProtocol {
    case "tcp":
      switch random.next(upperBound: 5) {
      case 0: return "-m tcp \(not)--dport \(pick(["80", "443", "1000:2000", "53"]))"
      case 1: return "-m tcp \(not)--sport \(pick(["20000:65535", "1:19999"]))"
      case 2:
        return
          "-m tcp \(not)--tcp-flags \(pick(["SYN,ACK SYN", "FIN,SYN,RST,ACK SYN", "ALL NONE"]))"
      case 3: return "-m tcp \(not)--tcp-option \(pick(["2", "3", "8", "30"]))"
      default:
        return
          "-m multiport \(not)\(pick(["--dports", "--sports", "--ports"])) \(pick(["80,443", "53,1000:2000,8080", "25"]))"
      }
    case "udp":
      if chance(40) { return "-m multiport \(not)--dports \(pick(["53,80", "1000:2000,8080"]))" }
      return "-m udp \(not)--dport \(pick(["53", "80:443", "1000:2000"]))"
    default:
      return isFour
        ? "-m icmp \(not)--icmp-type \(pick(["8", "0", "3/1", "any"]))"
        : "-m icmp6 \(not)--icmpv6-type \(pick(["128", "135", "1"]))"
    }
  }

  private mutating func match() -> String {
    let not = chance(30) ? "! " : ""
    switch random.next(upperBound: 13) {
    case 0:
      return isFour
        ? "\(not)-d \(pick(["8.8.0.0/16", "10.1.2.3", "198.51.100.0/30"]))"
        : "\(not)-d \(pick(["2001:db8::/32", "fd00::1", "2001:4860::/32"]))"
    case 1: return "\(not)-o \(pick(["eth0", "lo", "eth+"]))"
    case 2:
      return
        "-m conntrack \(not)--ctstate \(pick(["NEW", "INVALID", "NEW,ESTABLISHED", "UNTRACKED", "DNAT", "SNAT"]))"
    case 3:
      switch random.next(upperBound: 5) {
      case 0: return "-m conntrack --ctdir \(pick(["ORIGINAL", "REPLY"]))"
      case 1: return "-m conntrack \(not)--ctproto \(pick(["6", "17"]))"
      case 2: return "-m conntrack \(not)--ctstatus \(pick(["CONFIRMED", "EXPECTED,ASSURED"]))"
      case 3:
        return isFour
          ? "-m conntrack \(not)--ctorigdst \(pick(["8.8.8.8", "10.0.0.0/8"]))"
          : "-m conntrack \(not)--ctorigdst 2001:db8::/32"
      default: return "-m conntrack \(not)--ctorigdstport \(pick(["53", "80:443"]))"
      }
    case 4: return "-m state --state \(pick(["NEW", "INVALID", "ESTABLISHED,RELATED"]))"
    case 5: return "-m mark \(not)--mark \(pick(["0x0", "0x1/0x1", "0x10/0xff"]))"
    case 6: return "-m connmark \(not)--mark \(pick(["0x0", "0x1", "0x2a/0xff"]))"
    case 7:
      return
        "-m owner \(pick(["--uid-owner 0", "! --uid-owner 1000", "! --uid-owner 0", "--gid-owner 0-10", "--socket-exists", "! --socket-exists"]))"
    case 8:
      return isFour
        ? "-m iprange \(not)--dst-range \(pick(["8.8.8.0-8.8.8.9", "8.0.0.0-11.0.0.0"]))"
        : "-m iprange \(not)--dst-range 2001:db8::1-2001:db8::ffff"
    case 9:
      return
        "-m addrtype \(not)--\(pick(["dst", "src"]))-type \(pick(["LOCAL", "UNICAST", "MULTICAST"]))"
    case 10: return "-m length \(not)--length \(pick(["20:40", "48", "0:60"]))"
    case 11:
      return isFour
        ? "-m ttl --ttl-\(pick(["eq", "lt", "gt"])) \(pick(["1", "64"]))"
        : chance(40)
          ? "-m rt\(chance(30) ? " --rt-type 0" : "")"
          : "-m hl --hl-\(pick(["eq", "lt", "gt"])) \(pick(["1", "64"]))"
    default: return pick(["-m pkttype --pkt-type unicast", "-m comment --comment \"words here\""])
    }
  }

  private mutating func target(_ ipProtocol: String) -> String {
    let hasPorts = ipProtocol == "tcp" || ipProtocol == "udp"
    if table == "nat", chain == "OUTPUT", chance(60) {
      let address = isFour ? pick(["8.8.4.4", "10.1.2.3"]) : pick(["2001:db8::2", "fd00::1"])
      if !hasPorts { return chance(50) ? "-j DNAT --to-destination \(address)" : "-j REDIRECT" }
      if chance(40) { return "-j REDIRECT --to-ports \(pick(["80", "8080"]))" }
      let target = isFour ? address : "[\(address)]"
      return "-j DNAT --to-destination \(target):\(pick(["53", "8080", "1000-2000"]))"
    }
    if table == "nat", chain == "POSTROUTING", chance(60) {
      if chance(40) { return "-j MASQUERADE" }
      return "-j SNAT --to-source \(isFour ? "198.18.77.200" : "2001:db8:77::200")"
    }
    switch random.next(upperBound: 12) {
    case 0, 1: return "-j ACCEPT"
    case 2 where table != "nat": return "-j DROP"
    case 3: return "-j RETURN"
    case 4 where chain != "user": return "\(pick(["-j", "-g"])) user"
    case 5 where table == "filter":
      return ipProtocol == "tcp" && chance(50) ? "-j REJECT --reject-with tcp-reset" : "-j REJECT"
    case 6 where table == "mangle":
      return
        "-j MARK \(pick(["--set-mark 0x1", "--set-xmark 0x10/0xf0", "--or-mark 0x2", "--and-mark 0xfe", "--xor-mark 0x3"]))"
    case 7 where table == "mangle":
      return
        "-j CONNMARK \(pick(["--set-xmark 0x2a/0xff", "--save-mark", "--restore-mark", "--save-mark --nfmask 0xf --ctmask 0xff", "--set-mark 0x1"]))"
    case 8 where table == "mangle": return "-j CLASSIFY --set-class 1:2"
    case 9 where table == "raw": return "-j CT --notrack"
    case 10: return "-j NFLOG --nflog-group 5"
    default: return ""
    }
  }
}
