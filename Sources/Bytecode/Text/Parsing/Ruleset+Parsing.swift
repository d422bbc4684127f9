extension Ruleset {
  /// Reads a listing in the notation of `nft --debug=netlink`: rules with their table and chain.
  ///
  /// Takes what ``bytecodeListing(withProvenance:)`` writes and the rules of nft's own listings; a
  /// handle behind the chain's name is kept. Lines that begin with `#` are passed over. The result
  /// has tables and chains as far as rules name them: hooks, sets and objects have no place in the
  /// notation. Constants that the notation rounds up to words get the width of the load they are
  /// compared with.
  ///
  /// O(n) in the length of the text.
  ///
  /// - Throws: ``BytecodeSyntaxError`` with line and column of the first thing that does not fit;
  ///   also for lines where nft leaves out what the kernel holds (the structure of a `match`, the
  ///   flags of `synproxy`), and for elements of sets, which nft writes without types.
  public init(bytecodeListing text: String) throws(BytecodeSyntaxError) {
    var reader = ListingReader()
    var number = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      try reader.take(line, number)
    }
    self.init(tables: reader.tables)
  }
}

extension Expression {
  /// Reads one expression as ``listing`` writes it.
  ///
  /// - Throws: ``BytecodeSyntaxError``; the line is 1.
  public init(listing text: String) throws(BytecodeSyntaxError) {
    var scanner = LineScanner(text[...], line: 1, firstColumn: 1)
    var parser = BytecodeParser()
    self = try parser.expression(&scanner)
  }
}

/// Puts rules together from the lines of a listing.
private struct ListingReader {
  private(set) var tables: [Table] = []
  private var parser = BytecodeParser()
  /// Where the current rule stands; nil between rules.
  private var place: (table: Int, chain: Int)?

  mutating func take(_ line: Substring, _ number: Int) throws(BytecodeSyntaxError) {
    if line.isEmpty {
      place = nil
    } else if line.hasPrefix("  [ ") {
      try takeExpression(line, number)
    } else if !line.hasPrefix("#") {
      try takeHeader(line, number)
    }
  }

  private mutating func takeExpression(
    _ line: Substring, _ number: Int
  ) throws(BytecodeSyntaxError) {
    guard let place else {
      throw BytecodeSyntaxError(
        line: number, column: 1, reason: "expected family, table and chain above")
    }
    guard line.hasSuffix(" ]"), line.utf8.count > 6 else {
      throw BytecodeSyntaxError(
        line: number, column: line.utf8.count + 1, reason: "expected ` ]`")
    }
    var scanner = LineScanner(line.dropFirst(4).dropLast(2), line: number, firstColumn: 5)
    let expression = try parser.expression(&scanner)
    let last = tables[place.table].chains[place.chain].rules.count - 1
    tables[place.table].chains[place.chain].rules[last].append(expression)
  }

  private mutating func takeHeader(_ line: Substring, _ number: Int) throws(BytecodeSyntaxError) {
    var scanner = LineScanner(line, line: number, firstColumn: 1)
    let family = try scanner.take("a family") { word in
      TableFamily.allCases.first { $0.keyword == word }
    }
    let table = String(try scanner.word("a table"))
    if scanner.next?.hasPrefix("@") ?? false {
      throw scanner.error("elements of sets are written without their types; leave them out")
    }
    let chain = String(try scanner.word("a chain"))
    let handle: UInt64? = scanner.isAtEnd ? nil : try scanner.number()
    // The position, which a rule in a chain has anyway.
    if !scanner.isAtEnd { _ = try scanner.number(UInt64.self) }
    guard scanner.isAtEnd else { throw scanner.error("expected the end of the line") }
    addRule(family, table, chain, handle)
    parser = BytecodeParser()
  }

  private mutating func addRule(
    _ family: TableFamily, _ tableName: String, _ chainName: String, _ handle: UInt64?
  ) {
    let table =
      tables.firstIndex { $0.family == family && $0.name == tableName } ?? tables.endIndex
    if table == tables.endIndex { tables.append(Table(family: family, name: tableName)) }
    let chains = tables[table].chains
    let chain = chains.firstIndex { $0.name == chainName } ?? chains.endIndex
    if chain == chains.endIndex { tables[table].chains.append(Chain(name: chainName)) }
    tables[table].chains[chain].rules.append(Rule([], handle: handle))
    place = (table, chain)
  }
}

extension Rule {
  /// Appends an expression; what it takes from a register tells how long the constant there is.
  fileprivate mutating func append(_ expression: Expression) {
    for (register, length) in expression.constantLengths {
      let place = expressions.lastIndex { item in
        if case .immediate(.data(_, register)) = item { true } else { false }
      }
      guard let place, case .immediate(.data(let bytes, _)) = expressions[place],
        bytes.count > length, bytes[length...].allSatisfy({ $0 == 0 })
      else { continue }
      expressions[place] = .immediate(.data(Array(bytes[..<length]), into: register))
    }
    expressions.append(expression)
  }
}

extension Expression {
  /// The registers it reads and how many bytes it takes, where that is not whole words.
  fileprivate var constantLengths: [(Register, Int)] {
    switch self {
    case .metaSet(let store): [(store.source, store.key.lengthBytes)]
    case .ctSet(let store): [(store.source, store.key.lengthBytes)]
    case .payloadSet(let store): [(store.source, Int(store.lengthBytes))]
    case .extensionHeaderSet(let store): [(store.source, Int(store.lengthBytes))]
    case .nat(let nat): Expression.ports(nat.port, nat.portMax)
    case .masquerade(let masquerade): Expression.ports(masquerade.port, masquerade.portMax)
    case .redirect(let redirect): Expression.ports(redirect.port, redirect.portMax)
    case .transparentProxy(let proxy): Expression.ports(proxy.port, nil)
    default: []
    }
  }

  private static func ports(_ registers: Register?...) -> [(Register, Int)] {
    registers.compactMap { register in register.map { ($0, 2) } }
  }
}
