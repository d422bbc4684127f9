/// Turns the expressions of a rule into nft(8) statements.
///
/// Follows what each register holds, and leaves out the loads of family and layer-4 protocol that
/// nft(8) puts back when it reads the text. The text of the statements, loaded, gives the same
/// meaning again; what has no such text is an error, never an approximation.
struct RuleDecompiler {
  /// What a register holds.
  enum Held: Equatable {
    case selector(Selector, mask: [UInt8]?)
    case swapped(Selector)
    case constant([UInt8])
    case mapped([Selector], NamedSet)
  }

  let table: Table
  let sets: [String: NamedSet]
  let chain: String
  let rule: Int

  var statements: [Statement] = []
  var registers: [Int: Held] = [:]
  var unread: Set<Int> = []
  /// The family that a match fixed, `NFPROTO_*`.
  var family: UInt8?
  /// The layer-4 protocol that a match fixed.
  var transport: UInt8?
  /// Whether words that are no text to load will do.
  var isReadable = false
  /// The expression at hand, for errors.
  var current: Expression?

  init(table: Table, sets: [String: NamedSet], chain: String, rule: Int) {
    self.table = table
    self.sets = sets
    self.chain = chain
    self.rule = rule
    switch table.family {
    case .ip: family = 2
    case .ip6: family = 10
    default: family = nil
    }
  }

  /// The statements of a rule.
  static func statements(
    of expressions: [Expression], table: Table, sets: [String: NamedSet], chain: String, rule: Int
  ) throws(BytecodeError) -> [Statement] {
    var decompiler = RuleDecompiler(table: table, sets: sets, chain: chain, rule: rule)
    var index = 0
    while index < expressions.count {
      decompiler.current = expressions[index]
      let next = index + 1 < expressions.count ? expressions[index + 1] : nil
      index += try decompiler.read(expressions[index], next: next)
    }
    if !decompiler.unread.isEmpty { throw decompiler.refusal("a loaded register is never used") }
    try decompiler.refuseMergedNegations()
    try decompiler.refuseNamedRealms()
    try decompiler.refuseLooseEtherTypes()
    return decompiler.statements
  }

  func refusal(_ reason: String) -> BytecodeError {
    .inexpressible(
      chain: chain, rule: rule, expression: current?.listing ?? "", reason: reason)
  }

  /// Reads one expression; returns how many it took.
  mutating func read(
    _ expression: Expression, next: Expression?
  ) throws(BytecodeError) -> Int {
    switch expression {
    case .meta, .ct, .payload, .fib, .extensionHeader: try loadOrSay(expression)
    case .route, .socket, .fingerprint, .numberGenerator:
      guard isReadable else { throw refusal("not modelled") }
      try readableLoad(expression)
    case .bitwise(let bitwise): try maskOrSay(bitwise)
    case .byteorder(let swap): try self.swap(swap)
    case .compare(let compare):
      if case .compare(let upper)? = next, compare.operation == .greaterOrEqual,
        upper.operation == .lessOrEqual, upper.source == compare.source
      {
        try match(range: compare.source, isInverted: false, compare.value, upper.value)
        return 2
      }
      try match(compare)
    case .range(let range):
      try match(range: range.source, isInverted: range.isInverted, range.from, range.to)
    case .lookup(let lookup): try self.lookup(lookup)
    case .immediate(.data(let bytes, let register)):
      hold(.constant(bytes), in: register)
    default: try actOrSay(expression)
    }
    return 1
  }

  private mutating func loadOrSay(_ expression: Expression) throws(BytecodeError) {
    guard isReadable else { return try load(expression) }
    let before = self
    do { try load(expression) } catch {
      self = before
      try readableLoad(expression)
    }
  }

  private mutating func maskOrSay(_ bitwise: Bitwise) throws(BytecodeError) {
    guard isReadable else { return try mask(bitwise) }
    let before = self
    do { try mask(bitwise) } catch {
      self = before
      try readableMask(bitwise)
    }
  }

  private mutating func actOrSay(_ expression: Expression) throws(BytecodeError) {
    guard isReadable else { return try act(expression) }
    let before = self
    do { try act(expression) } catch {
      self = before
      try readableAct(expression)
    }
  }

  /// Reads an expression that does something instead of matching.
  private mutating func act(_ expression: Expression) throws(BytecodeError) {
    switch expression {
    case .immediate(.verdict(let verdict)): statements.append(.verdict(verdict))
    case .counter(let counter): statements.append(.counter(counter))
    case .objectReference(let reference):
      switch reference.type {
      case 1: statements.append(.namedCounter(reference.name))
      case 7: statements.append(.namedTimeout(reference.name))
      default: throw refusal("only counters and conntrack timeouts are modelled")
      }
    case .limit(let limit) where limit.unit == .packets: statements.append(.limit(limit))
    case .log(let log) where log.isPlain: statements.append(.log(log))
    case .reject(let reject) where table.family != .netdev: try self.reject(reject)
    case .metaSet(let store): try self.store(store)
    case .redirect(let redirect): try self.redirect(redirect)
    default: throw refusal("not modelled")
    }
  }

  mutating func hold(_ value: Held, in register: Register) {
    registers[register.word] = value
    unread.insert(register.word)
  }

  mutating func take(_ register: Register) throws(BytecodeError) -> Held {
    guard let held = registers[register.word] else {
      throw refusal("register \(register.netlinkNumber) holds nothing")
    }
    unread.remove(register.word)
    return held
  }

  // MARK: Dependencies

  /// Leaves out the matches on family and protocol that nft(8) generates for `selectors`.
  ///
  /// nft(8) puts `meta nfproto` (`meta protocol` in a netdev table) and then `meta l4proto` right
  /// before the statement that needs them, unless an earlier match has fixed them.
  mutating func dropDependencies(of selectors: [Selector]) {
    let headers = selectors.compactMap(\.header)
    let impliedTransport = headers.contains { $0.base == .transport && $0.header != "th" }
    let isIcmp = headers.contains { $0.header == "icmp" || $0.header == "icmpv6" }
    let impliedFamily =
      isIcmp || headers.contains { $0.base == .network }
      || selectors.contains { $0.isFamilyBound }
    guard impliedTransport, isMatch(statements.last, on: .l4proto) else {
      if impliedFamily, isMatch(statements.last, on: familyKey) { statements.removeLast() }
      return
    }
    let hasFamilyBefore = isMatch(statements.dropLast().last, on: familyKey)
    if isIcmp && family == nil { return }
    statements.removeLast()
    if impliedFamily && hasFamilyBefore { statements.removeLast() }
  }

  /// What fixes the family in this table.
  var familyKey: MetaKey { table.family == .netdev ? .protocol : .nfproto }

  /// Whether the statement is an equality on a family or protocol.
  func isMatch(_ statement: Statement?, on key: MetaKey) -> Bool {
    guard case .match(let selector, nil, .implicit, .value)? = statement else { return false }
    return selector.source == .meta(key)
  }

  /// Refuses two negated matches on neighbouring header bytes.
  ///
  /// nft 1.0.6 merges them into one comparison of both, which means something else.
  private func refuseMergedNegations() throws(BytecodeError) {
    var seen: [(base: PayloadBase, first: UInt32, end: UInt32)] = []
    for case .match(let selector, nil, .notEqual, .value) in statements {
      guard let load = selector.loadedBytes else { continue }
      for other in seen where other.base == load.base {
        let touches = other.end == load.first || load.end == other.first
        guard !touches else { throw refusal("nft 1.0.6 merges neighbouring `!=` matches") }
      }
      seen.append(load)
    }
  }

  /// Refuses a realm that nft(8) may list by a name of `/etc/iproute2/rt_realms`.
  ///
  /// The match that every route's realm meets says only that the packet has a route.
  private func refuseNamedRealms() throws(BytecodeError) {
    for statement in statements where statement.selectors.contains(where: \.isRealm) {
      guard case .match(_, nil, .lessOrEqual, .value([0xff, 0xff, 0xff, 0xff])) = statement else {
        throw refusal("a realm may be listed by a name")
      }
    }
  }

  /// Refuses a match on the ethertype in a netdev table that no field of an IP header follows.
  ///
  /// nft 1.0.6 lists some of them and leaves others out.
  private func refuseLooseEtherTypes() throws(BytecodeError) {
    guard table.family == .netdev else { return }
    for statement in statements
    where statement.selectors.contains(where: { $0.source == .meta(.protocol) }) {
      throw refusal("an ethertype is only modelled before a field of an IP header")
    }
  }
}

extension Selector {
  /// The named header field, if it is one.
  var header: HeaderField? {
    if case .header(let field) = source { field } else { nil }
  }

  /// Whether it is an option or extension header, which belong to one family.
  var isFamilyBound: Bool {
    if case .presence(let group, _) = source { group != "tcp option" } else { false }
  }

  /// Whether it is the realm of the packet's route.
  var isRealm: Bool { source == .meta(.rtclassid) }

  /// Which packet bytes it reads.
  var loadedBytes: (base: PayloadBase, first: UInt32, end: UInt32)? {
    switch source {
    case .header(let field): (field.base, field.offset, field.offset + field.length)
    case .raw(let load): (load.base, load.offsetBytes, load.offsetBytes + load.lengthBytes)
    default: nil
    }
  }
}
