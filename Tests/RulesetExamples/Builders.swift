package import Bytecode

/// Short spellings of the expressions that nft(8) makes for common statements.
extension [Expression] {
  static var first: Register { Register(word: 0) }

  package static func meta(_ key: MetaKey, _ value: [UInt8]) -> [Expression] {
    [.meta(MetaLoad(key, into: first)), .compare(Compare(first, .equal, value))]
  }

  package static var ipv4: [Expression] { meta(.nfproto, [2]) }
  package static var ipv6: [Expression] { meta(.nfproto, [10]) }

  package static func transport(_ number: UInt8) -> [Expression] { meta(.l4proto, [number]) }

  package static func load(
    _ base: PayloadBase, _ offset: UInt32, _ length: UInt32, into register: Int = 0
  ) -> [Expression] {
    let target = Register(word: register)
    return [.payload(PayloadLoad(base, offsetBytes: offset, lengthBytes: length, into: target))]
  }

  package static func compare(_ operation: CompareOperator, _ value: [UInt8]) -> [Expression] {
    [.compare(Compare(first, operation, value))]
  }

  package static func mask(_ mask: [UInt8]) -> [Expression] {
    [.bitwise(Bitwise(source: first, destination: first, mask: mask))]
  }

  package static func isIn(_ set: String, isInverted: Bool = false) -> [Expression] {
    [.lookup(Lookup(first, in: set, isInverted: isInverted))]
  }

  package static func vmap(_ set: String) -> [Expression] {
    [.lookup(Lookup(first, in: set, destination: .verdict))]
  }

  package static func verdict(_ verdict: Verdict) -> [Expression] {
    [.immediate(.verdict(verdict))]
  }

  package static func goto(_ chain: String) -> [Expression] { verdict(.goto(chain)) }

  package static var accept: [Expression] { verdict(.accept) }
  package static var drop: [Expression] { verdict(.drop) }

  /// `exthdr … exists`, by the header's number.
  package static func extensionHeader(_ type: UInt8) -> [Expression] {
    let load = ExtensionHeaderLoad(
      operation: 0, type: type, offsetBytes: 0, lengthBytes: 1, isPresence: true, into: first)
    return ipv6 + [.extensionHeader(load)] + compare(.equal, [1])
  }

  /// `ct state …`, any of the bits.
  package static func ctState(_ bits: UInt8) -> [Expression] {
    [.ct(ConntrackLoad(.state, into: first))] + mask([bits, 0, 0, 0])
      + compare(.notEqual, [0, 0, 0, 0])
  }

  /// `fib daddr type …`.
  package static func destinationType(_ number: UInt8) -> [Expression] {
    [.fib(FibLoad(result: 3, flags: 2, into: first))] + compare(.equal, [number, 0, 0, 0])
  }
}

extension SetElement {
  /// A key, or a range of keys, with a verdict.
  package static func key(
    _ low: [UInt8], _ high: [UInt8]? = nil, _ verdict: Verdict? = nil, comment: String? = nil
  ) -> SetElement {
    SetElement(key: low, keyEnd: high, verdict: verdict, comment: comment)
  }

  /// The key of the dispatch map: family, conntrack state and protocol, padded.
  package static func dispatch(
    _ family: UInt8, _ state: ConntrackState, _ number: UInt8, _ verdict: Verdict
  ) -> SetElement {
    let key = [family, 0, 0, 0, UInt8(state.rawValue), 0, 0, 0, number, 0, 0, 0]
    return SetElement(key: key, verdict: verdict)
  }
}
