/// What stands on the left of a match: something that can be read from a packet.
struct Selector: Hashable {
  enum Source: Hashable {
    case meta(MetaKey)
    case ct(ConntrackKey)
    case header(HeaderField)
    case raw(PayloadLoad)
    /// `exthdr rt`, `ip option lsrr`, `tcp option maxseg`: the presence of a header or option.
    case presence(group: String, name: String)
    /// `fib daddr type`, with the flags' words.
    case addressType([String])
    /// Words of ``Rule/readable(in:)`` that are no text to load.
    case phrase(String)
  }

  let source: Source
  let type: ValueType
  let lengthBytes: Int
}

/// How a match compares.
enum Relation: String, Hashable {
  /// Equality, or any bit of a bitmask; written as nothing.
  case implicit = ""
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  /// No bit of a bitmask; written `!`.
  case none = "!"
}

/// What stands on the right of a match.
enum Operand: Hashable {
  case value([UInt8])
  case range([UInt8], [UInt8])
  case prefix([UInt8], length: Int)
  /// Named bits, as `syn,ack`.
  case bits(UInt64)
  /// Named bits under a mask, as `syn / syn,ack`.
  case maskedBits(value: UInt64, mask: UInt64)
  case set(NamedSet)
  case presence(Bool)
  /// An interface name of which only the beginning counts, as `"eth*"`.
  case namePrefix([UInt8])
}

/// One statement of a rule as nft(8) writes it.
enum Statement: Hashable {
  case match(Selector, mask: [UInt8]?, Relation, Operand)
  case concatenatedMatch([Selector], isInverted: Bool, NamedSet)
  /// A verdict by lookup; a mask only with one field.
  case verdictMap([Selector], mask: [UInt8]?, NamedSet)
  case metaSet(MetaKey, [UInt8])
  case metaSetFromMap(MetaKey, [Selector], NamedSet)
  case counter(Counter)
  case namedCounter(String)
  case namedTimeout(String)
  case limit(Limit)
  case log(Log)
  case reject(Reject, family: UInt8?)
  case redirect(port: UInt16?)
  case verdict(Verdict)
  /// Words of ``Rule/readable(in:)`` that are no text to load.
  case phrase(String)
}

extension Statement {
  /// What it reads of the packet.
  var selectors: [Selector] {
    switch self {
    case .match(let selector, _, _, _): [selector]
    case .concatenatedMatch(let selectors, _, _), .verdictMap(let selectors, _, _),
      .metaSetFromMap(_, let selectors, _):
      selectors
    default: []
    }
  }
}
