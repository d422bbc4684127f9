import Bytecode
import Testing

/// Structures that iptables 1.8.9 does not write (it has native expressions or newer revisions for
/// them), laid out by hand after `linux/netfilter/xt_*.h`.
struct ExtensionStructureTests {
  /// Numbers in host order, least significant byte first, padded with zeros to `count` bytes.
  static func bytes(_ parts: [UInt8]..., count: Int) -> [UInt8] {
    let all = parts.flatMap(\.self)
    return all + [UInt8](repeating: 0, count: count - all.count)
  }

  static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 0xff) } }
  static func half(_ value: UInt16) -> [UInt8] { [UInt8(value & 0xff), UInt8(value >> 8)] }

  struct Case: Sendable {
    var name: String
    var revision: UInt32 = 0
    var info: [UInt8]
    var value: MatchValue
  }

  /// `xt_conntrack_mtinfo1` and `2`: addresses, expiry, protocol, ports in network order, flags.
  static func conntrack(_ masks: [UInt8], count: Int) -> [UInt8] {
    let addresses = [UInt8](repeating: 0, count: 128)
    let ports: [UInt8] = [0, 80, 0, 81, 0, 82, 0, 83]
    return bytes(
      addresses, word(0), word(0), half(6), ports, half(1 | 2 | 0x100), half(1), masks,
      count: count)
  }

  static let cases: [Case] = [
    Case(
      name: "state", info: bytes(word(2 | 64), count: 8),
      value: .conntrack(ConntrackMatch(states: 2 | 64))),
    Case(
      name: "conntrack", revision: 1, info: conntrack([0x42, 0], count: 152),
      value: .conntrack(
        ConntrackMatch(
          states: 2 | 128, protocolNumber: 6, originalSourcePorts: 80...80, inverted: .states))),
    Case(
      name: "conntrack", revision: 2, info: conntrack([0x02, 0x01, 0, 0], count: 160),
      value: .conntrack(
        ConntrackMatch(
          states: 2 | 64, protocolNumber: 6, originalSourcePorts: 80...80, inverted: .states))),
    Case(
      name: "mark", revision: 1, info: bytes(word(5), word(0xff), [1], count: 16),
      value: .mark(MaskedMark(5, mask: 0xff, isInverted: true))),
    Case(
      name: "limit", info: bytes(word(2000), word(5), count: 40),
      value: .limit(averageTicks: 2000, burst: 5)),
    Case(
      name: "udp", info: bytes(half(53), half(54), half(0), half(65535), [2], count: 16),
      value: .udp(TransportMatch(sourcePorts: 53...54, isDestinationInverted: true))),
    Case(
      name: "addrtype", info: bytes(half(4), half(0), word(1), word(0), count: 16),
      value: .addressType(AddressTypeMatch(source: 4, isSourceInverted: true))),
    Case(
      name: "multiport", info: bytes([1, 2], half(22), half(80), count: 32),
      value: .multiport(MultiportMatch(end: .destination, ports: [22...22, 80...80]))),
    Case(
      name: "set", revision: 1, info: bytes(half(3), [2, 1 | 2], count: 8),
      value: .addressSet(
        AddressSetMatch(index: 3, dimensions: 2, sources: 2, isInverted: true))),
    Case(
      name: "set", revision: 3,
      info: bytes(
        half(3), [1, 0, 0, 0, 0, 0], word(4), word(0), word(9), word(0), word(0), word(0), word(0),
        word(0), word(7), count: 48),
      value: .addressSet(
        AddressSetMatch(
          index: 3, dimensions: 1, sources: 0,
          counters: [CounterCondition(isBytes: false, operation: 4, value: 9)], flags: 7))),
    Case(
      name: "cgroup", info: bytes(word(5), word(1), count: 8),
      value: .cgroup(.classID(5, isInverted: true))),
    Case(
      name: "cgroup", revision: 1, info: bytes([1, 0, 1, 0], Array("a/b".utf8), count: 4112),
      value: .cgroup(.path("a/b", isInverted: true))),
  ]

  @Test(arguments: cases.indices)
  func `a structure reads as its fields`(index: Int) {
    let item = Self.cases[index]
    let match = ExtensionMatch(item.name, revision: item.revision, info: item.info)
    #expect(match.value(in: .ip) == item.value)
  }

  @Test(arguments: cases.indices)
  func `a structure of another length or revision is unknown`(index: Int) {
    let item = Self.cases[index]
    for info in [item.info + [UInt8](repeating: 0, count: 8), item.info.dropLast(8), []] {
      let match = ExtensionMatch(item.name, revision: item.revision, info: info)
      #expect(match.value(in: .ip) == nil)
    }
    let match = ExtensionMatch(item.name, revision: 99, info: item.info)
    #expect(match.value(in: .ip) == nil)
  }

  @Test func `unknown bits and impossible ranges are unknown`() {
    func isUnknown(_ name: String, _ revision: UInt32, _ info: [UInt8]) -> Bool {
      ExtensionMatch(name, revision: revision, info: info).value(in: .ip) == nil
    }
    #expect(isUnknown("state", 0, Self.bytes(Self.word(0x80), count: 8)))
    #expect(isUnknown("addrtype", 1, Self.bytes(Self.half(1), Self.half(1), [16], count: 8)))
    #expect(isUnknown("multiport", 1, Self.bytes([3, 1], count: 48)))
    #expect(isUnknown("multiport", 1, Self.bytes([1, 16], count: 48)))
    #expect(isUnknown("udp", 0, Self.bytes(Self.half(2), Self.half(1), count: 16)))
    #expect(isUnknown("owner", 1, Self.bytes([UInt8](repeating: 0, count: 16), [16], count: 24)))
    #expect(isUnknown("comment", 0, [UInt8](repeating: 0x41, count: 256)))
    #expect(isUnknown("statistic", 0, Self.bytes([2], count: 24)))
    #expect(isUnknown("recent", 1, Self.bytes(count: 232)))
  }

  @Test func `targets of older revisions read as their fields, others are unknown`() {
    func value(
      _ name: String, _ revision: UInt32, _ info: [UInt8], _ family: TableFamily = .ip
    ) -> TargetValue? {
      ExtensionTarget(name, revision: revision, info: info).value(in: family)
    }
    #expect(value("NOTRACK", 0, []) == .notrack)
    #expect(value("TRACE", 0, []) == .trace)
    #expect(value("NOTRACK", 0, [0, 0, 0, 0, 0, 0, 0, 0]) == nil)
    // nf_nat_range: flags, both addresses, both ports in network order.
    let address: [UInt8] = [10, 0, 0, 1] + [UInt8](repeating: 0, count: 12)
    let range = Self.bytes(Self.word(3), address, address, [0, 80, 0, 81], count: 40)
    let target = TranslationTarget(
      addresses: AddressRange([10, 0, 0, 1], [10, 0, 0, 1]), ports: 80...81)
    #expect(value("DNAT", 1, range) == .destinationNAT(target))
    #expect(value("SNAT", 1, range) == .sourceNAT(target))
    #expect(value("DNAT", 0, range) == nil)
    #expect(value("DNAT", 1, range, .bridge) == nil)
    #expect(value("DNAT", 1, Self.bytes(Self.word(0x80), count: 40)) == nil)
    // xt_nflog_info: length, group, threshold, flags, padding, prefix.
    let log = Self.bytes(
      Self.word(50), Self.half(5), Self.half(3), Self.half(1), Self.half(0), Array("x".utf8),
      count: 80)
    #expect(
      value("NFLOG", 0, log) == .nflog(group: 5, prefix: "x", lengthBytes: 50, threshold: 3))
    #expect(value("REJECT", 0, Self.bytes(Self.word(4), count: 8)) == nil)
    #expect(value("REJECT", 0, Self.bytes(Self.word(7), count: 8)) == .reject(.tcpReset))
    #expect(value("HMARK", 0, Self.bytes(count: 64)) == nil)
  }
}
