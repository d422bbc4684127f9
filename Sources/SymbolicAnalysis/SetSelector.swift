import Bytecode
import NetworkTypes
import PacketSets

/// A lookup for every packet at once.
struct SetSelector {
  /// Everything that a lookup may find for a packet.
  struct Finding: Hashable {
    /// 0 a miss, otherwise a place in ``payloads`` from 1.
    var choices: [Int]
    /// Why there are several.
    var causes: [Int32] = []
  }

  /// What an element carries.
  struct Payload: Hashable {
    var verdict: Verdict?
    var data: [UInt8]?
    /// Whether the element is not known: rules or programs may have added it.
    var isUnknown = false
  }

  /// Values are places in ``findings``; 0 is a certain miss.
  var function: Diagram
  var findings: [Finding]
  var payloads: [Payload]
}

/// What identifies a lookup's answer.
struct SelectorKey: Hashable {
  var table: Int
  var set: String
  var bits: [Bit]
  /// The family of the packets that it is an answer for; nil for both.
  var family: Family?
}

/// Numbers findings while a selector is built; the first element that may match decides.
private final class FindingTable {
  var findings = [SetSelector.Finding(choices: [0])]
  private var numbers = [SetSelector.Finding(choices: [0]): 0]
  var payloads: [SetSelector.Payload] = []
  private var places: [SetSelector.Payload: Int] = [:]

  func number(_ finding: SetSelector.Finding) -> Int {
    if let known = numbers[finding] { return known }
    findings.append(finding)
    numbers[finding] = findings.count - 1
    return findings.count - 1
  }

  func place(_ payload: SetSelector.Payload) -> Int {
    if let known = places[payload] { return known }
    payloads.append(payload)
    places[payload] = payloads.count
    return payloads.count
  }
}

private struct FirstFinding: DiagramOperation {
  let number: Int32
  let table: FindingTable

  func shortcut(_ left: Diagram, _ right: Diagram) -> Diagram? {
    if left == .constant(0) { return right }
    if right == .constant(0) { return left }
    if let value = left.constantValue, !table.findings[value].choices.contains(0) { return left }
    return nil
  }

  func combine(_ left: Int, _ right: Int) -> Int {
    let first = table.findings[left]
    let second = table.findings[right]
    guard first.choices.contains(0) else { return left }
    let choices = Set(first.choices.filter { $0 != 0 }).union(second.choices).sorted()
    return table.number(
      SetSelector.Finding(
        choices: choices, causes: Outcome.merged(first.causes, second.causes)))
  }
}

extension SymbolicAnalyzer {
  /// What a lookup of register bits finds, for every packet.
  ///
  /// O(n) for sets of addresses or of one field, O(n log n) for concatenations.
  ///
  /// Source: `nft_lookup_eval`, `net/netfilter/nft_lookup.c`.
  mutating func selector(
    _ set: NamedSet, _ tableIndex: Int, _ bits: [Bit]
  ) throws(PacketSetError) -> SetSelector {
    let key = SelectorKey(
      table: tableIndex, set: set.name, bits: bits, family: diagrams.addressFamily)
    if let known = selectors[key] { return known }
    let table = FindingTable()
    let isDynamic =
      set.flags.contains(.evaluated) || !set.unknown.isEmpty
      || !set.flags.isSubset(of: .known)
      || dynamicSets.contains(SetName(table: tableIndex, name: set.name))
    var function: Diagram
    switch set.content {
    case .ipv4(let addresses) where bits.count == 32:
      let hit = table.number(SetSelector.Finding(choices: [table.place(.init())]))
      function = try hits(bits, addresses, hit, table)
    case .ipv6(let addresses) where bits.count == 128:
      let hit = table.number(SetSelector.Finding(choices: [table.place(.init())]))
      function = try hits(bits, addresses, hit, table)
    case .elements(let elements):
      function = try hits(bits, set, elements, table)
    default:
      function = .constant(
        table.number(
          SetSelector.Finding(
            choices: [0, table.place(.init(isUnknown: true))],
            causes: [cause("the key does not fit the set \(set.name)")])))
    }
    if case .elements(let elements) = set.content,
      let other = elements.first(where: \.isCatchAll)
    {
      let finding = finding(other, table)
      var first = FirstFinding(number: diagrams.makeOperationNumber(), table: table)
      function = try diagrams.apply(function, .constant(finding), &first)
    }
    if isDynamic {
      let added = SetSelector.Finding(
        choices: [0, table.place(.init(isUnknown: true))],
        causes: [cause("rules change the set \(set.name), or it is not known whole")])
      var first = FirstFinding(number: diagrams.makeOperationNumber(), table: table)
      function = try diagrams.apply(function, .constant(table.number(added)), &first)
    }
    let result = SetSelector(
      function: function, findings: table.findings, payloads: table.payloads)
    selectors[key] = result
    return result
  }

  /// What an element that matches yields.
  private mutating func finding(_ element: SetElement, _ table: FindingTable) -> Int {
    let payload = table.place(.init(verdict: element.verdict, data: element.data))
    var causes: [Int32] = []
    if element.timeoutMilliseconds != nil { causes.append(cause("an element that expires")) }
    if element.expressions.contains(where: \.isLimiting) {
      causes.append(cause("a limit in an element"))
    }
    if !causes.isEmpty {
      return table.number(SetSelector.Finding(choices: [0, payload], causes: causes.sorted()))
    }
    return table.number(SetSelector.Finding(choices: [payload]))
  }

  private mutating func hits(
    _ bits: [Bit], _ addresses: IntervalSet<UInt32>, _ hit: Int, _ table: FindingTable
  ) throws(PacketSetError) -> Diagram {
    let runs = Run.cut(bits)
    if case .field(let field, low: 0, isFlipped: false) = runs[0].source, runs.count == 1 {
      let set = try diagrams.set(field, addresses)
      return try diagrams.mapValues(set) { $0 * hit }
    }
    let boxes = addresses.intervals.map { interval in
      ElementBox(
        lows: [IPAddress.v4(interval.first).networkOrderBytes],
        highs: [IPAddress.v4(interval.last).networkOrderBytes], finding: hit)
    }
    return try first(boxes, [bits], table)
  }

  private mutating func hits(
    _ bits: [Bit], _ addresses: IntervalSet<UInt128>, _ hit: Int, _ table: FindingTable
  ) throws(PacketSetError) -> Diagram {
    if let words = wideField(bits) {
      let set = try diagrams.set(words, addresses)
      return try diagrams.mapValues(set) { $0 * hit }
    }
    let boxes = addresses.intervals.map { interval in
      ElementBox(
        lows: [IPAddress.v6(interval.first).networkOrderBytes],
        highs: [IPAddress.v6(interval.last).networkOrderBytes], finding: hit)
    }
    return try first(boxes, [bits], table)
  }

  /// The address whose four words the bits are; nil when they are something else.
  private func wideField(_ bits: [Bit]) -> [PacketField]? {
    [PacketField.destination, PacketField.source].first { words in
      bits == words.flatMap { [Bit].field($0, 32) }
    }
  }

  /// One element, field by field.
  private struct ElementBox {
    var lows: [[UInt8]]
    var highs: [[UInt8]]
    var finding: Int
  }

  private mutating func hits(
    _ bits: [Bit], _ set: NamedSet, _ elements: [SetElement], _ table: FindingTable
  ) throws(PacketSetError) -> Diagram {
    var fields: [Range<Int>] = []
    var start = 0
    for type in set.key {
      fields.append(start..<start + type.lengthBytes)
      start += set.key.count == 1 ? type.lengthBytes : (type.lengthBytes + 3) / 4 * 4
    }
    let isWhole = set.key.count == 1
    let length = bits.count / 8
    var boxes: [ElementBox] = []
    boxes.reserveCapacity(elements.count)
    for element in elements where !element.isCatchAll {
      let last = element.keyEnd ?? element.key
      guard element.key.count == last.count, element.key.count <= length else {
        return .constant(
          table.number(
            SetSelector.Finding(
              choices: [0, table.place(.init(isUnknown: true))],
              causes: [cause("a key of the set \(set.name) does not fit")])))
      }
      let number = finding(element, table)
      if isWhole || fields.contains(where: { $0.upperBound > element.key.count }) {
        boxes.append(ElementBox(lows: [element.key], highs: [last], finding: number))
      } else {
        boxes.append(
          ElementBox(
            lows: fields.map { Array(element.key[$0]) },
            highs: fields.map { Array(last[$0]) }, finding: number))
      }
    }
    guard let sample = boxes.first else { return .constant(0) }
    guard boxes.allSatisfy({ $0.lows.map(\.count) == sample.lows.map(\.count) }) else {
      return .constant(
        table.number(
          SetSelector.Finding(
            choices: [0, table.place(.init(isUnknown: true))],
            causes: [cause("keys of the set \(set.name) differ in length")])))
    }
    let parts =
      sample.lows.count == 1
      ? [Array(bits.prefix(sample.lows[0].count * 8))]
      : fields.map { Array(bits[$0.lowerBound * 8..<$0.upperBound * 8]) }
    if parts.count == 1, let direct = try direct(boxes, parts[0]) { return direct }
    return try first(boxes, parts, table)
  }

  /// Elements of one field or address, sorted and disjoint, without operations.
  private mutating func direct(
    _ boxes: [ElementBox], _ bits: [Bit]
  ) throws(PacketSetError) -> Diagram? {
    var pieces = boxes.map { box in
      WidePiece(number(box.lows[0]), number(box.highs[0]), .constant(box.finding))
    }
    pieces.sort { $0.first < $1.first }
    for index in pieces.indices.dropFirst() where pieces[index].first <= pieces[index - 1].last {
      return nil
    }
    guard pieces.allSatisfy({ $0.first <= $0.last }) else { return nil }
    if let words = wideField(bits) {
      return try diagrams.select(words, pieces[...], otherwise: .constant(0))
    }
    guard let prefix = Prefixed(Run.cut(bits)) else { return nil }
    let selected = pieces.compactMap { piece in
      prefix.values(piece.first, piece.last).map { ($0, piece.function) }
    }
    return try diagrams.select(prefix.field, selected, otherwise: .constant(0))
  }

  private func number(_ bytes: [UInt8]) -> UInt128 {
    bytes.reduce(0) { $0 << 8 | UInt128($1) }
  }

  /// Elements in order, composed as a tree.
  private mutating func first(
    _ boxes: [ElementBox], _ parts: [[Bit]], _ table: FindingTable
  ) throws(PacketSetError) -> Diagram {
    var functions: [Diagram] = []
    functions.reserveCapacity(boxes.count)
    for box in boxes {
      var condition = Condition.always
      for (index, bits) in parts.enumerated().reversed() {
        condition = try both(between(bits, box.lows[index], box.highs[index]), condition)
      }
      let finding = box.finding
      var function = try diagrams.mapValues(condition.yes) { $0 * finding }
      if condition.unsure != .nothing {
        var maybe = table.findings[finding]
        maybe.choices = Set(maybe.choices + [0]).sorted()
        maybe.causes = Outcome.merged(maybe.causes, condition.causes)
        function = try diagrams.choose(
          condition.unsure, .constant(table.number(maybe)), function)
      }
      functions.append(function)
    }
    guard !functions.isEmpty else { return .constant(0) }
    var operation = FirstFinding(number: diagrams.makeOperationNumber(), table: table)
    return try diagrams.compose(functions, &operation)
  }
}

/// Key bits that are a whole field, or its upper bits with constant bits behind them, as a load and a
/// mask leave them.
private struct Prefixed {
  let field: PacketField
  /// How many bits of the field are not in the key.
  private let low: UInt32
  private let constant: UInt128
  private let constantWidth: UInt128

  init?(_ runs: [Run]) {
    guard let first = runs.first, runs.count <= 2,
      case .field(let field, let low, isFlipped: false) = first.source,
      UInt64(field.maximum) + 1 == 1 << UInt64(first.width + low)
    else { return nil }
    self.field = field
    self.low = UInt32(low)
    guard runs.count == 2 else {
      constant = 0
      constantWidth = 0
      return
    }
    guard case .constant = runs[1].source else { return nil }
    constant = runs[1].bits.reduce(0) { $0 << 1 | ($1 == .one ? 1 : 0) }
    constantWidth = UInt128(runs[1].width)
  }

  /// The field's values for which the key lies between two numbers, both inside.
  func values(_ lowest: UInt128, _ highest: UInt128) -> Interval<UInt32>? {
    let mask: UInt128 = (1 << constantWidth) - 1
    let first = (lowest >> constantWidth) + (lowest & mask > constant ? 1 : 0)
    let end = (highest >> constantWidth) + (highest & mask < constant ? 0 : 1)
    guard first < end else { return nil }
    return Interval(
      UInt32(first << UInt128(low)), UInt32((end << UInt128(low)) - 1))
  }
}

extension Expression {
  /// Whether the expression, in an element, may break a lookup that found it.
  fileprivate var isLimiting: Bool {
    switch self {
    case .counter, .last: false
    default: true
    }
  }
}
