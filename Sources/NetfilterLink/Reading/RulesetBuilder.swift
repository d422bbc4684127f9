import Bytecode
import CNetfilter

/// Puts the messages of a snapshot together to tables.
///
/// Objects of tables that were not asked for are left out; attributes nobody knows go to the
/// `unknown` of what they belong to.
struct RulesetBuilder {
  /// A set whose elements are still to be read.
  struct SetPlace {
    var table: TableIdentifier
    var tableIndex: Int
    var setIndex: Int
    var set: NamedSet
  }

  private(set) var tables: [Table]
  private(set) var setPlaces: [SetPlace] = []
  private var indices: [TableIdentifier: Int] = [:]
  private var chainIndices: [[String: Int]]

  init(tables: [Table]) {
    self.tables = tables
    chainIndices = Array(repeating: [:], count: tables.count)
    for (index, table) in tables.enumerated() {
      indices[TableIdentifier(family: table.family, name: table.name)] = index
    }
  }

  mutating func addChain(
    _ message: Span<UInt8>, _ reply: ReplyMessage
  ) throws(MalformedAttribute) {
    let last = Int(NFTA_CHAIN_USERDATA.rawValue)
    let fields = try AttributeFields(message, reply.checkedAttributes, last: last)
    guard let index = tableIndex(message, reply, fields[NFTA_CHAIN_TABLE]) else { return }
    let chain = try Chain(message, fields, family: tables[index].family)
    chainIndices[index][chain.name] = tables[index].chains.count
    tables[index].chains.append(chain)
  }

  mutating func addSet(
    _ message: Span<UInt8>, _ reply: ReplyMessage
  ) throws(MalformedAttribute) {
    let last = Int(NFTA_SET_EXPRESSIONS.rawValue) + 2
    let fields = try AttributeFields(message, reply.checkedAttributes, last: last)
    guard let index = tableIndex(message, reply, fields[NFTA_SET_TABLE]) else { return }
    let set = try NamedSet(message, fields)
    let table = TableIdentifier(family: tables[index].family, name: tables[index].name)
    setPlaces.append(
      SetPlace(
        table: table, tableIndex: index, setIndex: tables[index].sets.count, set: set))
    tables[index].sets.append(set)
  }

  /// Puts a set's elements in.
  mutating func finish(_ place: SetPlace, _ collector: ElementCollector) {
    tables[place.tableIndex].sets[place.setIndex].content = collector.content()
    tables[place.tableIndex].sets[place.setIndex].unknown += collector.unknown
  }

  /// Gives a set the contents that are known of it.
  mutating func finish(_ place: SetPlace, _ content: SetContent) {
    tables[place.tableIndex].sets[place.setIndex].content = content
  }

  mutating func addRule(
    _ message: Span<UInt8>, _ reply: ReplyMessage
  ) throws(MalformedAttribute) {
    let last = Int(NFTA_RULE_CHAIN_ID.rawValue)
    let fields = try AttributeFields(message, reply.checkedAttributes, last: last)
    guard let index = tableIndex(message, reply, fields[NFTA_RULE_TABLE]) else { return }
    guard let chain = message.name(fields[NFTA_RULE_CHAIN]), let place = chainIndices[index][chain]
    else { throw MalformedAttribute(place: "a rule of no chain") }
    tables[index].chains[place].rules.append(try Rule(message, fields))
  }

  mutating func addObject(
    _ message: Span<UInt8>, _ reply: ReplyMessage
  ) throws(MalformedAttribute) {
    let last = Int(NFTA_OBJ_USERDATA.rawValue)
    let fields = try AttributeFields(message, reply.checkedAttributes, last: last)
    guard let index = tableIndex(message, reply, fields[NFTA_OBJ_TABLE]) else { return }
    if let counter = try NamedCounter(message, fields) {
      tables[index].counters.append(counter)
    } else {
      tables[index].objects.append(try NamedObject(message, fields))
    }
  }

  mutating func addFlowtable(
    _ message: Span<UInt8>, _ reply: ReplyMessage
  ) throws(MalformedAttribute) {
    let last = Int(NFTA_FLOWTABLE_FLAGS.rawValue)
    let fields = try AttributeFields(message, reply.checkedAttributes, last: last)
    guard let index = tableIndex(message, reply, fields[NFTA_FLOWTABLE_TABLE]) else { return }
    tables[index].flowtables.append(try Flowtable(message, fields))
  }

  private func tableIndex(
    _ message: Span<UInt8>, _ reply: ReplyMessage, _ name: Range<Int>?
  ) -> Int? {
    guard let name = message.name(name),
      let family = TableFamily(rawValue: message[reply.payload.lowerBound])
    else { return nil }
    return indices[TableIdentifier(family: family, name: name)]
  }
}

extension Array where Element == UnknownItem {
  /// Notes attributes that the reader has no name for.
  mutating func note(
    _ attributes: [Attribute], of owner: String, _ message: Span<UInt8>
  ) {
    for attribute in attributes {
      append(
        UnknownItem(
          kind: "\(owner) attribute \(attribute.type)", bytes: message.bytes(attribute.payload)))
    }
  }
}
