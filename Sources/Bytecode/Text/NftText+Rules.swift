/// Rules as nft(8) lists them.
extension NftText {
  mutating func put(_ rule: Rule, chain: String, number: Int) throws(BytecodeError) {
    let statements = try RuleDecompiler.statements(
      of: rule.expressions, table: table, sets: sets, chain: chain, rule: number)
    out.put("\t\t")
    for (index, statement) in statements.enumerated() {
      if index > 0 { out.put(" ") }
      try put(statement)
    }
    if let comment = rule.comment {
      guard isComment(comment) else {
        throw .inexpressibleObject(
          name: comment, reason: "a comment has at most 128 bytes, no quote and no newline")
      }
      out.put(" comment \"\(comment)\"")
    }
    out.put("\n")
  }

  mutating func put(_ statement: Statement) throws(BytecodeError) {
    switch statement {
    case .match(let selector, let mask, let relation, let operand):
      put(selector)
      if let mask {
        out.put(" & ")
        out.put(mask, as: selector.type)
      }
      if relation != .implicit { out.put(" \(relation.rawValue)") }
      out.put(" ")
      try put(operand, as: selector.type)
    case .concatenatedMatch(let selectors, let isInverted, let set):
      put(selectors)
      out.put(isInverted ? " != " : " ")
      try putReference(set, as: selectors.map(\.type))
    case .verdictMap(let selectors, let mask, let set):
      put(selectors)
      if let mask, let type = selectors.first?.type {
        out.put(" & ")
        out.put(mask, as: type)
      }
      out.put(" vmap ")
      // Raw keys of a map in a rule are listed in decimal, all others in hexadecimal.
      let types = selectors.map(\.type)
      try putReference(set, as: types == [.raw] ? [.number] : types)
    case .metaSetFromMap(let key, let selectors, let set):
      out.put("meta \(key.keyword) set ")
      put(selectors)
      out.put(" map ")
      try putReference(set, as: selectors.map(\.type))
    case .metaSet(let key, let bytes):
      out.put("meta \(key.keyword) set ")
      out.put(bytes, as: key == .mark ? .mark : .hostNumber)
    case .counter(let counter):
      out.put("counter packets \(counter.packets) bytes \(counter.bytes)")
    case .namedCounter(let name): out.put("counter name \"\(name)\"")
    case .namedTimeout(let name): out.put("ct timeout set \"\(name)\"")
    case .limit(let limit): out.put(limit.words)
    case .log(let log): out.put(log.words)
    case .reject(let reject, let family): put(reject, family: family)
    case .redirect(let port): out.put(port.map { "redirect to :\($0)" } ?? "redirect")
    case .verdict(let verdict): put(verdict)
    case .phrase(let words): out.put(words)
    }
  }

  mutating func put(_ verdict: Verdict) {
    switch verdict {
    case .drop: out.put("drop")
    case .accept: out.put("accept")
    case .continue: out.put("continue")
    case .break: out.put("break")
    case .return: out.put("return")
    case .jump(let chain):
      out.put("jump ")
      out.put(chain)
    case .goto(let chain):
      out.put("goto ")
      out.put(chain)
    }
  }

  private mutating func put(_ selectors: [Selector]) {
    for (index, selector) in selectors.enumerated() {
      if index > 0 { out.put(" . ") }
      put(selector)
    }
  }

  private mutating func put(_ selector: Selector) {
    switch selector.source {
    case .meta(let key):
      switch key {
      case .iif, .oif, .iifname, .oifname: out.put(key.keyword)
      default: out.put("meta \(key.keyword)")
      }
    case .ct(let key): out.put("ct \(key.keyword)")
    case .header(let field): out.put("\(field.header) \(field.name)")
    case .raw(let load): put(load)
    case .presence(let group, let name): out.put("\(group) \(name)")
    case .phrase(let words): out.put(words)
    case .addressType(let words): out.put("fib \(words.joined(separator: " . ")) type")
    }
  }

  /// A raw load: base, offset and length in bits.
  mutating func put(_ load: PayloadLoad) {
    out.put("@\(load.base.abbreviation),\(load.offsetBytes * 8),\(load.lengthBytes * 8)")
  }

  private mutating func put(_ operand: Operand, as type: ValueType) throws(BytecodeError) {
    switch operand {
    case .value(let bytes): out.put(bytes, as: type)
    case .range(let low, let high):
      out.put(low, as: type)
      out.put("-")
      out.put(high, as: type)
    case .prefix(let bytes, let length):
      out.put(bytes, as: type)
      out.put("/\(length)")
    case .bits(let bits): out.put(bits: bits, as: type)
    case .maskedBits(let value, let mask):
      out.put(bits: value, as: type)
      out.put(" / ")
      out.put(bits: mask, as: type)
    case .set(let set): try putReference(set, as: [type])
    case .presence(let isPresent): out.put(isPresent ? "exists" : "missing")
    case .namePrefix(let bytes): out.put("\"\(String(decoding: bytes, as: UTF8.self))*\"")
    }
  }

  /// A named set by its name, an anonymous one by its elements.
  private mutating func putReference(_ set: NamedSet, as types: [ValueType]) throws(BytecodeError) {
    if set.flags.contains(.anonymous) {
      try putElements(of: set, as: types)
    } else {
      out.put("@\(set.name)")
    }
  }

  private mutating func put(_ reject: Reject, family: UInt8?) {
    let (kind, names, isDefault) = reject.spelling(family: family, in: table.family)
    out.put("reject")
    if isDefault { return }
    out.put(" with \(kind)")
    if reject.type == 1 { return }
    out.put(" \(names.first { $0.number == UInt64(reject.code) }?.word ?? "\(reject.code)")")
  }
}

extension PayloadBase {
  /// The word nft(8) uses after `@`.
  var abbreviation: String {
    switch self {
    case .link: "ll"
    case .network: "nh"
    case .transport: "th"
    case .inner: "ih"
    case .tunnel: "th"
    }
  }
}

extension Reject {
  /// The word for the kind, the names of its codes, and whether plain `reject` says it all.
  func spelling(
    family: UInt8?, in table: TableFamily
  ) -> (kind: String, names: [(number: UInt64, word: String)], isDefault: Bool) {
    switch type {
    case 1: ("tcp reset", [], false)
    case 2: ("icmpx", IcmpNameTable.icmpxCodes, code == 1)
    default:
      family == 2
        ? ("icmp", IcmpNameTable.codes, table == .ip && code == 3)
        : ("icmpv6", IcmpNameTable.v6Codes, table == .ip6 && code == 4)
    }
  }
}
