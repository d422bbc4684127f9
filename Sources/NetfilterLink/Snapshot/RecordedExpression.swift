import Bytecode
import CNetfilter

/// One expression of a recorded rule, as far as loading it elsewhere needs to know it.
struct RecordedExpression {
  /// A set or chain that an expression names, and that may be anonymous.
  struct Reference {
    enum Kind {
      case set
      case chain
    }

    var kind: Kind
    var name: String
  }

  /// How an expression names a set: the attribute of the name, and that of the number.
  private static let setAttributes: [String: (name: Int, identifier: Int)] = [
    "lookup": (Int(NFTA_LOOKUP_SET.rawValue), Int(NFTA_LOOKUP_SET_ID.rawValue)),
    "dynset": (Int(NFTA_DYNSET_SET_NAME.rawValue), Int(NFTA_DYNSET_SET_ID.rawValue)),
    "objref": (Int(NFTA_OBJREF_SET_NAME.rawValue), Int(NFTA_OBJREF_SET_ID.rawValue)),
  ]

  let name: String
  /// The list entry with its header.
  let whole: Range<Int>
  /// `NFTA_EXPR_DATA`.
  let data: Range<Int>?
  private(set) var reference: Reference?

  /// The expressions of `NFTA_RULE_EXPRESSIONS`.
  static func all(
    _ source: Span<UInt8>, _ list: Range<Int>?
  ) throws(MalformedAttribute) -> [RecordedExpression] {
    var found: [RecordedExpression] = []
    guard let list else { return found }
    try source.forEachAttribute(in: list) { entry throws(MalformedAttribute) in
      found.append(try RecordedExpression(source, entry.payload))
    }
    return found
  }

  private init(_ source: Span<UInt8>, _ entry: Range<Int>) throws(MalformedAttribute) {
    let fields = try AttributeFields(source, entry, last: Int(NFTA_EXPR_DATA.rawValue))
    name = source.name(fields[Int(NFTA_EXPR_NAME.rawValue)]) ?? ""
    whole = entry.lowerBound - 4..<entry.upperBound
    data = fields[Int(NFTA_EXPR_DATA.rawValue)]
    guard let data else { return }
    if let attributes = Self.setAttributes[name] {
      let parts = try AttributeFields(source, data, last: 10)
      if let set = source.name(parts[attributes.name]) {
        reference = Reference(kind: .set, name: set)
      }
    } else if name == "immediate" {
      let number = Int(NFTA_IMMEDIATE_DATA.rawValue)
      let parts = try AttributeFields(source, data, last: number)
      if let chain = try Self.verdictChain(source, parts[number]) {
        reference = Reference(kind: .chain, name: chain)
      }
    }
  }

  /// The chain of a verdict in an `NFTA_IMMEDIATE_DATA`.
  private static func verdictChain(
    _ source: Span<UInt8>, _ data: Range<Int>?
  ) throws(MalformedAttribute) -> String? {
    guard let data else { return nil }
    let last = Int(NFTA_DATA_VERDICT.rawValue)
    guard let verdict = try AttributeFields(source, data, last: last)[last] else { return nil }
    let chain = Int(NFTA_VERDICT_CHAIN.rawValue)
    return source.name(try AttributeFields(source, verdict, last: chain)[chain])
  }

  /// Appends the list entry; what it refers to by name goes by number where it has one.
  func write(
    _ source: Span<UInt8>, _ identifiers: [String: UInt32], to buffer: inout MessageBuffer
  ) throws(MalformedAttribute) {
    let identifier = reference.flatMap { identifiers[$0.name] }
    let left = try dumpOnlyAttributes(source)
    guard let data, identifier != nil || !left.isEmpty else {
      return buffer.append(copying: source, whole)
    }
    try buffer.append(nested: UInt16(NFTA_LIST_ELEM.rawValue)) {
      buffer throws(MalformedAttribute) in
      buffer.append(name: name, type: UInt16(NFTA_EXPR_NAME.rawValue))
      try buffer.append(nested: UInt16(NFTA_EXPR_DATA.rawValue)) {
        buffer throws(MalformedAttribute) in
        guard let reference, let identifier else {
          return try buffer.appendAttributes(of: source, in: data) { !left.contains($0) }
        }
        guard let attributes = Self.setAttributes[name] else {
          return try writeJump(source, data, identifier, to: &buffer)
        }
        try buffer.appendAttributes(of: source, in: data) {
          $0 != attributes.name && $0 != attributes.identifier && !left.contains($0)
        }
        buffer.append(name: TableLoader.pattern(reference.name), type: UInt16(attributes.name))
        buffer.append(number: UInt16(attributes.identifier), identifier)
      }
    }
  }

  /// Attributes that the kernel gives in a dump and refuses in a new rule.
  ///
  /// Source: `nft_dynset_init`, which takes a timeout only for a set that has them and dumps 0
  /// otherwise; `nft_exthdr_tcp_set_init` and `nft_exthdr_tcp_strip_init`.
  private func dumpOnlyAttributes(_ source: Span<UInt8>) throws(MalformedAttribute) -> [Int] {
    guard let data, name == "dynset" || name == "exthdr" else { return [] }
    let fields = try AttributeFields(source, data, last: 12)
    if name == "dynset" {
      let timeout = Int(NFTA_DYNSET_TIMEOUT.rawValue)
      return source.uint64(fields[timeout]) == 0 ? [timeout] : []
    }
    let flags = Int(NFTA_EXTHDR_FLAGS.rawValue)
    if fields[NFTA_EXTHDR_SREG] != nil { return [flags] }
    guard fields[NFTA_EXTHDR_DREG] == nil else { return [] }
    return [flags, Int(NFTA_EXTHDR_OFFSET.rawValue), Int(NFTA_EXTHDR_LEN.rawValue)]
  }

  /// The parts of an `immediate` that jumps into an anonymous chain.
  private func writeJump(
    _ source: Span<UInt8>, _ data: Range<Int>, _ identifier: UInt32,
    to buffer: inout MessageBuffer
  ) throws(MalformedAttribute) {
    let nest = Int(NFTA_IMMEDIATE_DATA.rawValue)
    let verdict = Int(NFTA_DATA_VERDICT.rawValue)
    try buffer.appendAttributes(of: source, in: data) { $0 != nest }
    guard let value = try AttributeFields(source, data, last: nest)[nest],
      let code = try AttributeFields(source, value, last: verdict)[verdict]
    else { return }
    try buffer.append(nested: UInt16(nest)) { buffer throws(MalformedAttribute) in
      try buffer.append(nested: UInt16(verdict)) { buffer throws(MalformedAttribute) in
        try buffer.appendAttributes(of: source, in: code) {
          $0 == Int(NFTA_VERDICT_CODE.rawValue)
        }
        buffer.append(number: UInt16(NFTA_VERDICT_CHAIN_ID.rawValue), identifier)
      }
    }
  }
}
