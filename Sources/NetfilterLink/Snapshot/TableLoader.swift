import Bytecode
import CNetfilter

/// Writes the messages that make a recorded table anew.
///
/// Attributes go over as they are, but for what the kernel gives out itself: handles, use counts,
/// the names of anonymous sets and chains. Those two exist only in the transaction that refers to
/// them, so each goes directly before the one rule that does, and the rules of an anonymous chain
/// before the rule that jumps into it.
struct TableLoader {
  /// What stands in the recording; may be cut into transactions between any two steps.
  enum Step {
    case table
    case object(RecordedTable.Item)
    case flowtable(RecordedTable.Item)
    case chain(RecordedTable.Item)
    case set(RecordedTable.Item)
    case elements(set: String, Range<Int>)
    /// A rule, by its place in its chain from 0.
    case rule(chain: String, index: Int)
  }

  /// More than the kernel takes of a rule; room for what rewriting adds to it.
  private static let longestRuleBytes = 1 << 15
  /// As deep as the kernel lets chains lead into each other, `NFT_JUMP_STACK_SIZE`.
  private static let deepestChains = 16
  private static let createOnly = NLM_F_CREATE | NLM_F_EXCL

  let bytes: ArraySlice<UInt8>
  let table: RecordedTable
  private var anonymousSets: [String: RecordedTable.Item] = [:]
  private var anonymousChains: [String: RecordedTable.Item] = [:]
  /// What this transaction calls the anonymous sets and chains that are in it.
  private var identifiers: [String: UInt32] = [:]
  /// The anonymous sets and chains that went over.
  private var written: Set<String> = []
  /// How many anonymous chains the rule being written is inside of.
  private var depth = 0

  init(_ bytes: ArraySlice<UInt8>, _ table: RecordedTable) throws(MalformedAttribute) {
    self.bytes = bytes
    self.table = table
    for item in table.sets {
      let flags = try number(item, NFTA_SET_FLAGS)
      if flags & UInt32(NFT_SET_ANONYMOUS.rawValue) != 0 { anonymousSets[item.name] = item }
    }
    for item in table.chains {
      let flags = try number(item, NFTA_CHAIN_FLAGS)
      if flags & UInt32(NFT_CHAIN_BINDING.rawValue) != 0 { anonymousChains[item.name] = item }
    }
  }

  /// Everything but what is anonymous, in an order in which nothing refers to what comes later.
  var steps: [Step] {
    var steps: [Step] = [.table]
    steps += table.objects.map(Step.object)
    steps += table.flowtables.map(Step.flowtable)
    let chains = table.chains.filter { anonymousChains[$0.name] == nil }
    steps += chains.map(Step.chain)
    for set in table.sets where anonymousSets[set.name] == nil {
      steps.append(.set(set))
      steps += (table.elements[set.name] ?? []).map { .elements(set: set.name, $0) }
    }
    for chain in chains {
      let count = table.rules[chain.name]?.count ?? 0
      steps += (0..<count).map { .rule(chain: chain.name, index: $0) }
    }
    return steps
  }

  /// Appends one step, with what is anonymous and belongs to it.
  mutating func write(_ step: Step, to batch: inout Batch) throws(MalformedAttribute) {
    switch step {
    case .table:
      try batch.append(.newTable, Self.createOnly, name("table", "")) {
        buffer throws(MalformedAttribute) in
        try writeTable(to: &buffer)
      }
    case .object(let item):
      try copy(item, .newObject, "object", to: &batch) {
        $0 != Int(NFTA_OBJ_HANDLE.rawValue) && $0 != Int(NFTA_OBJ_USE.rawValue)
      }
    case .flowtable(let item):
      try copy(item, .newFlowtable, "flowtable", to: &batch) {
        $0 != Int(NFTA_FLOWTABLE_HANDLE.rawValue) && $0 != Int(NFTA_FLOWTABLE_USE.rawValue)
      }
    case .chain(let item): try writeChain(item, to: &batch)
    case .set(let item): try writeSet(item, to: &batch)
    case .elements(let set, let place): try writeElements(of: set, place, to: &batch)
    case .rule(let chain, let index): try writeRule(chain, index, to: &batch)
    }
  }

  /// Makes sure that nothing was left out, after the last step.
  ///
  /// What is anonymous goes over with the rule that refers to it; a kernel has none that no rule does.
  func finish() throws(MalformedAttribute) {
    let names = Array(anonymousSets.keys) + Array(anonymousChains.keys)
    if let name = names.filter({ !written.contains($0) }).min() {
      throw MalformedAttribute(place: "no rule refers to the anonymous \(name)")
    }
  }

  /// A transaction has ended; the next one knows nothing of its anonymous sets and chains.
  mutating func beginTransaction() { identifiers = [:] }

  // MARK: - Objects

  private func name(_ kind: String, _ own: String) -> String {
    own.isEmpty ? "\(kind) \(table.identifier)" : "\(kind) \(own) of table \(table.identifier)"
  }

  private func writeTable(to buffer: inout MessageBuffer) throws(MalformedAttribute) {
    let source = bytes.span
    let kept = [NFTA_TABLE_NAME, NFTA_TABLE_USERDATA].map { Int($0.rawValue) }
    try buffer.appendAttributes(of: source, in: table.table) { kept.contains($0) }
    let fields = try AttributeFields(source, table.table, last: Int(NFTA_TABLE_OWNER.rawValue))
    let flags = source.uint32(fields[NFTA_TABLE_FLAGS]) ?? 0
    let dormant = flags & UInt32(NFT_TABLE_F_DORMANT.rawValue)
    guard dormant != 0 else { return }
    buffer.append(attribute: UInt16(NFTA_TABLE_FLAGS.rawValue), payloadBytes: 4)
    buffer.append(bigEndian: dormant)
  }

  private mutating func writeChain(
    _ item: RecordedTable.Item, to batch: inout Batch
  ) throws(MalformedAttribute) {
    let isAnonymous = anonymousChains[item.name] != nil
    let left = [NFTA_CHAIN_HANDLE, NFTA_CHAIN_USE, NFTA_CHAIN_ID].map { Int($0.rawValue) }
    let nameNumber = Int(NFTA_CHAIN_NAME.rawValue)
    let identifier = isAnonymous ? batch.nextSetIdentifier() : nil
    if isAnonymous {
      identifiers[item.name] = identifier
      written.insert(item.name)
    }
    let source = bytes.span
    try batch.append(.newChain, Self.createOnly, name("chain", item.name)) {
      buffer throws(MalformedAttribute) in
      try buffer.appendAttributes(of: source, in: item.attributes) {
        !left.contains($0) && !(isAnonymous && $0 == nameNumber)
      }
      buffer.append(number: UInt16(NFTA_CHAIN_ID.rawValue), identifier)
    }
  }

  private mutating func writeSet(
    _ item: RecordedTable.Item, to batch: inout Batch
  ) throws(MalformedAttribute) {
    let isAnonymous = anonymousSets[item.name] != nil
    // NFTA_SET_TYPE and NFTA_SET_COUNT, 19 and 20, are what the kernel tells by itself.
    let left =
      [NFTA_SET_HANDLE, NFTA_SET_ID].map { Int($0.rawValue) } + [19, 20]
    let nameNumber = Int(NFTA_SET_NAME.rawValue)
    let identifier = batch.nextSetIdentifier()
    if isAnonymous {
      identifiers[item.name] = identifier
      written.insert(item.name)
    }
    let source = bytes.span
    try batch.append(.newSet, Self.createOnly, name("set", item.name)) {
      buffer throws(MalformedAttribute) in
      try buffer.appendAttributes(of: source, in: item.attributes) {
        !left.contains($0) && !(isAnonymous && $0 == nameNumber)
      }
      if isAnonymous {
        buffer.append(name: TableLoader.pattern(item.name), type: UInt16(nameNumber))
      }
      buffer.append(number: UInt16(NFTA_SET_ID.rawValue), identifier)
    }
  }

  private func writeElements(
    of set: String, _ place: Range<Int>, to batch: inout Batch
  ) throws(MalformedAttribute) {
    let source = bytes.span
    let last = Int(NFTA_SET_ELEM_LIST_SET_ID.rawValue)
    let fields = try AttributeFields(source, place, last: last)
    guard let list = fields[NFTA_SET_ELEM_LIST_ELEMENTS], !list.isEmpty else { return }
    let identifier = identifiers[set]
    try batch.append(.newElements, NLM_F_CREATE, name("elements of set", set)) {
      buffer throws(MalformedAttribute) in
      try buffer.appendAttributes(of: source, in: place) { $0 < last }
      buffer.append(number: UInt16(last), identifier)
    }
  }

  /// Copies a message's attributes, those whose numbers `keeps` takes.
  private func copy(
    _ item: RecordedTable.Item, _ kind: MessageKind, _ word: String, to batch: inout Batch,
    _ keeps: (Int) -> Bool
  ) throws(MalformedAttribute) {
    try batch.append(kind, Self.createOnly, name(word, item.name)) {
      buffer throws(MalformedAttribute) in
      try buffer.appendAttributes(of: bytes.span, in: item.attributes, keeps)
    }
  }

  // MARK: - Rules

  private mutating func writeRule(
    _ chain: String, _ index: Int, to batch: inout Batch
  ) throws(MalformedAttribute) {
    guard let place = table.rules[chain]?[index] else { return }
    guard place.count <= Self.longestRuleBytes else {
      throw MalformedAttribute(place: "a rule of \(place.count) bytes")
    }
    let bytes = bytes
    let source = bytes.span
    let fields = try AttributeFields(source, place, last: Int(NFTA_RULE_CHAIN_ID.rawValue))
    let expressions = try RecordedExpression.all(source, fields[NFTA_RULE_EXPRESSIONS])
    for expression in expressions {
      guard let reference = expression.reference else { continue }
      try writeAnonymous(reference, to: &batch)
    }
    let compatibility = expressions.matchCompatibility(source, family: table.identifier.family)
    let kept = [NFTA_RULE_TABLE, NFTA_RULE_USERDATA].map { Int($0.rawValue) }
    let chainNumber = Int(NFTA_RULE_CHAIN.rawValue)
    let chainIdentifier = anonymousChains[chain] == nil ? nil : identifiers[chain]
    let words = "\(name("rule \(index + 1) of chain", chain))"
    let identifiers = identifiers
    try batch.append(.newRule, NLM_F_CREATE | NLM_F_APPEND, words) {
      buffer throws(MalformedAttribute) in
      try buffer.appendAttributes(of: source, in: place) {
        kept.contains($0) || $0 == chainNumber && chainIdentifier == nil
      }
      buffer.append(number: UInt16(NFTA_RULE_CHAIN_ID.rawValue), chainIdentifier)
      try buffer.append(nested: UInt16(NFTA_RULE_EXPRESSIONS.rawValue)) {
        buffer throws(MalformedAttribute) in
        for expression in expressions {
          try expression.write(source, identifiers, to: &buffer)
        }
      }
      compatibility?.write(to: &buffer)
    }
  }

  /// Puts the anonymous set or chain that a rule refers to before it, with its content.
  private mutating func writeAnonymous(
    _ reference: RecordedExpression.Reference, to batch: inout Batch
  ) throws(MalformedAttribute) {
    guard identifiers[reference.name] == nil else { return }
    switch reference.kind {
    case .set:
      guard let set = anonymousSets[reference.name] else { return }
      try writeSet(set, to: &batch)
      for place in table.elements[set.name] ?? [] {
        try writeElements(of: set.name, place, to: &batch)
      }
    case .chain:
      guard let chain = anonymousChains[reference.name] else { return }
      // The chain has its identifier before its rules are looked at, so that a ring ends.
      try writeChain(chain, to: &batch)
      depth += 1
      guard depth <= Self.deepestChains else {
        throw MalformedAttribute(place: "anonymous chains nested too deep")
      }
      for index in (table.rules[chain.name] ?? []).indices {
        try writeRule(chain.name, index, to: &batch)
      }
      depth -= 1
    }
  }

  private func number(
    _ item: RecordedTable.Item, _ attribute: some AttributeNumber
  ) throws(MalformedAttribute) -> UInt32 {
    let number = Int(attribute.rawValue)
    let fields = try AttributeFields(bytes.span, item.attributes, last: number)
    return bytes.span.uint32(fields[number]) ?? 0
  }

  /// `__set%d` for `__set12`, where the kernel puts the next free number in; other names as they are.
  static func pattern(_ name: String) -> String {
    guard name.hasPrefix("__") else { return name }
    return String(name.reversed().drop { $0.isASCII && $0.isNumber }.reversed()) + "%d"
  }
}

extension Batch {
  /// Appends a message of a recording.
  fileprivate mutating func append(
    _ kind: MessageKind, _ flags: Int32, _ words: String,
    _ write: (inout MessageBuffer) throws(MalformedAttribute) -> Void
  ) throws(MalformedAttribute) {
    var failure: MalformedAttribute?
    appendDirect(kind, flags: flags, .recorded(words)) { buffer in
      do throws(MalformedAttribute) { try write(&buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}

extension MessageBuffer {
  /// Copies the attributes of a nest whose numbers `keeps` takes, headers included.
  mutating func appendAttributes(
    of source: Span<UInt8>, in range: Range<Int>, _ keeps: (Int) -> Bool
  ) throws(MalformedAttribute) {
    try source.forEachAttribute(in: range) { attribute throws(MalformedAttribute) in
      guard keeps(Int(attribute.type)) else { return }
      append(
        copying: source, attribute.payload.lowerBound - 4..<attribute.payload.upperBound)
    }
  }

  /// Appends a number in network order; nothing for nil.
  mutating func append(number type: UInt16, _ value: UInt32?) {
    guard let value else { return }
    append(attribute: type, payloadBytes: 4)
    append(bigEndian: value)
  }
}
