/// Writes tables, chains and sets the way `nft list ruleset` of nft 1.0.6 does.
struct NftText {
  var out = TextBuffer()
  let table: Table
  let sets: [String: NamedSet]

  init(table: Table) {
    self.table = table
    sets = Dictionary(table.sets.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The whole table.
  mutating func putTable() throws(BytecodeError) {
    try requireExpressible()
    out.put("table \(table.family.keyword) \(table.name) {\n")
    var isFirst = true
    if table.flags & 1 != 0 {
      out.put("\tflags dormant\n")
      isFirst = false
    }
    if let comment = table.comment { out.put("\tcomment \"\(comment)\"\n") }
    func separate(_ out: inout TextBuffer) {
      if !isFirst { out.put("\n") }
      isFirst = false
    }
    for counter in table.counters {
      separate(&out)
      put(counter)
    }
    for object in table.objects {
      separate(&out)
      try put(object)
    }
    for set in table.sets where !set.flags.contains(.anonymous) {
      separate(&out)
      try put(set)
    }
    for chain in table.chains {
      separate(&out)
      try put(chain)
    }
    out.put("}\n")
  }

  func requireExpressible() throws(BytecodeError) {
    func refusal(_ name: String, _ reason: String) -> BytecodeError {
      .inexpressibleObject(name: name, reason: reason)
    }
    if let item = table.allUnknown.first {
      throw refusal(table.name, "\(item.kind) is not modelled")
    }
    guard table.flowtables.isEmpty else {
      throw refusal(table.name, "flowtables are not modelled")
    }
    guard [.inet, .ip, .ip6, .netdev].contains(table.family) else {
      throw refusal(table.name, "family \(table.family.keyword) is not modelled")
    }
    if table.flags & ~1 != 0 { throw refusal(table.name, "flags owner and persist have no text") }
    let names =
      [table.name] + table.counters.map(\.name) + table.objects.map(\.name)
      + table.chains.map(\.name) + table.sets.map(\.name)
    for name in names where !isName(name) {
      throw refusal(name, "nft(8) takes letters, digits, / - _ . and a letter first")
    }
    for name in names where ReservedWordTable.words.contains(name) {
      throw refusal(name, "a word of nft(8) cannot be a name")
    }
    let comments =
      [table.comment] + table.counters.map(\.comment) + table.chains.map(\.comment)
      + table.sets.map(\.comment)
    for case let comment? in comments where !isComment(comment) {
      throw refusal(comment, "a comment has at most 128 bytes, no quote and no newline")
    }
  }

  private func isName(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    let isLetter = { (byte: UInt8) in byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a }
    guard let first = bytes.first, isLetter(first) || first == 0x5f else { return false }
    return bytes.allSatisfy {
      isLetter($0) || $0 >= 0x30 && $0 <= 0x39 || [0x2f, 0x2d, 0x5f, 0x2e].contains($0)
    }
  }

  func isComment(_ comment: String) -> Bool {
    comment.utf8.count <= 128 && comment.utf8.allSatisfy { $0 != 0x22 && $0 >= 0x20 }
  }

  private mutating func put(_ counter: NamedCounter) {
    out.put("\tcounter \(counter.name) {\n")
    if let comment = counter.comment { out.put("\t\tcomment \"\(comment)\"\n") }
    out.put("\t\tpackets \(counter.packets) bytes \(counter.bytes)\n\t}\n")
  }

  private mutating func put(_ chain: Chain) throws(BytecodeError) {
    out.put("\tchain \(chain.name) {\n")
    if let comment = chain.comment { out.put("\t\tcomment \"\(comment)\"\n") }
    if let hook = chain.hook { try put(hook, of: chain) }
    for (index, rule) in chain.rules.enumerated() {
      try put(rule, chain: chain.name, number: index + 1)
    }
    out.put("\t}\n")
  }

  private mutating func put(_ hook: HookBinding, of chain: Chain) throws(BytecodeError) {
    let isOfDevice = table.family == .netdev
    guard hook.hook == .egress ? isOfDevice : hook.hook.rawValue < Hook.ingress.rawValue,
      chain.flags == 0, ["filter", "nat", "route"].contains(hook.type)
    else {
      throw .inexpressibleObject(name: chain.name, reason: "its hook or type is not modelled")
    }
    guard hook.devices.count == (isOfDevice ? 1 : 0) else {
      throw .inexpressibleObject(name: chain.name, reason: "one device, or none, is modelled")
    }
    guard hook.policy == .accept || hook.policy == .drop else {
      throw .inexpressibleObject(name: chain.name, reason: "a policy is accept or drop")
    }
    out.put("\t\ttype \(hook.type) hook \(hook.hook.keyword)")
    for device in hook.devices {
      guard isName(device) else {
        throw .inexpressibleObject(name: chain.name, reason: "the device's name has no text")
      }
      out.put(" device \"\(device)\"")
    }
    out.put(" priority ")
    out.put(hook.priorityText)
    out.put("; policy \(hook.policy == .drop ? "drop" : "accept");\n")
  }
}

extension Hook {
  /// The word nft(8) uses after `hook`.
  var keyword: String { String(describing: self) }
}

extension HookBinding {
  /// The priority by the nearest name within 10, as nft(8) lists it.
  ///
  /// Source: nft(8), Standard priority names.
  var priorityText: String {
    var names: [(String, Int32)] = [("raw", -300), ("mangle", -150), ("filter", 0)]
    names.append(("security", 50))
    if hook == .prerouting { names.append(("dstnat", -100)) }
    if hook == .postrouting { names.append(("srcnat", 100)) }
    let distance = { (value: Int32) in Int64(priority) - Int64(value) }
    guard let (name, value) = names.first(where: { abs(distance($0.1)) <= 10 }) else {
      return String(priority)
    }
    let offset = distance(value)
    return offset == 0 ? name : "\(name) \(offset > 0 ? "+" : "-") \(abs(offset))"
  }
}

extension Ruleset {
  /// The ruleset as nft(8) text, byte for byte what `nft list ruleset` of nft 1.0.6 prints.
  ///
  /// Loaded with `nft -f` into an empty namespace it gives the same rules; listing them gives the
  /// same bytes. Elements of sets that nft(8) sorts are sorted; the remaining time of timed
  /// elements, which a listing adds, is left out.
  ///
  /// O(n log n) in the number of elements, O(n) for sets of plain addresses.
  ///
  /// - Throws: ``BytecodeError`` for anything that nft 1.0.6 has no faithful text for.
  ///
  /// Source: nft(8); spelling and order as seen in listings of nft 1.0.6.
  /// Example: a rule `[ meta load l4proto => reg 1 ] [ cmp eq reg 1 0x00000006 ] [ payload load 2b
  /// @ transport header + 2 => reg 1 ] [ cmp eq reg 1 0x0000bb01 ] [ immediate reg 0 accept ]` is
  /// `tcp dport 443 accept`.
  public func nftText() throws(BytecodeError) -> String {
    var bytes: [UInt8] = []
    for table in tables {
      var text = NftText(table: table)
      try text.putTable()
      if bytes.isEmpty { bytes = text.out.bytes } else { bytes += text.out.bytes }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
