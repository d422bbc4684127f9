import NetworkTypes

/// One way in which a table differs from the table it should be.
public enum TableDifference: Hashable, Sendable {
  /// Something that should be there is not.
  case missing(item: String)
  /// Something is there that should not.
  case unexpected(item: String)
  /// Something is there, but different.
  case changed(item: String, expected: String, found: String)
}

extension TableDifference: CustomStringConvertible {
  /// One line: `missing: chain g1/out`, `changed: chain output: hook …, found …`.
  public var description: String {
    switch self {
    case .missing(let item): "missing: \(item)"
    case .unexpected(let item): "unexpected: \(item)"
    case .changed(let item, let expected, let found):
      "changed: \(item): expected \(expected), found \(found)"
    }
  }
}

extension Table {
  /// How this table differs from the expected one, by counter, set, element, chain and rule.
  ///
  /// Empty exactly when both have the same canonical form. Sets that either side calls runtime
  /// state are compared without their content. At most ``reportedElements`` elements of a set are
  /// named each way; a last line counts the rest.
  ///
  /// O(n log n) in the number of elements, O(n) for sets of plain addresses.
  ///
  /// Example: a table without its last rule differs by `missing: chain output rule 2
  /// [ immediate reg 0 drop ]`.
  public func differences(from expected: Table) -> [TableDifference] {
    let (found, wanted) = canonicalForms(with: expected)
    if found == wanted { return [] }
    var result: [TableDifference] = []
    compare(
      "table", "\(wanted.family.keyword) \(wanted.name)",
      "\(found.family.keyword) \(found.name)", &result)
    compare("table flags", "\(wanted.flags)", "\(found.flags)", &result)
    compare(
      "table owner", wanted.owner.map(String.init) ?? "none",
      found.owner.map(String.init) ?? "none", &result)
    compare("table comment", wanted.comment ?? "none", found.comment ?? "none", &result)
    let (wantedUnknown, foundUnknown) = (wanted.allUnknown, found.allUnknown)
    for item in wantedUnknown where !foundUnknown.contains(item) {
      result.append(.missing(item: item.kind))
    }
    for item in foundUnknown where !wantedUnknown.contains(item) {
      result.append(.unexpected(item: item.kind))
    }
    pair(wanted.counters, found.counters, \.name, "counter", &result) { old, new, result in
      compare("counter \(old.name) comment", old.comment ?? "none", new.comment ?? "none", &result)
    }
    pair(wanted.objects, found.objects, \.label, "object", &result) { old, new, result in
      compare("object \(old.label)", "\(old.content)", "\(new.content)", &result)
      compare("object \(old.label) comment", old.comment ?? "none", new.comment ?? "none", &result)
    }
    pair(wanted.flowtables, found.flowtables, \.name, "flowtable", &result) { old, new, result in
      compare("flowtable \(old.name)", old.text, new.text, &result)
    }
    pair(wanted.sets, found.sets, \.name, "set", &result) { $1.differ(from: $0, &$2) }
    pair(wanted.chains, found.chains, \.name, "chain", &result) { $1.differ(from: $0, &$2) }
    return result
  }

  /// Whether ``differences(from:)`` would find none, without naming them.
  ///
  /// O(n log n) in the number of elements, O(n) for sets of plain addresses.
  public func isSame(as expected: Table) -> Bool {
    let (found, wanted) = canonicalForms(with: expected)
    return found == wanted
  }

  private func canonicalForms(with expected: Table) -> (found: Table, wanted: Table) {
    let runtime = Set((sets + expected.sets).filter(\.isRuntimeState).map(\.name))
    return (canonical(runtimeSets: runtime), expected.canonical(runtimeSets: runtime))
  }

  /// How many elements of one set a comparison names.
  public static let reportedElements = 20
}

private func compare(
  _ item: String, _ expected: String, _ found: String, _ result: inout [TableDifference]
) {
  if expected != found {
    result.append(.changed(item: item, expected: expected, found: found))
  }
}

/// Pairs two lists by name; what has no partner is missing or unexpected.
private func pair<Item: Equatable>(
  _ expected: [Item], _ found: [Item], _ name: (Item) -> String, _ kind: String,
  _ result: inout [TableDifference],
  _ compareBoth: (Item, Item, inout [TableDifference]) -> Void
) {
  let byName = Dictionary(found.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
  for item in expected {
    if let other = byName[name(item)] {
      if other != item { compareBoth(item, other, &result) }
    } else {
      result.append(.missing(item: "\(kind) \(name(item))"))
    }
  }
  let names = Set(expected.map(name))
  for item in found where !names.contains(name(item)) {
    result.append(.unexpected(item: "\(kind) \(name(item))"))
  }
}

extension Chain {
  fileprivate func differ(from expected: Chain, _ result: inout [TableDifference]) {
    compare(
      "chain \(name) hook", expected.hook?.text ?? "none", hook?.text ?? "none", &result)
    compare("chain \(name) flags", "\(expected.flags)", "\(flags)", &result)
    compare("chain \(name) comment", expected.comment ?? "none", comment ?? "none", &result)
    for change in rules.difference(from: expected.rules) {
      switch change {
      case .remove(let offset, let rule, _):
        result.append(.missing(item: "chain \(name) rule \(offset + 1) \(rule.text)"))
      case .insert(let offset, let rule, _):
        result.append(.unexpected(item: "chain \(name) rule \(offset + 1) \(rule.text)"))
      }
    }
  }
}

extension HookBinding {
  fileprivate var text: String {
    "\(type) \(hook) \(priority) \(policy)"
      + (devices.isEmpty ? "" : " devices \(devices.sorted().joined(separator: " "))")
  }
}

extension NamedObject {
  fileprivate var label: String { "\(name) of type \(content.type)" }
}

extension Flowtable {
  fileprivate var text: String {
    "\(hook) \(priority) devices \(devices.joined(separator: " ")) flags \(flags)"
  }
}

extension Rule {
  fileprivate var text: String {
    let parts = expressions.map { "[ \($0.listing) ]" }.joined(separator: " ")
    return comment.map { "\(parts) comment \"\($0)\"" } ?? parts
  }
}

extension NamedSet {
  fileprivate func differ(from expected: NamedSet, _ result: inout [TableDifference]) {
    compare("set \(name)", expected.declaration, declaration, &result)
    let missing: [String]
    let unexpected: [String]
    switch (expected.content, content) {
    case (.ipv4(let old), .ipv4(let new)):
      missing = old.subtracting(new).intervals.map { expected.text($0) }
      unexpected = new.subtracting(old).intervals.map { text($0) }
    case (.ipv6(let old), .ipv6(let new)):
      missing = old.subtracting(new).intervals.map { expected.text($0) }
      unexpected = new.subtracting(old).intervals.map { text($0) }
    default:
      let old = expected.allElements
      let new = allElements
      let oldSet = Set(old)
      let newSet = Set(new)
      missing = old.filter { !newSet.contains($0) }.map { expected.text($0) }
      unexpected = new.filter { !oldSet.contains($0) }.map { text($0) }
      if missing.isEmpty && unexpected.isEmpty && old != new {
        compare("set \(name)", "another order of elements", "this order", &result)
      }
    }
    for item in cap(missing) { result.append(.missing(item: "set \(name) element \(item)")) }
    for item in cap(unexpected) { result.append(.unexpected(item: "set \(name) element \(item)")) }
  }

  private func cap(_ items: [String]) -> [String] {
    let limit = Table.reportedElements
    return items.count <= limit ? items : items.prefix(limit) + ["and \(items.count - limit) more"]
  }

  private var declaration: String {
    let load = typeof.map { " typeof \($0.base) \($0.offsetBytes) \($0.lengthBytes)" } ?? ""
    return "\(key.map(\.description).joined(separator: " . "))\(load)"
      + "\(isVerdictMap ? " : verdict" : "")\(dataType.map { " : \($0)" } ?? "")"
      + " flags \(flags.rawValue) size \(size.map(String.init) ?? "none")"
      + " timeout \(timeoutMilliseconds.map(String.init) ?? "none")"
      + " gc \(gcIntervalMilliseconds.map(String.init) ?? "none")"
      + " policy \(policy ?? 0) objects \(objectType.map(String.init) ?? "none")"
      + " expressions \(expressions.map(\.listing))"
      + " comment \(comment ?? "none")"
  }

  private var allElements: [SetElement] {
    func element<Bound>(_ interval: Interval<Bound>) -> SetElement {
      func bytes(_ value: Bound) -> [UInt8] {
        stride(from: Bound.bitWidth - 8, through: 0, by: -8).map { UInt8(value >> $0 & 0xff) }
      }
      return SetElement(
        key: bytes(interval.first),
        keyEnd: interval.first == interval.last ? nil : bytes(interval.last))
    }
    switch content {
    case .elements(let elements): return elements
    case .ipv4(let set): return set.intervals.map(element)
    case .ipv6(let set): return set.intervals.map(element)
    }
  }

  private func text<Bound>(_ interval: Interval<Bound>) -> String {
    let isAddress = !key[0].isInteger
    func one(_ value: Bound) -> String {
      var out = TextBuffer()
      if !isAddress {
        out.put("0x")
        out.put(hex: value)
      } else if Bound.bitWidth == 32 {
        out.put(ipv4: UInt32(value))
      } else {
        out.put(ipv6: UInt128(value))
      }
      return out.string
    }
    return interval.first == interval.last
      ? one(interval.first) : "\(one(interval.first))-\(one(interval.last))"
  }

  private func text(_ element: SetElement) -> String {
    var out = TextBuffer()
    if element.isCatchAll {
      out.put("*")
    } else if key.count == 1 {
      out.put(range: element.key, element.keyEnd ?? element.key, as: ValueType(key[0]))
    } else {
      for byte in element.key { out.put(hex: byte, width: 2) }
      if let end = element.keyEnd {
        out.put("-")
        for byte in end { out.put(hex: byte, width: 2) }
      }
    }
    if let verdict = element.verdict { out.put(" : \(verdict)") }
    if let data = element.data { out.put(" : \(data)") }
    if let object = element.object { out.put(" : object \(object)") }
    for expression in element.expressions { out.put(" \(expression.listing)") }
    if let timeout = element.timeoutMilliseconds { out.put(" timeout \(timeout)ms") }
    if let comment = element.comment { out.put(" comment \"\(comment)\"") }
    return out.string
  }
}
