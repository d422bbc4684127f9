import NetworkTypes

/// Statements that only ``Rule/readable(in:)`` has words for.
extension RuleDecompiler {
  mutating func readableAct(_ expression: Expression) throws(BytecodeError) {
    statements.append(.phrase(try words(for: expression)))
  }

  private mutating func words(for expression: Expression) throws(BytecodeError) -> String {
    switch expression {
    case .notrack: return "notrack"
    case .last: return "last"
    case .limit(let limit): return limit.words
    case .quota(let quota):
      return "quota \(quota.isInverted ? "over " : "until ")\(quota.bytes) bytes used "
        + "\(quota.consumed) bytes"
    case .connectionLimit(let limit):
      return "ct count \(limit.isInverted ? "over " : "")\(limit.count)"
    case .log(let log): return log.words
    case .queue(let queue) where queue.register == nil: return queue.words
    case .synproxy(let proxy):
      return "synproxy mss \(proxy.maximumSegmentSize) wscale \(proxy.windowScale)"
    case .flowOffload(let offload): return "flow add @\(offload.flowtable)"
    case .objectReference(let reference):
      let words = [
        2: "quota name", 3: "ct helper set", 4: "limit name", 5: "ct count name",
        8: "meta secmark set", 9: "ct expectation set", 10: "synproxy name",
      ]
      guard let word = words[Int(reference.type)] else { throw refusal("not modelled") }
      return "\(word) \"\(reference.name)\""
    case .match(let match):
      guard let value = match.value(in: table.family) else { throw refusal("not modelled") }
      return value.words
    case .target(let target):
      guard let value = target.value(in: table.family) else { throw refusal("not modelled") }
      return value.words
    case .reject(let reject):
      switch reject.type {
      case 0: return "reject with icmp type \(reject.code)"
      case 1: return "reject with tcp reset"
      case 2: return "reject with icmpx type \(reject.code)"
      default: throw refusal("not modelled")
      }
    default: return try storeWords(expression)
    }
  }

  /// Words for what takes values from registers.
  private mutating func storeWords(_ expression: Expression) throws(BytecodeError) -> String {
    switch expression {
    case .payloadSet(let store):
      let load = PayloadLoad(
        store.base, offsetBytes: store.offsetBytes, lengthBytes: store.lengthBytes,
        into: store.source)
      let target = selector(for: load)
      guard case .constant(let bytes) = try take(store.source),
        bytes.count >= target.lengthBytes
      else { throw refusal("writes something that is no constant") }
      var value = TextBuffer()
      value.put(bytes[..<target.lengthBytes], as: target.type)
      return "\(try words(for: target)) set \(value.string)"
    case .metaSet(let store):
      return "meta \(store.key.keyword) set \(try value(store.source, store.key.lengthBytes))"
    case .ctSet(let store):
      let side = store.direction.map { $0 == 0 ? "original " : "reply " } ?? ""
      return "ct \(side)\(store.key.keyword) set \(try value(store.source, store.key.lengthBytes))"
    case .nat(let nat):
      let word = nat.family == .inet || nat.family == table.family ? "" : " \(nat.family.keyword)"
      return
        "\(nat.kind.keyword)\(word)\(try range(nat.address, nat.addressMax, nat.port, nat.portMax))"
        + nat.flags.words
    case .masquerade(let masquerade):
      return "masquerade\(try range(nil, nil, masquerade.port, masquerade.portMax))"
        + masquerade.flags.words
    case .redirect(let redirect):
      return "redirect\(try range(nil, nil, redirect.port, redirect.portMax))"
        + redirect.flags.words
    case .transparentProxy(let proxy):
      return "tproxy\(try range(proxy.address, nil, proxy.port, nil))"
    case .duplicate(let duplicate):
      let address = try duplicate.address.map { register throws(BytecodeError) in
        " to \(try self.address(register))"
      }
      let device = try duplicate.device.map { register throws(BytecodeError) in
        " device index \(try value(register, 4))"
      }
      return "dup\(address ?? "")\(device ?? "")"
    case .forward(let forward) where forward.address == nil:
      return "fwd to index \(try value(forward.device, 4))"
    case .dynamicSet(let dynamic): return try words(for: dynamic)
    default: throw refusal("not modelled")
    }
  }

  /// A constant, or what another load would give.
  private mutating func value(
    _ register: Register, _ lengthBytes: Int
  ) throws(BytecodeError) -> String {
    switch try take(register) {
    case .constant(let bytes) where bytes.count >= lengthBytes && lengthBytes <= 8:
      let number = bytes[..<lengthBytes].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return "0x\(String(number, radix: 16))"
    case .selector(let selector, nil): return try words(for: selector)
    default: throw refusal("stores something that has no words")
    }
  }

  private func words(for selector: Selector) throws(BytecodeError) -> String {
    var text = NftText(table: table)
    try text.put(.match(selector, mask: nil, .implicit, .presence(true)))
    // Only the left side counts here.
    return String(text.out.string.dropLast(" exists".count))
  }

  /// Holds a number in host order of which some bits were changed, as `mark & 0xff ^ 0x5`.
  mutating func readableMask(_ bitwise: Bitwise) throws(BytecodeError) {
    guard case .selector(let selector, nil) = try take(bitwise.source), selector.type.isHostOrder,
      bitwise.mask.count == selector.lengthBytes, bitwise.xor.count == bitwise.mask.count
    else { throw refusal("changes bits of something that has no words") }
    let mask = String(selector.type.number(bitwise.mask), radix: 16)
    let xor = String(selector.type.number(bitwise.xor), radix: 16)
    let words = "\(try words(for: selector)) & 0x\(mask) ^ 0x\(xor)"
    let changed = Selector(
      source: .phrase(words), type: selector.type, lengthBytes: selector.lengthBytes)
    hold(.selector(changed, mask: nil), in: bitwise.destination)
  }

  private mutating func address(_ register: Register) throws(BytecodeError) -> String {
    guard case .constant(let bytes) = try take(register),
      let address = IPAddress(networkOrderBytes: bytes)
    else { throw refusal("the address is no constant") }
    return address.description
  }

  private mutating func port(_ register: Register) throws(BytecodeError) -> String {
    guard case .constant(let bytes) = try take(register), bytes.count >= 2 else {
      throw refusal("the port is no constant")
    }
    return String(UInt16(bytes[0]) << 8 | UInt16(bytes[1]))
  }

  private mutating func range(
    _ address: Register?, _ addressMax: Register?, _ port: Register?, _ portMax: Register?
  ) throws(BytecodeError) -> String {
    var text = ""
    if let address {
      text = " to \(try self.address(address))"
      if let addressMax { text += "-\(try self.address(addressMax))" }
    }
    if let port {
      text += "\(text.isEmpty ? " to " : " ")port \(try self.port(port))"
      if let portMax { text += "-\(try self.port(portMax))" }
    }
    return text
  }

  private mutating func words(for dynamic: DynamicSet) throws(BytecodeError) -> String {
    guard let set = sets[dynamic.set], dynamic.data == nil, !dynamic.isInverted else {
      throw refusal("a map, or an inverted change")
    }
    var keys: [String] = []
    var word = dynamic.key.word
    for field in set.key {
      guard (0...15).contains(word) else { throw refusal("the key does not fit the registers") }
      keys.append(try value(Register(word: word), field.lengthBytes))
      word += (field.lengthBytes + 3) / 4
    }
    var text = "\(dynamic.operation.keyword) @\(dynamic.set) { \(keys.joined(separator: " . "))"
    if let timeout = dynamic.timeoutMilliseconds { text += " timeout \(timeout)ms" }
    for expression in dynamic.expressions {
      if case .counter = expression {
        text += " counter"
      } else {
        text += " \(try words(for: expression))"
      }
    }
    return text + " }"
  }
}

extension NATFlags {
  fileprivate var words: String {
    let all: [(NATFlags, String)] = [
      (.random, "random"), (.fullyRandom, "fully-random"), (.persistent, "persistent"),
      (.netmap, "netmap"),
    ]
    let words = all.filter { contains($0.0) }.map(\.1)
    return words.isEmpty ? "" : " \(words.joined(separator: ","))"
  }
}

extension Limit {
  /// `second`, `minute`, `hour`, `day` or `week`.
  var period: String {
    Limit.periods.first { $0.0 == periodSeconds }?.1 ?? "\(periodSeconds)s"
  }

  /// As nft(8) writes it.
  var words: String {
    let unitWord = unit == .bytes ? " bytes" : ""
    // nft(8) leaves out what it takes where nothing is written.
    let burstWords =
      burst > 0 && !(burst == 5 && unit == .packets) ? " burst \(burst) \(unit.keyword)" : ""
    return "limit rate \(isInverted ? "over " : "")\(rate)\(unitWord)/\(period)\(burstWords)"
  }
}

extension Log {
  /// Whether ``words`` say all of it, and read back as it.
  var isPlain: Bool {
    let isQuotable =
      prefix?.utf8.allSatisfy { 0x20..<0x7f ~= $0 && $0 != 0x22 && $0 != 0x5c } ?? true
    return isQuotable && group != nil && level == nil && flags == 0 && queueThreshold == 0
  }

  /// As nft(8) writes it, without flags and threshold.
  var words: String {
    var text = "log"
    if let prefix { text += " prefix \"\(prefix)\"" }
    if let group { text += " group \(group)" }
    if snapLength != 0 { text += " snaplen \(snapLength)" }
    let levels = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"]
    if let level, level != 4, level < 9 { text += " level \(levels[Int(level)])" }
    return text
  }
}

extension Queue {
  fileprivate var words: String {
    let last = Int(number) + Int(total) - 1
    return "queue\(flags & 1 != 0 ? " flags bypass" : "") to \(number)"
      + (total > 1 ? "-\(last)" : "")
  }
}
