import Bytecode
import NetworkTypes
import PacketSets

/// Rules as functions of packets.
extension SymbolicAnalyzer {
  /// What becomes of every packet of the key's family at a rule; others go on.
  ///
  /// Source: `nft_do_chain`, `net/netfilter/nf_tables_core.c`.
  mutating func function(of rule: Rule, _ key: ChainKey) throws(PacketSetError) -> Diagram {
    var run = RuleRun(tableIndex: key.table, context: key.context)
    var live = [RulePath(packets: try packets(of: key.family))]
    for expression in rule.expressions {
      var next: [RulePath] = []
      for path in live {
        diagrams.addressFamily = diagrams.family(of: path.packets)
        try step(expression, path, &next, &run)
      }
      diagrams.addressFamily = nil
      live = next
      if live.isEmpty { break }
    }
    for path in live { try leave(path, &run) }
    var result = Diagram.constant(OutcomeTable.goesOn)
    for part in run.finished {
      result = try diagrams.choose(part.packets, part.function, result)
    }
    return result
  }

  /// The packets of a family, or of both.
  mutating func packets(of family: Family?) throws(PacketSetError) -> Diagram {
    switch family {
    case .ipv4: try diagrams.set(.family, 0)
    case .ipv6: try diagrams.set(.family, 1)
    case nil: .everything
    }
  }

  /// The rule is over for these packets: they go on to the next one, changes and all.
  func leave(_ path: RulePath, _ run: inout RuleRun) throws(PacketSetError) {
    let change = table.number(path.change)
    end(path, Outcome(next: [change]), &run)
  }

  /// The packets' fate is this, or one that was possible before.
  func end(_ path: RulePath, _ outcome: Outcome, _ run: inout RuleRun) {
    let number = table.number(path.pending.union(outcome))
    if number == OutcomeTable.goesOn { return }
    run.finished.append((path.packets, .constant(number)))
  }

  /// Splits packets by a test: some go on in the rule, some leave it, of some both may be.
  mutating func split(
    _ path: RulePath, _ condition: Condition, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    let certain = try diagrams.intersection(path.packets, condition.yes)
    if certain == path.packets {
      next.append(path)
      return
    }
    var rest = try diagrams.difference(path.packets, certain)
    if certain != .nothing {
      var held = path
      held.packets = certain
      next.append(held)
    }
    if condition.unsure != .nothing {
      let unsure = try diagrams.intersection(rest, condition.unsure)
      if unsure != .nothing {
        rest = try diagrams.difference(rest, unsure)
        var maybe = path
        maybe.packets = unsure
        next.append(doubt(maybe, condition.causes))
      }
    }
    if rest != .nothing {
      var broken = path
      broken.packets = rest
      try leave(broken, &run)
    }
  }

  /// The packets may leave the rule here, or go on.
  func doubt(_ path: RulePath, _ causes: [Int32]) -> RulePath {
    var path = path
    path.pending = path.pending.union(
      Outcome(next: [table.number(path.change)], causes: causes))
    return path
  }

  /// Stores what each case loads, and breaks where there is nothing to load.
  mutating func load(
    _ cases: [LoadCase], _ register: Register, _ path: RulePath, _ next: inout [RulePath],
    _ run: inout RuleRun
  ) throws(PacketSetError) {
    for item in cases {
      let packets = try diagrams.intersection(path.packets, item.packets)
      guard packets != .nothing else { continue }
      var part = path
      part.packets = packets
      guard let bits = item.bits else {
        try leave(part, &run)
        continue
      }
      if let cause = item.mayBreak { part = doubt(part, [cause]) }
      part.registers.store(bits, word: register.word)
      next.append(part)
    }
  }

  /// One expression for one path.
  mutating func step(
    _ expression: Expression, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    switch expression {
    case .meta(let meta):
      try load(loads(meta, path, run.context), meta.destination, path, &next, &run)
    case .payload(let payload):
      try load(loads(payload, path, run.context), payload.destination, path, &next, &run)
    case .ct(let ct):
      try load(loads(ct, path, run.context), ct.destination, path, &next, &run)
    case .extensionHeader(let header):
      try load(loads(header), header.destination, path, &next, &run)
    case .fib(let fib):
      try load(loads(fib, path), fib.destination, path, &next, &run)
    case .compare(let compare):
      try split(path, condition(compare, path), &next, &run)
    case .range(let range):
      try split(path, condition(range, path), &next, &run)
    case .bitwise, .shift, .bitwiseOperation, .byteorder, .immediate(.data):
      var path = path
      compute(expression, &path.registers)
      next.append(path)
    case .immediate(.verdict(let verdict)):
      try finish(path, verdict, &next, &run)
    case .lookup(let lookup):
      try step(lookup, path, &next, &run)
    case .counter, .last, .log:
      next.append(path)
    case .reject:
      end(path, Outcome(drops: true), &run)
    default:
      try stepRarely(expression, path, &next, &run)
    }
  }

  /// Any fate at all, after any change of mark and addresses.
  func anything(_ path: RulePath, _ reason: String) -> Outcome {
    let why = [cause(reason)]
    let plain = table.number(path.change)
    let havoc = table.number(path.change.then(Change.havoc(why)))
    let both = [plain, havoc].sorted()
    return Outcome(drops: true, accepts: both, next: both, back: both, causes: why)
  }

  // MARK: Tests

  private mutating func condition(
    _ compare: Compare, _ path: RulePath
  ) throws(PacketSetError) -> Condition {
    let value = compare.value
    let bits = path.registers.load(compare.source.word, lengthBytes: value.count)
    guard bits.count == value.count * 8, !value.isEmpty else {
      return .unknown([cause("a comparison past the registers")])
    }
    let least = [UInt8](repeating: 0, count: value.count)
    let most = [UInt8](repeating: 255, count: value.count)
    switch compare.operation {
    case .equal: return try between(bits, value, value)
    case .notEqual: return try not(between(bits, value, value))
    case .lessOrEqual: return try between(bits, least, value)
    case .greater: return try not(between(bits, least, value))
    case .greaterOrEqual: return try between(bits, value, most)
    case .less: return try not(between(bits, value, most))
    }
  }

  private mutating func condition(
    _ range: RangeCompare, _ path: RulePath
  ) throws(PacketSetError) -> Condition {
    let bits = path.registers.load(range.source.word, lengthBytes: range.from.count)
    guard bits.count == range.from.count * 8, range.to.count == range.from.count else {
      return .unknown([cause("a range past the registers")])
    }
    let isReversed = range.to.lexicographicallyPrecedes(range.from)
    let inside = isReversed ? Condition.never : try between(bits, range.from, range.to)
    return range.isInverted ? try not(inside) : inside
  }
}

extension Change {
  /// Marks, addresses and ports may be anything afterwards.
  static func havoc(_ causes: [Int32]) -> Change {
    var fields: [PacketField: FieldChange] = [:]
    let lost =
      PacketField.mark + PacketField.conntrackMark + PacketField.source + PacketField.destination
      + [.sourcePort, .destinationPort, .destinationType, .sourceType]
    for field in lost { fields[field] = .any(field) }
    return Change(fields: FieldChanges(fields), isRerouted: true, causes: causes)
  }
}

extension TableFamily {
  /// The family of the packets that a table's chains see; nil for both, or for others.
  var packets: Family? {
    switch self {
    case .ip: .ipv4
    case .ip6: .ipv6
    default: nil
    }
  }
}

extension FieldChange {
  /// Any value of the field.
  static func any(_ field: PacketField) -> FieldChange {
    .among(Interval(0, field.maximum))
  }
}
