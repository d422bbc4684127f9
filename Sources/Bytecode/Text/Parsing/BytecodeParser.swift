/// Reads the notation of `nft --debug=netlink`.
///
/// The notation rounds constants up to words of 4 bytes. Where the rule has loaded the register
/// before, the load's width gives a constant its length back; elsewhere it has whole words, which
/// means the same, because the kernel pads with zeros.
struct BytecodeParser {
  /// Bytes that the rule has put into registers, by their first word.
  var widths: [Int: Int] = [:]

  /// Reads one expression.
  mutating func expression(
    _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> Expression {
    if scanner.contains("??") { return try unknown(&scanner) }
    let start = scanner
    let name = String(try scanner.word("an expression"))
    let expression: Expression?
    switch name {
    case "meta": expression = try meta(&scanner)
    case "payload": expression = try payload(&scanner)
    case "ct": expression = try ct(&scanner)
    case "cmp": expression = try compare(&scanner)
    case "range": expression = try range(&scanner)
    case "bitwise": expression = try bitwise(&scanner)
    case "byteorder": expression = try byteorder(&scanner)
    case "lookup": expression = try lookup(&scanner)
    case "dynset": expression = try dynamicSet(&scanner)
    case "immediate": expression = try immediate(&scanner)
    case "objref": expression = try objectReference(&scanner)
    case "exthdr": expression = try extensionHeader(&scanner)
    case "fib": expression = try fib(&scanner)
    default: expression = try rare(name, &scanner)
    }
    guard let expression else { throw start.error("no expression is called `\(name)`") }
    guard scanner.isAtEnd else { throw scanner.error("expected the end of the expression") }
    return expression
  }

  private mutating func rare(
    _ name: String, _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> Expression? {
    if let load = try parseLoad(name, &scanner) { return load }
    if let translation = try parseTranslation(name, &scanner) { return translation }
    return try parseStatement(name, &scanner)
  }

  /// A constant as long as what the register holds.
  func constant(_ bytes: [UInt8], for register: Register) -> [UInt8] {
    guard let width = widths[register.word] else { return bytes }
    if width <= bytes.count { return Array(bytes.prefix(width)) }
    // Less than was loaded: the beginning of a name, without what the notation rounds up.
    let end = bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? bytes.count
    return Array(bytes[..<max(end, bytes.count - 3)])
  }

  private func unknown(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression {
    var words: [Substring] = []
    while let word = scanner.next, word != "??" { words.append(try scanner.word("\(word)")) }
    try scanner.expect("??")
    let bytes = try scanner.blob()
    guard !words.isEmpty, scanner.isAtEnd else { throw scanner.error("expected a name and bytes") }
    return .unknown(name: words.joined(separator: " "), bytes: bytes)
  }

  // MARK: Loads and stores

  private mutating func meta(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression
  {
    let isLoad = try loadOrSet(&scanner)
    let key = try scanner.take("a key of meta") { word in
      MetaKey.allCases.first { $0.listingWord == word }
    }
    if !isLoad {
      try scanner.expect("with", "reg")
      return .metaSet(MetaSet(key, from: try scanner.register()))
    }
    let register = try destination(&scanner, width: key.lengthBytes)
    return .meta(MetaLoad(key, into: register))
  }

  private func loadOrSet(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Bool {
    if scanner.take("load") { return true }
    guard scanner.take("set") else { throw scanner.error("expected `load` or `set`") }
    return false
  }

  /// Takes `=> reg N` and notes what the register then holds.
  mutating func destination(
    _ scanner: inout LineScanner, width: Int?
  ) throws(BytecodeSyntaxError) -> Register {
    try scanner.expect("=>", "reg")
    let register = try scanner.register()
    widths[register.word] = width
    return register
  }

  private func byteCount(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> UInt32 {
    try scanner.take("a number of bytes") { word in
      word.hasSuffix("b") ? UInt32(word.dropLast()) : nil
    }
  }

  private mutating func payload(
    _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> Expression {
    var source: Register?
    if scanner.take("write") {
      try scanner.expect("reg")
      source = try scanner.register()
      try scanner.expect("=>")
    } else {
      try scanner.expect("load")
    }
    let length = try byteCount(&scanner)
    try scanner.expect("@")
    let base = try scanner.take("a header") { word in
      PayloadBase.allCases.first { $0.listingWord == word }
    }
    try scanner.expect("header", "+")
    let offset: UInt32 = try scanner.number()
    guard let source else {
      let register = try destination(&scanner, width: Int(length))
      return .payload(
        PayloadLoad(base, offsetBytes: offset, lengthBytes: length, into: register))
    }
    try scanner.expect("csum_type")
    let checksum = try scanner.take("a kind of checksum") { word in
      UInt32(word).flatMap(PayloadChecksum.init(rawValue:))
    }
    try scanner.expect("csum_off")
    let place: UInt32 = try scanner.number()
    try scanner.expect("csum_flags")
    return .payloadSet(
      PayloadSet(
        base, offsetBytes: offset, lengthBytes: length, from: source, checksum: checksum,
        checksumOffset: place, checksumFlags: try scanner.number()))
  }

  private mutating func ct(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression {
    let isLoad = try loadOrSet(&scanner)
    let key = try scanner.take("a key of ct") { word in
      ConntrackKey.allCases.first { $0.keyword == word }
    }
    let register: Register
    if isLoad {
      // Addresses of the flow's own family have either length.
      let isEither = key == .source || key == .destination
      register = try destination(&scanner, width: isEither ? nil : key.lengthBytes)
    } else {
      try scanner.expect("with", "reg")
      register = try scanner.register()
    }
    var direction: UInt8?
    if scanner.take(",") {
      try scanner.expect("dir")
      direction = try scanner.take("a direction") { $0 == "original" ? 0 : $0 == "reply" ? 1 : nil }
    }
    return isLoad
      ? .ct(ConntrackLoad(key, direction: direction, into: register))
      : .ctSet(ConntrackSet(key, direction: direction, from: register))
  }

  private mutating func extensionHeader(
    _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> Expression {
    let verb = try scanner.word("`load`, `write` or `reset`")
    let operation = try extensionHeaderKind(&scanner)
    switch verb {
    case "reset":
      return .extensionHeaderReset(
        ExtensionHeaderReset(operation: operation, type: try scanner.number()))
    case "write":
      try scanner.expect("reg")
      let source = try scanner.register()
      try scanner.expect("=>")
      let place = try extensionHeaderPlace(&scanner)
      return .extensionHeaderSet(
        ExtensionHeaderSet(
          operation: operation, type: place.type, offsetBytes: place.offset,
          lengthBytes: place.length, from: source))
    case "load":
      let place = try extensionHeaderPlace(&scanner)
      let isPresence = scanner.take("present")
      let register = try destination(&scanner, width: isPresence ? 1 : Int(place.length))
      return .extensionHeader(
        ExtensionHeaderLoad(
          operation: operation, type: place.type, offsetBytes: place.offset,
          lengthBytes: place.length, isPresence: isPresence, into: register))
    default: throw scanner.error("expected `load`, `write` or `reset` before")
    }
  }

  private func extensionHeaderKind(
    _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> UInt32 {
    if scanner.take("ipv6") { return 0 }
    if scanner.take("tcpopt") { return 1 }
    if scanner.take("ipv4") { return 2 }
    if scanner.take("sctp") {
      try scanner.expect("chunk")
      return 3
    }
    if scanner.take("dccp") {
      try scanner.expect("option")
      return 4
    }
    throw scanner.error("expected `ipv6`, `tcpopt`, `ipv4`, `sctp chunk` or `dccp option`")
  }

  private func extensionHeaderPlace(
    _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> (length: UInt32, type: UInt8, offset: UInt32) {
    let length = try byteCount(&scanner)
    try scanner.expect("@")
    let type: UInt8 = try scanner.number()
    try scanner.expect("+")
    return (length, type, try scanner.number())
  }

  private mutating func fib(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression
  {
    var flags: UInt32 = 0
    repeat {
      flags |= try scanner.take("a word of fib") { word in
        FibLoad.flagWords.first { $0.1 == word }?.0
      }
    } while scanner.take(".")
    let result = try scanner.take("`oif`, `oifname` or `type`") { word in
      FibLoad.resultWords.firstIndex(of: String(word)).flatMap { $0 > 0 ? UInt32($0) : nil }
    }
    if scanner.take("present") { flags |= 32 }
    // Presence is one byte, which nft compares as a whole word.
    let width = flags & 32 == 0 && result == 2 ? 16 : 4
    let register = try destination(&scanner, width: width)
    return .fib(FibLoad(result: result, flags: flags, into: register))
  }
}
