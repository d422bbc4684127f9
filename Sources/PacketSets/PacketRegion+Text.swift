import NetworkTypes

extension PacketRegion: CustomStringConvertible {
  /// One line, in nft(8)'s words where it has them, at most four values a field.
  ///
  /// Example: `ipv4, new, tcp, to 10.0.0.0/8, dport 25, 465`.
  public var description: String {
    var parts: [String] = []
    var done: Set<PacketField> = []
    for constraint in fields where !done.contains(constraint.field) {
      let field = constraint.field
      if let words = [PacketField.destination, PacketField.source].first(where: {
        $0.contains(field)
      }) {
        done.formUnion(words)
        let side = words == PacketField.destination ? "to" : "from"
        parts.append("\(side) \(addresses(words))")
        continue
      }
      for nibbles in [PacketField.mark, PacketField.conntrackMark, PacketField.conntrackStatus]
      where nibbles.contains(field) {
        done.formUnion(nibbles)
        parts.append("\(field.label) \(bits(nibbles))")
      }
      if !done.contains(field) { parts.append(text(constraint)) }
    }
    return parts.isEmpty ? "any packet" : parts.joined(separator: ", ")
  }

  private func text(_ constraint: Constraint) -> String {
    let field = constraint.field
    let names = field.valueNames
    let values = listed(constraint.values) { value in names[value] ?? "\(value)" }
    return field.label.isEmpty ? values : "\(field.label) \(values)"
  }

  private func listed(
    _ set: IntervalSet<UInt32>, _ name: (UInt32) -> String
  ) -> String {
    var items = set.intervals.prefix(4).map {
      $0.first == $0.last ? name($0.first) : "\(name($0.first))-\(name($0.last))"
    }
    if set.intervals.count > 4 { items.append("\(set.intervals.count - 4) more") }
    return items.joined(separator: ", ")
  }

  /// Four-bit fields as hexadecimal digits, `x` for any and `?` for some.
  private func bits(_ nibbles: [PacketField]) -> String {
    "0x"
      + nibbles.map { field in
        guard let values = self[field], let first = values.intervals.first else { return "x" }
        return values.intervals.count == 1 && first.first == first.last
          ? String(first.first, radix: 16) : "?"
      }.joined()
  }

  private func addresses(_ words: [PacketField]) -> String {
    let isIPv4 = self[.family].map { $0.intervals.last?.last == 0 } ?? false
    if isIPv4 {
      guard let set = self[words[3]] else { return "any" }
      let blocks = set.intervals.prefix(4).map { AddressBlock.text($0) }
      let more = set.intervals.count > 4 ? ["\(set.intervals.count - 4) more"] : []
      return (blocks + more).joined(separator: ", ")
    }
    if let one = joined(words) { return AddressBlock.text(one) }
    return words.map { word in
      self[word].map { set in listed(set) { "0x" + String($0, radix: 16) } } ?? "*"
    }.joined(separator: " : ")
  }

  /// The words as one range, when they are one: exact words, one range, any word.
  private func joined(_ words: [PacketField]) -> Interval<UInt128>? {
    var first: UInt128 = 0
    var last: UInt128 = 0
    var isOpen = false
    for word in words {
      let set = self[word] ?? .full
      guard set.intervals.count == 1, let range = set.intervals.first else { return nil }
      if isOpen && (range.first != 0 || range.last != .max) { return nil }
      if range.first != range.last { isOpen = true }
      first = first << 32 | UInt128(range.first)
      last = last << 32 | UInt128(range.last)
    }
    return Interval(first, last)
  }
}

/// Ranges of addresses as prefixes where they are some.
private enum AddressBlock {
  static func text(_ range: Interval<UInt32>) -> String {
    text(UInt128(range.first), UInt128(range.last), width: 32) { .v4(UInt32($0)) }
  }

  static func text(_ range: Interval<UInt128>) -> String {
    text(range.first, range.last, width: 128) { .v6($0) }
  }

  private static func text(
    _ first: UInt128, _ last: UInt128, width: Int, _ address: (UInt128) -> IPAddress
  ) -> String {
    if first == last { return "\(address(first))" }
    let size = last - first &+ 1
    if size == 0 { return "any" }
    if size & (size - 1) == 0 && first & (size - 1) == 0 {
      return "\(address(first))/\(width - size.trailingZeroBitCount)"
    }
    return "\(address(first))-\(address(last))"
  }
}

extension PacketField {
  /// What stands before the values of a field.
  fileprivate var label: String {
    switch self {
    case .family, .conntrackState, .transportProtocol: ""
    case .conntrackDirection: "ct direction"
    case .inputInterface: "iif"
    case .outputInterface: "oif"
    case .socket: "socket"
    case .socketUser: "skuid"
    case .socketGroup: "skgid"
    case .socketCgroup: "cgroup"
    case .packetType: "pkttype"
    case .fragment: "fragment word"
    case .routingHeader: "routing header"
    case .firstNextHeader: "nexthdr"
    case .transportLength: "transport bytes"
    case .destinationType: "fib daddr type"
    case .sourceType: "fib saddr type"
    case .destinationPort: "dport"
    case .sourcePort: "sport"
    case .tcpFlags: "tcp flags"
    case .hopLimit: "hop limit"
    case .trafficClass: "traffic class"
    case .flowLabel: "flow label"
    default:
      if PacketField.mark.contains(self) {
        "mark"
      } else if PacketField.conntrackMark.contains(self) {
        "ct mark"
      } else {
        "ct status"
      }
    }
  }

  /// Words for values that have some.
  fileprivate var valueNames: [UInt32: String] {
    switch self {
    case .family: [0: "ipv4", 1: "ipv6"]
    case .conntrackState:
      [0: "invalid", 1: "established", 2: "related", 3: "new", 4: "untracked"]
    case .conntrackDirection: [0: "original", 1: "reply"]
    case .socket, .routingHeader: [0: "no", 1: "yes"]
    case .inputInterface, .outputInterface: [0: "none"]
    case .transportProtocol:
      Dictionary(
        IPProtocol.names.map { (UInt32($0.1.rawValue), $0.0) } + [(256, "no protocol")],
        uniquingKeysWith: { first, _ in first })
    case .destinationType, .sourceType:
      [1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast"]
    default: [:]
    }
  }
}
