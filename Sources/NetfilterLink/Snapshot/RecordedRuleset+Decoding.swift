import Bytecode
import CNetfilter

extension RecordedRuleset {
  /// Decodes the messages with the reader that reads a live kernel.
  ///
  /// Beyond what that reader checks, the messages must stand in the order of a dump, carry one
  /// generation, name no object twice, and belong to tables that are there.
  ///
  /// - Returns: the tables; what is not modelled is in their `unknown`.
  /// - Throws: ``SnapshotError/message(offset:problem:)``. O(n).
  public func decoded() throws(SnapshotError) -> Snapshot {
    var decoder = RecordedDecoder(generation: UInt16(generation & 0xffff))
    try messages.span.forEachRecorded(generation: generation) {
      message, kind, reply throws(MalformedAttribute) in
      try decoder.take(message, kind, reply)
    }
    return Snapshot(ruleset: decoder.finish(), generation: generation)
  }
}

extension Span<UInt8> {
  /// Visits the messages of a recorded dump, after a look at each header.
  ///
  /// - Throws: ``SnapshotError/message(offset:problem:)``.
  func forEachRecorded(
    generation: UInt32,
    _ body: (Span<UInt8>, RecordedKind, ReplyMessage) throws(MalformedAttribute) -> Void
  ) throws(SnapshotError) {
    var offset = 0
    while offset < count {
      do throws(MalformedAttribute) {
        let (kind, message) = try recordedMessage(at: offset, UInt16(generation & 0xffff))
        try body(self, kind, message)
        offset = message.payload.upperBound + (-message.payload.upperBound & 3)
      } catch {
        throw .message(offset: offset, problem: error.place)
      }
    }
  }

  private func recordedMessage(
    at offset: Int, _ generation: UInt16
  ) throws(MalformedAttribute) -> (RecordedKind, ReplyMessage) {
    guard count - offset >= 20 else { throw MalformedAttribute(place: "a message cut short") }
    let length = Int(hostWord(at: offset))
    let word = hostWord(at: offset + 4)
    guard length >= 20, length <= count - offset else {
      throw MalformedAttribute(place: "a message of \(length) bytes")
    }
    let type = UInt16(word & 0xffff)
    guard let kind = RecordedKind(wireType: type) else {
      throw MalformedAttribute(place: "a message of type \(type), which no dump holds")
    }
    let flags = UInt16(word >> 16)
    guard flags & UInt16(NLM_F_DUMP_INTR) == 0, hostWord(at: offset + 8) == 0,
      hostWord(at: offset + 12) == 0
    else { throw MalformedAttribute(place: "a message header that no snapshot has") }
    guard UInt16(self[offset + 18]) << 8 | UInt16(self[offset + 19]) == generation else {
      throw MalformedAttribute(place: "a message of another generation")
    }
    return (
      kind,
      ReplyMessage(type: type, flags: flags, sequence: 0, payload: offset + 16..<offset + length)
    )
  }
}

/// Feeds the messages of a recorded dump to the builder, and refuses what no kernel sends.
private struct RecordedDecoder {
  /// Something within its table that no dump names twice.
  private struct Identifier: Hashable {
    var kind: RecordedKind
    var table: TableIdentifier
    /// Empty for a rule.
    var name = ""
    /// The handle of a rule; the type of an object, since two of one name differ by it.
    var number: UInt64 = 0
  }

  /// The most elements with more than an address that are decoded: they take 500 bytes each.
  private static let mostElements = 1 << 21

  private let generation: UInt16
  /// Elements with more than an address, in sets that are closed.
  private var elementCount = 0
  private var last = RecordedKind.table
  private var tables: [Table] = []
  private var builder: RulesetBuilder?
  private var seen: Set<Identifier> = []
  private var places: [Identifier: RulesetBuilder.SetPlace] = [:]
  /// The set whose elements are being read.
  private var open: (set: Identifier, place: RulesetBuilder.SetPlace, found: ElementCollector)?

  init(generation: UInt16) { self.generation = generation }

  mutating func take(
    _ message: Span<UInt8>, _ kind: RecordedKind, _ reply: ReplyMessage
  ) throws(MalformedAttribute) {
    guard kind >= last else { throw MalformedAttribute(place: "a \(kind) behind the \(last)s") }
    let identifier = try identify(message, kind, reply)
    if kind != .table, builder == nil { builder = RulesetBuilder(tables: tables) }
    if kind > last, last <= .elements { closeSet() }
    if kind > last, kind >= .elements, places.isEmpty { findPlaces() }
    last = kind
    switch kind {
    case .table: tables.append(try Table(message, reply))
    case .chain: try builder?.addChain(message, reply)
    case .set: try builder?.addSet(message, reply)
    case .elements: try addElements(message, reply, of: identifier)
    case .rule: try builder?.addRule(message, reply)
    case .object: try builder?.addObject(message, reply)
    case .flowtable: try builder?.addFlowtable(message, reply)
    }
  }

  mutating func finish() -> Ruleset {
    closeSet()
    return Ruleset(tables: builder?.tables ?? tables)
  }

  /// Names what the message is about; it must be new, and its table must be there.
  private mutating func identify(
    _ message: Span<UInt8>, _ kind: RecordedKind, _ reply: ReplyMessage
  ) throws(MalformedAttribute) -> Identifier {
    let fields = try AttributeFields(message, reply.checkedAttributes, last: 20)
    guard let family = TableFamily(rawValue: message[reply.payload.lowerBound]),
      let tableName = message.name(fields[tableNameAttribute])
    else { throw MalformedAttribute(place: "a \(kind) of no table, or of an unknown family") }
    let table = TableIdentifier(family: family, name: tableName)
    var identifier = Identifier(kind: kind, table: table)
    if kind != .table {
      let owner = Identifier(kind: .table, table: table, name: tableName)
      guard seen.contains(owner) else {
        throw MalformedAttribute(place: "a \(kind) of table \(table), which is not there")
      }
    }
    if let attribute = kind.nameAttribute {
      guard let name = message.name(fields[attribute]) else {
        throw MalformedAttribute(place: "a \(kind) without a name")
      }
      identifier.name = name
    }
    if kind == .object { identifier.number = UInt64(message.uint32(fields[NFTA_OBJ_TYPE]) ?? 0) }
    if kind == .rule {
      guard let handle = message.uint64(fields[NFTA_RULE_HANDLE]) else {
        throw MalformedAttribute(place: "a rule without a handle")
      }
      identifier.number = handle
    }
    if kind == .elements, open?.set == identifier { return identifier }
    guard seen.insert(identifier).inserted else {
      throw MalformedAttribute(place: "a second \(kind) \(identifier.name) of table \(table)")
    }
    return identifier
  }

  private mutating func findPlaces() {
    for place in builder?.setPlaces ?? [] {
      let key = Identifier(kind: .elements, table: place.table, name: place.set.name)
      places[key] = place
    }
  }

  private mutating func addElements(
    _ message: Span<UInt8>, _ reply: ReplyMessage, of set: Identifier
  ) throws(MalformedAttribute) {
    if open?.set != set {
      closeSet()
      guard let place = places[set] else {
        throw MalformedAttribute(place: "elements of set \(set.name), which is not there")
      }
      open = (set, place, ElementCollector(place.set))
    }
    try open?.found.add(message, reply)
    guard elementCount + (open?.found.keptSingly ?? 0) <= Self.mostElements else {
      throw MalformedAttribute(place: "more than \(Self.mostElements) elements")
    }
  }

  private mutating func closeSet() {
    if let open {
      elementCount += open.found.keptSingly
      builder?.finish(open.place, open.found)
    }
    open = nil
  }
}
