extension Rule {
  /// The rule as one line for people, in the words of nft(8) as far as they reach.
  ///
  /// Unlike ``Table/nftRule(_:of:)`` it never fails: an expression that has no faithful words, or that
  /// uses a register which holds something without, stands in its place as `[ listing ]`, with the
  /// loads before it. Matches and targets of xtables are written as `xt name …` with what their
  /// structure says. The line is for reading and cannot always be loaded.
  ///
  /// O(n) in the number of expressions and of elements of anonymous sets.
  ///
  /// Example: `meta skuid 1000 tcp dport { 80, 443 } accept`;
  /// `[ xfrm load in 0 spi => reg 1 ] [ cmp eq reg 1 0x05000000 ] drop`.
  public func readable(in table: Table) -> String {
    var text = NftText(table: table)
    let statements = RuleDecompiler.readableStatements(
      of: expressions, table: table, sets: text.sets)
    do throws(BytecodeError) {
      for (index, statement) in statements.enumerated() {
        if index > 0 { text.out.put(" ") }
        try text.put(statement)
      }
    } catch {
      // A set in the rule has no words.
      text.out = TextBuffer()
      text.out.put(expressions.map { "[ \($0.listing) ]" }.joined(separator: " "))
    }
    if let comment { text.out.put(" comment \"\(comment)\"") }
    return text.out.string
  }
}

extension RuleDecompiler {
  /// The statements of a rule; what has no words is a phrase that holds its listing.
  static func readableStatements(
    of expressions: [Expression], table: Table, sets: [String: NamedSet]
  ) -> [Statement] {
    var decompiler = RuleDecompiler(table: table, sets: sets, chain: "", rule: 0)
    decompiler.isReadable = true
    // Expressions that no statement tells of yet.
    var pending: [Expression] = []
    var index = 0
    while index < expressions.count {
      let expression = expressions[index]
      let next = index + 1 < expressions.count ? expressions[index + 1] : nil
      let before = decompiler
      decompiler.current = expression
      do throws(BytecodeError) {
        index += try decompiler.read(expression, next: next)
        pending.append(expression)
        if decompiler.unread.isEmpty { pending = [] }
      } catch {
        decompiler = before
        for item in pending + [expression] {
          decompiler.statements.append(.phrase("[ \(item.listing) ]"))
        }
        pending = []
        decompiler.registers = [:]
        decompiler.unread = []
        index += 1
      }
    }
    for item in pending { decompiler.statements.append(.phrase("[ \(item.listing) ]")) }
    return decompiler.statements
  }

  /// Holds a load that only ``Rule/readable(in:)`` has words for.
  mutating func readableLoad(_ expression: Expression) throws(BytecodeError) {
    let found: (words: String, type: ValueType, lengthBytes: Int, register: Register)
    switch expression {
    case .meta(let load):
      found = (
        "meta \(load.key.keyword)", load.key.readableType, load.key.lengthBytes,
        load.destination
      )
    case .ct(let load): found = readable(load)
    case .fib(let load):
      guard load.result != 3 || load.flags & 32 == 0 else { throw refusal("not modelled") }
      let words = FibLoad.flagWords.filter { load.flags & $0.0 != 0 }.map(\.1)
      let result = FibLoad.resultWords[Int(min(load.result, 3))]
      let presence = load.flags & 32 != 0 ? " exists" : ""
      found = (
        "fib \(words.joined(separator: " . ")) \(result)\(presence)",
        load.result == 2 ? .interfaceName : .hostNumber,
        load.result == 2 && presence.isEmpty ? 16 : 4, load.destination
      )
    case .route(let load):
      let type: ValueType =
        switch load.key {
        case .nexthop4: .ipv4Address
        case .nexthop6: .ipv6Address
        default: .hostNumber
        }
      found = ("rt \(load.key.keyword)", type, load.key.lengthBytes, load.destination)
    case .socket(let load):
      let level = load.key == .cgroupv2 ? " level \(load.level)" : ""
      found = (
        "socket \(load.key.keyword)\(level)", load.key == .mark ? .mark : .hostNumber,
        load.key.lengthBytes, load.destination
      )
    case .fingerprint(let load): found = ("osf name", .interfaceName, 16, load.destination)
    case .numberGenerator(let generator):
      let offset = generator.offset > 0 ? " offset \(generator.offset)" : ""
      found = (
        "numgen \(generator.kind.keyword) mod \(generator.modulus)\(offset)", .hostNumber, 4,
        generator.destination
      )
    default: throw refusal("not modelled")
    }
    let selector = Selector(
      source: .phrase(found.words), type: found.type, lengthBytes: found.lengthBytes)
    hold(.selector(selector, mask: nil), in: found.register)
  }

  private func readable(
    _ load: ConntrackLoad
  ) -> (words: String, type: ValueType, lengthBytes: Int, register: Register) {
    let side = load.direction.map { $0 == 0 ? "original " : "reply " } ?? ""
    let isSix = family == 10
    let (word, type, length): (String, ValueType, Int) =
      switch load.key {
      case .source: ("saddr", isSix ? .ipv6Address : .ipv4Address, isSix ? 16 : 4)
      case .destination: ("daddr", isSix ? .ipv6Address : .ipv4Address, isSix ? 16 : 4)
      case .sourceIPv4: ("ip saddr", .ipv4Address, 4)
      case .destinationIPv4: ("ip daddr", .ipv4Address, 4)
      case .sourceIPv6: ("ip6 saddr", .ipv6Address, 16)
      case .destinationIPv6: ("ip6 daddr", .ipv6Address, 16)
      case .sourcePort: ("proto-src", .inetService, 2)
      case .destinationPort: ("proto-dst", .inetService, 2)
      case .protocol: ("protocol", .inetProtocol, 1)
      case .l3protocol: ("l3proto", .nfproto, 1)
      case .helper: ("helper", .interfaceName, 16)
      case .state: ("state", .ctState, 4)
      case .status: ("status", .ctStatus, 4)
      case .mark: ("mark", .mark, 4)
      case .labels: ("label", .raw, 16)
      default: (load.key.keyword, .hostNumber, load.key.lengthBytes)
      }
    return ("ct \(side)\(word)", type, length, load.destination)
  }
}

extension MetaKey {
  fileprivate var readableType: ValueType {
    switch self {
    case .ibrname, .obrname, .iifkind, .oifkind, .sdifname: .interfaceName
    case .nfproto: .nfproto
    case .ibrvproto: .etherType
    case .ibrhwaddr: .raw
    default: .hostNumber
    }
  }
}
