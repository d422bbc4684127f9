public import NetworkTypes

/// One step of a traced packet through the ruleset.
///
/// Source: `nft_trace_notify`, `net/netfilter/nf_tables_trace.c`. The headers come with the first
/// event of each hook.
public struct TraceEvent: Sendable {
  /// What the step is.
  public enum Kind: UInt32, Hashable, Sendable {
    /// A base chain's policy decided.
    case policy = 1
    /// A chain was left at its end, or by a `return`.
    case `return` = 2
    /// A rule matched to its end.
    case rule = 3
  }

  /// A verdict without the chain it may lead to; see ``TraceEvent/target``.
  public enum Outcome: Hashable, Sendable {
    /// To the next base chain.
    case accept
    /// Gone; a rejection shows as this.
    case drop
    /// To the next rule.
    case `continue`
    /// To ``TraceEvent/target``, and back.
    case jump
    /// To ``TraceEvent/target``, and not back.
    case goto
    /// Back to the caller.
    case `return`
    /// Another number, as the kernel gave it: queue, stolen.
    case other(Int32)

    init(code: Int32) {
      switch code {
      case 0: self = .drop
      case 1: self = .accept
      case -1: self = .continue
      case -3: self = .jump
      case -4: self = .goto
      case -5: self = .return
      default: self = .other(code)
      }
    }
  }

  /// The packet's number: a hash, so it may repeat; match packets by their headers.
  public var identifier: UInt32 = 0
  /// What the step is.
  public var kind = Kind.rule
  /// The family whose hook the packet passes: `NFPROTO_*`, 2 or 10 for IPv4 and IPv6.
  public var nfproto: UInt8 = 0
  /// The table.
  public var table = ""
  /// The chain the packet is in.
  public var chain = ""
  /// The rule's handle; nil for policies and ends of chains.
  public var ruleHandle: UInt64?
  /// What came of the step.
  public var outcome = Outcome.continue
  /// The chain a jump or goto leads to.
  public var target: String?
  /// The network header, when this event has one: IPv4 without options or IPv6, at most 40 bytes.
  public var networkHeader = TraceHeader<40>()
  /// The transport header's beginning, when this event has one, at most 20 bytes.
  public var transportHeader = TraceHeader<20>()

  /// The sender in the network header.
  public var source: IPAddress? { address(ipv4At: 12, ipv6At: 8) }

  /// The receiver in the network header.
  public var destination: IPAddress? { address(ipv4At: 16, ipv6At: 24) }

  /// The first two bytes of the transport header, host order: TCP's or UDP's source port.
  public var sourcePort: UInt16? { transportHeader.number(at: 0) }

  /// The next two bytes of the transport header, host order: TCP's or UDP's destination port.
  public var destinationPort: UInt16? { transportHeader.number(at: 2) }

  private func address(ipv4At place4: Int, ipv6At place6: Int) -> IPAddress? {
    switch (nfproto, networkHeader.count) {
    case (2, 20...): networkHeader.number(at: place4).map(IPAddress.v4)
    case (10, 40...): networkHeader.number(at: place6).map(IPAddress.v6)
    default: nil
    }
  }
}

/// The first bytes of a header, without an allocation.
public struct TraceHeader<let capacity: Int>: Sendable {
  private var storage = InlineArray<capacity, UInt8>(repeating: 0)
  /// How many bytes there are.
  public private(set) var count = 0

  init() {}

  /// Copies as much of the bytes as fits.
  init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    count = min(range.count, capacity)
    for index in 0..<count { storage[index] = bytes[range.lowerBound + index] }
  }

  /// One byte; nil past the end.
  public func byte(at offset: Int) -> UInt8? {
    (0..<count).contains(offset) ? storage[offset] : nil
  }

  /// A number in network order; nil past the end.
  public func number<Number: FixedWidthInteger & UnsignedInteger>(at offset: Int) -> Number? {
    let bytes = MemoryLayout<Number>.size
    guard offset >= 0, offset + bytes <= count else { return nil }
    var number: Number = 0
    for index in offset..<offset + bytes { number = number << 8 | Number(storage[index]) }
    return number
  }
}
