/// Expressions that compare, compute, look up and decide.
extension BytecodeParser {
  func compare(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression {
    let operation = try scanner.take("a comparison") { word in
      CompareOperator.allCases.first { $0.mnemonic == word }
    }
    try scanner.expect("reg")
    let register = try scanner.register()
    let words = try scanner.bytes()
    guard scanner.take("len") else {
      return .compare(Compare(register, operation, constant(words, for: register)))
    }
    let length = try scanner.take("the length of these words") { word in
      Int(word).flatMap { (words.count - 3...words.count).contains($0) ? $0 : nil }
    }
    return .compare(Compare(register, operation, Array(words[..<length])))
  }

  func range(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression {
    let isInverted = try scanner.take("`eq` or `neq`") {
      $0 == "eq" ? false : $0 == "neq" ? true : nil
    }
    try scanner.expect("reg")
    let register = try scanner.register()
    let both = try scanner.bytes()
    guard both.count % 8 == 0 else { throw scanner.error("expected two values of one length") }
    let half = both.count / 2
    return .range(
      RangeCompare(
        register, isInverted: isInverted,
        from: constant(Array(both[..<half]), for: register),
        to: constant(Array(both[half...]), for: register)))
  }

  mutating func bitwise(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression {
    try scanner.expect("reg")
    let destination = try scanner.register()
    try scanner.expect("=", "(", "reg")
    let source = try scanner.register()
    let sign = try scanner.take("an operator") { word in
      ["&", "|", "^", "<<", ">>"].contains(word) ? String(word) : nil
    }
    let width = widths[source.word]
    widths[destination.word] = width
    if sign == "<<" || sign == ">>" {
      let bits: UInt32 = try scanner.number()
      try scanner.expect(")")
      return .shift(
        Shift(
          sign == "<<" ? .left : .right, source: source, destination: destination,
          lengthBytes: UInt32(width ?? 4), bits: bits))
    }
    guard let operation = BitwiseOperator.allCases.first(where: { $0.keyword == sign }) else {
      throw scanner.error("expected an operator before")
    }
    if scanner.take("reg") {
      let second = try scanner.register()
      try scanner.expect(")")
      return .bitwiseOperation(
        BitwiseOperation(
          operation, source: source, operand: .register(second), destination: destination,
          lengthBytes: UInt32(width ?? 4)))
    }
    let mask = constant(try scanner.bytes(), for: source)
    try scanner.expect(")")
    if sign == "&", scanner.take("^") {
      let xor = constant(try scanner.bytes(), for: source)
      guard xor.count == mask.count else {
        throw scanner.error("expected as many words as in the mask")
      }
      widths[destination.word] = mask.count
      return .bitwise(Bitwise(source: source, destination: destination, mask: mask, xor: xor))
    }
    return .bitwiseOperation(
      BitwiseOperation(
        operation, source: source, operand: .data(mask), destination: destination,
        lengthBytes: UInt32(mask.count)))
  }

  mutating func byteorder(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression {
    try scanner.expect("reg")
    let destination = try scanner.register()
    try scanner.expect("=")
    let operation: UInt32 = try scanner.take("`ntoh(reg` or `hton(reg`") {
      $0 == "ntoh(reg" ? 0 : $0 == "hton(reg" ? 1 : nil
    }
    func argument(_ end: Character, _ scanner: inout LineScanner) throws(BytecodeSyntaxError)
      -> UInt32
    {
      try scanner.take("a number and `\(end)`") { word in
        word.last == end ? UInt32(word.dropLast()) : nil
      }
    }
    let number = try argument(",", &scanner)
    guard let source = Register(netlinkNumber: number) else {
      throw scanner.error("expected a register before")
    }
    let size = try argument(",", &scanner)
    let length = try argument(")", &scanner)
    widths[destination.word] = Int(length)
    return .byteorder(
      Byteorder(
        source: source, destination: destination, operation: operation, lengthBytes: length,
        sizeBytes: size))
  }

  mutating func lookup(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression {
    try scanner.expect("reg")
    let source = try scanner.register()
    try scanner.expect("set")
    let set = String(try scanner.word("a set"))
    var destination: Register?
    if scanner.take("dreg") {
      let register = try scanner.register()
      widths[register.word] = nil
      destination = register
    }
    let flags: UInt32 = try scanner.number()
    guard flags <= 1 else { throw scanner.error("expected 0x0 or 0x1 before") }
    return .lookup(Lookup(source, in: set, destination: destination, isInverted: flags == 1))
  }

  mutating func dynamicSet(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression {
    let operation = try scanner.take("`add`, `update` or `delete`") { word in
      DynamicSetOperator.allCases.first { $0.keyword == word }
    }
    try scanner.expect("reg_key")
    let key = try scanner.register()
    try scanner.expect("set")
    var dynamic = DynamicSet(operation, set: String(try scanner.word("a set")), key: key)
    if scanner.take("sreg_data") { dynamic.data = try scanner.register() }
    if scanner.take("timeout") {
      let timeout = try scanner.take("milliseconds") { word in
        word.hasSuffix("ms") ? UInt64(word.dropLast(2)) : nil
      }
      dynamic.timeoutMilliseconds = timeout == 0 ? nil : timeout
    }
    dynamic.isInverted = scanner.take("inv")
    while scanner.take("expr") {
      var inner = try scanner.nested()
      dynamic.expressions.append(try expression(&inner))
    }
    return .dynamicSet(dynamic)
  }

  mutating func immediate(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression {
    try scanner.expect("reg")
    let register = try scanner.register()
    guard register == .verdict else {
      let bytes = try scanner.bytes()
      widths[register.word] = bytes.count
      return .immediate(.data(bytes, into: register))
    }
    let plain: [Substring: Verdict] = [
      "accept": .accept, "drop": .drop, "continue": .continue, "break": .break, "return": .return,
    ]
    if let word = scanner.next, let verdict = plain[word] {
      _ = scanner.take(String(word))
      return .immediate(.verdict(verdict))
    }
    let isJump = scanner.take("jump")
    guard isJump || scanner.take("goto") else { throw scanner.error("expected a verdict") }
    try scanner.expect("->")
    let chain = String(try scanner.word("a chain"))
    return .immediate(.verdict(isJump ? .jump(chain) : .goto(chain)))
  }

  func objectReference(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Expression {
    if scanner.take("sreg") {
      let source = try scanner.register()
      try scanner.expect("set")
      return .objectMap(ObjectMap(source, in: String(try scanner.word("a map"))))
    }
    try scanner.expect("type")
    let type: UInt32 = try scanner.number()
    try scanner.expect("name")
    return .objectReference(ObjectReference(type: type, name: String(try scanner.word("a name"))))
  }
}
