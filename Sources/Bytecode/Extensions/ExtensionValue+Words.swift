import NetworkTypes

extension MatchValue {
  /// The match in words, as ``Rule/readable(in:)`` shows it; the options are those of iptables.
  var words: String {
    switch self {
    case .comment(let text): "/* \(text) */"
    case .conntrack(let match): match.words
    case .addressType(let match):
      "xt addrtype" + typeWords("src-type", match.source, match.isSourceInverted)
        + typeWords("dst-type", match.destination, match.isDestinationInverted)
        + (match.limitsToInput ? " limit-iface-in" : "")
        + (match.limitsToOutput ? " limit-iface-out" : "")
    case .multiport(let match):
      "xt multiport\(not(match.isInverted)) "
        + "\(["sports", "dports", "ports"][Int(match.end.rawValue)]) "
        + match.ports.map(Self.range).joined(separator: ",")
    case .owner(let match):
      "xt owner"
        + (match.users.map { "\(not(match.areUsersInverted)) uid \(Self.range($0))" } ?? "")
        + (match.groups.map { "\(not(match.areGroupsInverted)) gid \(Self.range($0))" } ?? "")
        + (match.includesSupplementary ? " suppl-groups" : "")
        + (match.socketExists.map { "\(not(!$0)) socket-exists" } ?? "")
    case .mark(let mark): "xt mark\(mark.words)"
    case .connmark(let mark): "xt connmark\(mark.words)"
    case .limit(let ticks, let burst): "xt limit one in \(ticks) of 0.1 ms burst \(burst)"
    case .tcp(let match): "xt tcp\(match.words)"
    case .udp(let match): "xt udp\(match.words)"
    case .icmp(let match): "xt icmp\(match.words)"
    case .icmpv6(let match): "xt icmp6\(match.words)"
    case .addressRange(let match):
      "xt iprange" + rangeWords("src-range", match.source, match.isSourceInverted)
        + rangeWords("dst-range", match.destination, match.isDestinationInverted)
    case .hardwareAddress(let match):
      "xt mac\(not(match.isInverted)) source "
        + match.address.map { $0 < 16 ? "0\(String($0, radix: 16))" : String($0, radix: 16) }
        .joined(separator: ":")
    case .addressSet(let match):
      "xt set\(not(match.isInverted)) number \(match.index) "
        + (0..<match.dimensions).map { match.sources & 1 << ($0 + 1) != 0 ? "src" : "dst" }
        .joined(separator: ",") + (match.counters.isEmpty ? "" : " with counters")
    case .bridgePort(let match): "xt physdev asks \(match.asked) not \(match.inverted)"
    case .length(let range, let isInverted): "xt length\(not(isInverted)) \(Self.range(range))"
    case .packetType(let type, let isInverted): "xt pkttype\(not(isInverted)) \(type)"
    case .hopLimit(let limit, let comparison):
      "xt ttl \(["==", "!=", "<", ">"][Int(comparison)]) \(limit)"
    case .routingHeader(let isAny): isAny ? "xt rt" : "xt rt of some kind"
    case .deviceGroup(let match):
      "xt devgroup" + (match.input.map { " src-group\($0.words)" } ?? "")
        + (match.output.map { " dst-group\($0.words)" } ?? "")
    case .random(let probability, let isInverted):
      "xt statistic\(not(isInverted)) random \(probability) of 2147483648"
    case .everyNth(let every, let packet, let isInverted):
      "xt statistic\(not(isInverted)) every \(every) packet \(packet)"
    case .cgroup(.classID(let number, let isInverted)): "xt cgroup\(not(isInverted)) \(number)"
    case .cgroup(.path(let path, let isInverted)): "xt cgroup\(not(isInverted)) path \"\(path)\""
    }
  }

  private static func range<Bound>(_ range: ClosedRange<Bound>) -> String {
    range.lowerBound == range.upperBound
      ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
  }

  private func typeWords(_ word: String, _ types: UInt16?, _ isInverted: Bool) -> String {
    guard let types else { return "" }
    let names = ValueType.addressType.words.filter { types & 1 << UInt16($0.number) != 0 }
    return "\(not(isInverted)) \(word) \(names.map(\.word).joined(separator: ","))"
  }

  private func rangeWords(_ word: String, _ range: AddressRange?, _ isInverted: Bool) -> String {
    range.map { "\(not(isInverted)) \(word) \($0.words)" } ?? ""
  }
}

private func not(_ isInverted: Bool) -> String { isInverted ? " !" : "" }

private func address(_ bytes: [UInt8]) -> String {
  IPAddress(networkOrderBytes: bytes)?.description ?? "\(bytes)"
}

extension AddressRange {
  fileprivate var words: String {
    first == last ? address(first) : "\(address(first))-\(address(last))"
  }
}

extension MaskedMark {
  fileprivate var words: String {
    "\(not(isInverted)) 0x\(String(value, radix: 16))"
      + (mask == .max ? "" : "/0x\(String(mask, radix: 16))")
  }
}

extension ICMPMatch {
  fileprivate var words: String {
    "\(not(isInverted)) type \(type)"
      + (codes == 0...255 ? "" : " code \(codes.lowerBound)-\(codes.upperBound)")
  }
}

extension TransportMatch {
  fileprivate var words: String {
    var text = ""
    if sourcePorts != 0...65535 || isSourceInverted {
      text += "\(not(isSourceInverted)) sport \(sourcePorts.lowerBound)-\(sourcePorts.upperBound)"
    }
    if destinationPorts != 0...65535 || isDestinationInverted {
      text +=
        "\(not(isDestinationInverted)) dport "
        + "\(destinationPorts.lowerBound)-\(destinationPorts.upperBound)"
    }
    if option != 0 { text += "\(not(isOptionInverted)) option \(option)" }
    if flagMask != 0 {
      text +=
        "\(not(areFlagsInverted)) flags 0x\(String(flags, radix: 16))"
        + "/0x\(String(flagMask, radix: 16))"
    }
    return text
  }
}

extension ConntrackMatch {
  fileprivate var words: String {
    func word(_ field: ConntrackMatchFields, _ name: String, _ value: String?) -> String {
      value.map { "\(not(inverted.contains(field))) \(name) \($0)" } ?? ""
    }
    func ports(_ range: ClosedRange<UInt16>?) -> String? {
      range.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
    }
    func masked(_ value: MaskedAddress?) -> String? {
      value.map { item in
        item.mask.allSatisfy { $0 == 255 }
          ? address(item.address) : "\(address(item.address))/\(address(item.mask))"
      }
    }
    let stateWords = states.map { bits in
      [
        (1, "invalid"), (2, "established"), (4, "related"), (8, "new"), (64, "untracked"),
        (128, "snat"), (256, "dnat"),
      ].filter { bits & $0.0 != 0 }.map(\.1).joined(separator: ",")
    }
    return "xt conntrack" + word(.states, "state", stateWords)
      + word(.protocolNumber, "proto", protocolNumber.map(String.init))
      + word(.originalSource, "orig src", masked(originalSource))
      + word(.originalDestination, "orig dst", masked(originalDestination))
      + word(.replySource, "reply src", masked(replySource))
      + word(.replyDestination, "reply dst", masked(replyDestination))
      + word(.originalSourcePorts, "orig sport", ports(originalSourcePorts))
      + word(.originalDestinationPorts, "orig dport", ports(originalDestinationPorts))
      + word(.replySourcePorts, "reply sport", ports(replySourcePorts))
      + word(.replyDestinationPorts, "reply dport", ports(replyDestinationPorts))
      + word(.status, "status", status.map { "0x\(String($0, radix: 16))" })
      + word(.expiry, "expires", expirySeconds.map { "\($0.lowerBound)-\($0.upperBound)s" })
      + (isReply.map { $0 ? " direction reply" : " direction original" } ?? "")
  }
}

extension TargetValue {
  /// The target in words, as ``Rule/readable(in:)`` shows it.
  var words: String {
    switch self {
    case .reject(.tcpReset): "xt REJECT with tcp reset"
    case .reject(.icmp(let type, let code)): "xt REJECT with icmp type \(type) code \(code)"
    case .log(_, _, let prefix): "xt LOG prefix \"\(prefix)\""
    case .nflog(let group, let prefix, _, _): "xt NFLOG group \(group) prefix \"\(prefix)\""
    case .mark(let value, let mask):
      "xt MARK set 0x\(String(value, radix: 16))/0x\(String(mask, radix: 16))"
    case .connmark(let target):
      "xt CONNMARK \(["set", "save", "restore"][Int(target.mode)]) "
        + "0x\(String(target.value, radix: 16)) flow mask 0x\(String(target.flowMask, radix: 16)) "
        + "packet mask 0x\(String(target.packetMask, radix: 16))"
        + (target.shift == 0 ? "" : " shift \(target.shift)")
    case .destinationNAT(let target): "xt DNAT\(target.words)"
    case .sourceNAT(let target): "xt SNAT\(target.words)"
    case .masquerade(let target): "xt MASQUERADE\(target.words)"
    case .redirect(let target): "xt REDIRECT\(target.words)"
    case .netmap(let target): "xt NETMAP\(target.words)"
    case .ct(let target):
      "xt CT\(target.isNotrack ? " notrack" : "")"
        + (target.zone == 0 && target.zoneFlags == 0
          ? "" : " zone \(target.zone) flags \(target.zoneFlags)")
        + (target.helper.isEmpty ? "" : " helper \(target.helper)")
        + (target.timeout.isEmpty ? "" : " timeout \(target.timeout)")
    case .notrack: "xt NOTRACK"
    case .tcpMSS(let size): "xt TCPMSS \(size.map(String.init) ?? "of the path")"
    case .classify(let priority): "xt CLASSIFY 0x\(String(priority, radix: 16))"
    case .queue(let number, let total, let flags):
      "xt NFQUEUE \(number)\(total > 1 ? " of \(total)" : "")\(flags & 1 != 0 ? " bypass" : "")"
    case .checksum: "xt CHECKSUM"
    case .trace: "xt TRACE"
    }
  }
}

extension TranslationTarget {
  fileprivate var words: String {
    (addresses.map { " to \($0.words)" } ?? "")
      + (ports.map { " port \($0.lowerBound)-\($0.upperBound)" } ?? "")
      + (basePort.map { " base \($0)" } ?? "")
      + (flags.isEmpty ? "" : " flags \(flags.rawValue)")
  }
}
