import Bytecode
import NetworkTypes
import PacketSets

/// Loads of facts about a packet.
extension SymbolicAnalyzer {
  /// The bits of a field after the rule's own changes.
  func bits(_ field: PacketField, _ count: Int, _ path: RulePath) -> [Bit] {
    let plain = [Bit].field(field, count)
    guard let change = path.change.fields.changes[field] else { return plain }
    switch change {
    case .among(let values) where values.first == values.last:
      return (0..<count).reversed().map { .constant(values.first >> UInt32($0) & 1 == 1) }
    case .among:
      return .opaque(count, path.change.causes.first ?? cause("a changed field"))
    case .bits(let keep, let flip):
      return plain.enumerated().map { index, bit in
        let place = UInt32(count - 1 - index)
        let kept = keep >> place & 1 == 1 ? bit : .zero
        return flip >> place & 1 == 1 ? kept.flipped : kept
      }
    }
  }

  private func bits(_ fields: [PacketField], _ count: Int, _ path: RulePath) -> [Bit] {
    fields.flatMap { bits($0, count, path) }
  }

  private func tableBits(_ index: UInt16, _ count: Int) -> [Bit] {
    (0..<count).map { .table(index, UInt8($0), isFlipped: false) }
  }

  private func everywhere(_ bits: [Bit]) -> [LoadCase] {
    [LoadCase(packets: .everything, bits: bits)]
  }

  /// Bits where a fact is there, a break where it is not.
  private mutating func where_(
    _ field: PacketField, _ values: ClosedRange<UInt32>, _ bits: [Bit], mayBreak: Int32? = nil
  ) throws(PacketSetError) -> [LoadCase] {
    let there = try diagrams.set(
      field, IntervalSet([Interval(values.lowerBound, values.upperBound)]))
    return [
      LoadCase(packets: there, bits: bits, mayBreak: mayBreak),
      LoadCase(packets: try diagrams.complement(there), bits: nil),
    ]
  }

  /// Source: `nft_meta_get_eval`, `net/netfilter/nft_meta.c`.
  mutating func loads(
    _ load: MetaLoad, _ path: RulePath, _ context: EvaluationContext
  ) throws(PacketSetError) -> [LoadCase] {
    switch load.key {
    case .nfproto: return everywhere(tableBits(1, 8))
    case .protocol: return everywhere(tableBits(2, 16))
    case .l4proto:
      return try where_(.transportProtocol, 0...255, .field(.transportProtocol, 8))
    case .mark: return everywhere(bits(PacketField.mark, 4, path).swapped)
    case .iif, .iifname:
      let length = load.key == .iif ? 32 : 128
      if context.hook == .output { return everywhere(.zeros(length)) }
      return everywhere(tableBits(load.key == .iif ? 4 : 5, length))
    case .oif, .oifname:
      let length = load.key == .oif ? 32 : 128
      if context.hook == .prerouting || context.hook == .input {
        return everywhere(.zeros(length))
      }
      return everywhere(tableBits(load.key == .oif ? 6 : 7, length))
    case .skuid: return try where_(.socket, 1...1, [Bit].field(.socketUser, 32).swapped)
    case .skgid: return try where_(.socket, 1...1, [Bit].field(.socketGroup, 32).swapped)
    case .pkttype: return everywhere(.field(.packetType, 8))
    default: return othersLoads(load, context)
    }
  }

  /// Keys that are not followed: their values are not known, and some may be absent.
  private func othersLoads(_ load: MetaLoad, _ context: EvaluationContext) -> [LoadCase] {
    let why = cause("meta \(load.key.keyword)")
    let bits = [Bit].opaque(load.key.lengthBytes * 8, why)
    switch load.key {
    case .length, .priority, .nftrace, .random, .cpu, .time, .day, .hour, .secmark, .secpath:
      return everywhere(bits)
    case .iiftype where context.hook == .output, .iifgroup where context.hook == .output,
      .iifkind where context.hook == .output:
      return [LoadCase(packets: .everything, bits: nil)]
    default:
      return [LoadCase(packets: .everything, bits: bits, mayBreak: why)]
    }
  }

  /// Source: `nft_ct_get_eval`, `net/netfilter/nft_ct.c`.
  mutating func loads(
    _ load: ConntrackLoad, _ path: RulePath, _ context: EvaluationContext
  ) throws(PacketSetError) -> [LoadCase] {
    if context.isBeforeConntrack {
      guard load.key == .state else { return [LoadCase(packets: .everything, bits: nil)] }
      if path.change.fields.changes[.conntrackState] != nil {
        return everywhere(.init(bytes: tables[0].rows[4]))
      }
      let early = try statesBeforeConntrack()
      return [
        LoadCase(packets: early.invalid, bits: .init(bytes: tables[0].rows[0])),
        LoadCase(packets: early.untracked, bits: .init(bytes: tables[0].rows[4])),
        LoadCase(packets: early.either, bits: .opaque(32, cause(Self.exemption))),
      ]
    }
    switch load.key {
    case .state:
      guard let change = path.change.fields.changes[.conntrackState] else {
        return everywhere(tableBits(0, 32))
      }
      if case .among(let values) = change, values.first == values.last {
        return everywhere([Bit](bytes: tables[0].rows[Int(values.first)]))
      }
      return everywhere(.opaque(32, cause("the state of a flow that a rule changed")))
    case .direction:
      return try where_(.conntrackState, 1...3, .zeros(7) + .field(.conntrackDirection, 1))
    case .status:
      let status = .zeros(16) + bits(PacketField.conntrackStatus, 4, path)
      return try where_(.conntrackState, 1...3, status.swapped)
    case .mark:
      return try where_(
        .conntrackState, 1...3, bits(PacketField.conntrackMark, 4, path).swapped)
    default:
      let why = cause("ct \(load.key.keyword)")
      return try where_(
        .conntrackState, 1...3, .opaque(load.key.lengthBytes * 8, why), mayBreak: why)
    }
  }

  /// What rules ahead of conntrack see: no state, but for packets that a rule has exempted.
  ///
  /// Neighbour discovery ends up untracked whether a rule said so or not.
  mutating func statesBeforeConntrack() throws(PacketSetError) -> (
    invalid: Diagram, untracked: Diagram, either: Diagram
  ) {
    let exempt = try diagrams.set(.conntrackState, 4)
    let either = try diagrams.intersection(exempt, discovery())
    return (
      try diagrams.complement(exempt), try diagrams.difference(exempt, either), either
    )
  }

  /// Why the state of a packet ahead of conntrack is not known.
  static var exemption: String { "whether a rule exempted neighbour discovery from tracking" }

  /// Source: `nft_exthdr_ipv6_eval`, `nft_exthdr_ipv4_eval`, `net/netfilter/nft_exthdr.c`.
  mutating func loads(
    _ load: ExtensionHeaderLoad
  ) throws(PacketSetError) -> [LoadCase] {
    let length = Int(load.lengthBytes) * 8
    guard load.operation == 0 else {
      let why = cause("an option of a header")
      guard load.operation == 2 else {
        let bits: [Bit] = load.isPresence ? .zeros(7) + [.opaque(why)] : .opaque(length, why)
        return [
          LoadCase(packets: .everything, bits: bits, mayBreak: load.isPresence ? nil : why)
        ]
      }
      let bits: [Bit] = load.isPresence ? .zeros(7) + [.opaque(why)] : .opaque(length, why)
      return try where_(.family, 0...0, bits, mayBreak: load.isPresence ? nil : why)
    }
    if load.isPresence {
      switch load.type {
      case 43: return try where_(.family, 1...1, .zeros(7) + .field(.routingHeader, 1))
      case 44:
        return try where_(.family, 1...1, .zeros(7) + .field(.fragment, 1, from: 15))
      case 0: return try hopByHopPresence()
      default:
        let why = cause("the IPv6 extension header \(load.type)")
        return try where_(.family, 1...1, .zeros(7) + [.opaque(why)])
      }
    }
    let why = cause("the content of the IPv6 extension header \(load.type)")
    return try where_(.family, 1...1, .opaque(length, why), mayBreak: why)
  }

  /// Whether there are hop-by-hop options: where they belong, or hidden behind another header.
  private mutating func hopByHopPresence() throws(PacketSetError) -> [LoadCase] {
    let isIPv6 = try diagrams.set(.family, 1)
    let hiding = try diagrams.set(
      .firstNextHeader, IntervalSet([43, 44, 51, 60].map { Interval($0, $0) }))
    let isCut = try diagrams.set(.transportProtocol, 256)
    let sure = try diagrams.difference(isIPv6, diagrams.union(hiding, isCut))
    let why = cause("hop-by-hop options behind another header")
    return [
      LoadCase(packets: sure, bits: tableBits(3, 8)),
      LoadCase(
        packets: try diagrams.difference(isIPv6, sure), bits: .zeros(7) + [.opaque(why)]),
      LoadCase(packets: try diagrams.complement(isIPv6), bits: nil),
    ]
  }

  /// Source: `net/netfilter/nft_fib.c`.
  mutating func loads(
    _ load: FibLoad, _ path: RulePath
  ) throws(PacketSetError) -> [LoadCase] {
    if load.result == 3 && (load.flags == 1 || load.flags == 2) {
      let field: PacketField = load.flags == 1 ? .sourceType : .destinationType
      return everywhere((.zeros(24) + bits(field, 8, path)).swapped)
    }
    let why = cause("a route")
    if load.flags & 32 != 0 { return everywhere(.zeros(7) + [.opaque(why)]) }
    return everywhere(.opaque(load.result == 2 ? 128 : 32, why))
  }
}
