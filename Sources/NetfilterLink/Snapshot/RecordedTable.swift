import Bytecode
import CNetfilter

/// Where the messages of one table stand in a recording.
struct RecordedTable {
  /// One message: its own name and the place of its attributes.
  struct Item {
    var name: String
    var attributes: Range<Int>
  }

  var identifier: TableIdentifier
  var table: Range<Int>
  var objects: [Item] = []
  var flowtables: [Item] = []
  var chains: [Item] = []
  var sets: [Item] = []
  /// The messages of each set, by its name.
  var elements: [String: [Range<Int>]] = [:]
  /// The messages of each chain's rules in order, by its name.
  var rules: [String: [Range<Int>]] = [:]
}

extension RecordedRuleset {
  /// Sorts the messages by table, in the order of the dump.
  ///
  /// - Throws: ``SnapshotError/message(offset:problem:)``.
  func tables() throws(SnapshotError) -> [RecordedTable] {
    var tables: [RecordedTable] = []
    var indices: [TableIdentifier: Int] = [:]
    try messages.span.forEachRecorded(generation: generation) {
      message, kind, reply throws(MalformedAttribute) in
      let attributes = try reply.checkedAttributes
      let fields = try AttributeFields(message, attributes, last: 3)
      guard let family = TableFamily(rawValue: message[reply.payload.lowerBound]),
        let tableName = message.name(fields[tableNameAttribute])
      else { throw MalformedAttribute(place: "a \(kind) of no table, or of an unknown family") }
      let identifier = TableIdentifier(family: family, name: tableName)
      if kind == .table {
        indices[identifier] = tables.count
        tables.append(RecordedTable(identifier: identifier, table: attributes))
        return
      }
      // A rule has no name; what counts is that of its chain.
      let number = kind.nameAttribute ?? Int(NFTA_RULE_CHAIN.rawValue)
      guard let index = indices[identifier], let name = message.name(fields[number]) else {
        throw MalformedAttribute(place: "a \(kind) without a name, or of no table")
      }
      let item = RecordedTable.Item(name: name, attributes: attributes)
      switch kind {
      case .chain: tables[index].chains.append(item)
      case .set: tables[index].sets.append(item)
      case .elements: tables[index].elements[name, default: []].append(attributes)
      case .rule: tables[index].rules[name, default: []].append(attributes)
      case .object: tables[index].objects.append(item)
      case .flowtable: tables[index].flowtables.append(item)
      case .table: break
      }
    }
    return tables
  }
}
