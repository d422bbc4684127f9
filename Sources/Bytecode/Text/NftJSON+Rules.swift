/// Statements as libnftables JSON.
extension NftJSON {
  func json(_ statement: Statement) throws(BytecodeError) -> JSONValue {
    switch statement {
    case .match(let selector, let mask, let relation, let operand):
      return try match(selector, mask: mask, relation, operand)
    case .concatenatedMatch(let selectors, let isInverted, let set):
      let right = try reference(set, as: selectors.map(\.type))
      return match(isInverted ? "!=" : "==", key(selectors), right)
    case .verdictMap(let selectors, let mask, let set):
      var left = key(selectors)
      if let mask, let type = selectors.first?.type {
        left = .tagged("&", .array([left, value(mask, as: type)]))
      }
      return .tagged(
        "vmap",
        .object([("key", left), ("data", try reference(set, as: selectors.map(\.type)))]))
    case .metaSetFromMap(let key, let selectors, let set):
      let map = JSONValue.tagged(
        "map",
        .object([
          ("key", self.key(selectors)), ("data", try reference(set, as: selectors.map(\.type))),
        ]))
      return mangle(key, map)
    case .metaSet(let key, let bytes):
      return mangle(key, value(bytes, as: key == .mark ? .mark : .hostNumber))
    case .counter(let counter):
      return .tagged(
        "counter",
        .object([("packets", .number(counter.packets)), ("bytes", .number(counter.bytes))]))
    case .namedCounter(let name): return .tagged("counter", .string(name))
    case .namedTimeout(let name): return .tagged("ct timeout", .string(name))
    case .limit(let limit):
      return .tagged(
        "limit",
        .object([
          ("rate", .number(limit.rate)), ("burst", .number(UInt64(limit.burst))),
          ("per", .string(limit.period)), ("inv", .bool(limit.isInverted)),
        ]))
    case .log(let log):
      var fields: [(String, JSONValue)] = []
      if let prefix = log.prefix { fields.append(("prefix", .string(prefix))) }
      if let group = log.group { fields.append(("group", .number(UInt64(group)))) }
      if log.snapLength != 0 { fields.append(("snaplen", .number(UInt64(log.snapLength)))) }
      return .tagged("log", .object(fields))
    case .reject(let reject, let family): return json(reject, family: family)
    case .redirect(let port):
      return .tagged(
        "redirect", port.map { .tagged("port", .number(UInt64($0))) } ?? .null)
    case .verdict(let verdict): return json(verdict)
    // Made for reading alone, never here.
    case .phrase(let words): return .string(words)
    }
  }

  func json(_ verdict: Verdict) -> JSONValue {
    switch verdict {
    case .jump(let chain): .tagged("jump", .tagged("target", .string(chain)))
    case .goto(let chain): .tagged("goto", .tagged("target", .string(chain)))
    default: .tagged(String(describing: verdict), .null)
    }
  }

  private func json(_ reject: Reject, family: UInt8?) -> JSONValue {
    let (kind, names, isDefault) = reject.spelling(family: family, in: table.family)
    if isDefault { return .tagged("reject", .null) }
    if reject.type == 1 { return .tagged("reject", .tagged("type", .string(kind))) }
    let word = names.first { $0.number == UInt64(reject.code) }?.word
    return .tagged(
      "reject",
      .object([
        ("type", .string(kind)),
        ("expr", word.map(JSONValue.string) ?? .number(UInt64(reject.code))),
      ]))
  }

  private func mangle(_ key: MetaKey, _ value: JSONValue) -> JSONValue {
    .tagged(
      "mangle",
      .object([("key", .tagged("meta", .tagged("key", .string(key.keyword)))), ("value", value)]))
  }

  private func match(_ relation: String, _ left: JSONValue, _ right: JSONValue) -> JSONValue {
    .tagged("match", .object([("op", .string(relation)), ("left", left), ("right", right)]))
  }

  private func match(
    _ selector: Selector, mask: [UInt8]?, _ relation: Relation, _ operand: Operand
  ) throws(BytecodeError) -> JSONValue {
    var left = json(selector)
    if let mask { left = .tagged("&", .array([left, value(mask, as: selector.type)])) }
    let word =
      switch relation {
      case .implicit: "=="
      case .none: "!"
      default: relation.rawValue
      }
    switch operand {
    case .bits(let bits):
      return match(relation == .none ? "!" : "in", left, words(bits, as: selector.type))
    case .maskedBits(let value, let mask):
      left = .tagged("&", .array([left, words(mask, as: selector.type)]))
      return match(word, left, words(value, as: selector.type))
    case .value(let bytes): return match(word, left, value(bytes, as: selector.type))
    case .range(let low, let high):
      return match(word, left, range(low, high, as: selector.type))
    case .prefix(let bytes, let length):
      return match(word, left, prefix(bytes, length, as: selector.type))
    case .set(let set): return match(word, left, try reference(set, as: [selector.type]))
    case .presence(let isPresent): return match("==", left, .bool(isPresent))
    case .namePrefix(let bytes):
      return match(word, left, .string(String(decoding: bytes, as: UTF8.self) + "*"))
    }
  }

  private func words(_ bits: UInt64, as type: ValueType) -> JSONValue {
    let words = type.bitWords(bits) ?? []
    return words.count == 1 ? .string(words[0]) : .array(words.map(JSONValue.string))
  }

  private func key(_ selectors: [Selector]) -> JSONValue {
    selectors.count == 1
      ? json(selectors[0]) : .tagged("concat", .array(selectors.map(json)))
  }

  private func json(_ selector: Selector) -> JSONValue {
    func tagged(_ tag: String, _ name: String, _ value: String) -> JSONValue {
      .tagged(tag, .tagged(name, .string(value)))
    }
    switch selector.source {
    case .meta(let key): return tagged("meta", "key", key.keyword)
    case .ct(let key): return tagged("ct", "key", key.keyword)
    case .header(let field):
      return .tagged(
        "payload",
        .object([("protocol", .string(field.header)), ("field", .string(field.name))]))
    case .raw(let load): return raw(load)
    case .phrase(let words): return .string(words)
    case .presence(let group, let name): return tagged(group, "name", name)
    case .addressType(let words):
      return .tagged(
        "fib",
        .object([("result", .string("type")), ("flags", .array(words.map(JSONValue.string)))]))
    }
  }

  private func raw(_ load: PayloadLoad) -> JSONValue {
    .tagged(
      "payload",
      .object([
        ("base", .string(load.base.abbreviation)),
        ("offset", .number(UInt64(load.offsetBytes) * 8)),
        ("len", .number(UInt64(load.lengthBytes) * 8)),
      ]))
  }
}
