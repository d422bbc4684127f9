/// Expressions that most rulesets have none of.
extension BytecodeParser {
  /// Loads of facts; nil when the name is none of theirs.
  mutating func parseLoad(
    _ name: String, _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> Expression? {
    switch name {
    case "rt":
      try scanner.expect("load")
      let key = try scanner.take("a key of rt") { word in
        RouteKey.allCases.first { $0.keyword == word }
      }
      return .route(RouteLoad(key, into: try destination(&scanner, width: key.lengthBytes)))
    case "socket":
      try scanner.expect("load")
      let key = try scanner.take("a key of socket") { word in
        SocketKey.allCases.first { $0.keyword == word }
      }
      var level: UInt32 = 0
      if key == .cgroupv2 {
        try scanner.expect("level")
        level = try scanner.number()
      }
      let register = try destination(&scanner, width: key.lengthBytes)
      return .socket(SocketLoad(key, level: level, into: register))
    case "tunnel":
      try scanner.expect("load")
      let key = try scanner.take("a key of tunnel") { word in
        TunnelKey.allCases.first { $0.keyword == word }
      }
      let register = try destination(&scanner, width: key == .path ? 1 : 4)
      return .tunnel(
        TunnelLoad(key, mode: scanner.take("mode") ? try scanner.number() : 0, into: register))
    case "xfrm":
      try scanner.expect("load")
      let direction: UInt8 = try scanner.take("`in` or `out`") {
        $0 == "in" ? 0 : $0 == "out" ? 1 : nil
      }
      let number: UInt32 = try scanner.number()
      let key = try scanner.take("a key of xfrm") { word in
        TransformKey.allCases.first { $0.keyword == word }
      }
      let width = key == .daddr6 || key == .saddr6 ? 16 : 4
      let register = try destination(&scanner, width: width)
      return .transform(
        TransformLoad(key, direction: direction, number: number, into: register))
    case "osf":
      try scanner.expect("dreg")
      let register = try scanner.register()
      widths[register.word] = 16
      let ttl: UInt8 = scanner.take("ttl") ? try scanner.number() : 0
      let flags: UInt32 = scanner.take("flags") ? try scanner.number() : 0
      return .fingerprint(FingerprintLoad(ttl: ttl, flags: flags, into: register))
    case "hash", "numgen": return try generated(name, &scanner)
    case "inner":
      try scanner.expect("type")
      let type: UInt32 = try scanner.number()
      try scanner.expect("hdrsize")
      let size: UInt32 = try scanner.number()
      try scanner.expect("flags")
      let flags = try scanner.take("flags in hexadecimal") { UInt32($0, radix: 16) }
      var nested = try scanner.nested()
      return .inner(
        Inner(
          type: type, headerSizeBytes: size, flags: flags, expression: try expression(&nested)))
    default: return nil
    }
  }

  private mutating func generated(
    _ name: String, _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> Expression {
    try scanner.expect("reg")
    let register = try scanner.register()
    widths[register.word] = 4
    try scanner.expect("=")
    if name == "numgen" {
      let kind = try scanner.take("`inc` or `random`") { word in
        NumberGeneratorKind.allCases.first { $0.keyword == word }
      }
      try scanner.expect("mod")
      let modulus: UInt32 = try scanner.number()
      let offset: UInt32 = scanner.take("offset") ? try scanner.number() : 0
      return .numberGenerator(
        NumberGenerator(kind, modulus: modulus, offset: offset, into: register))
    }
    var hash = Hash(.symmetric, modulus: 0, into: register)
    if !scanner.take("symhash()") {
      try scanner.expect("jhash(reg")
      func argument<Value>(
        _ end: Character, _ scanner: inout LineScanner, _ read: (Substring) -> Value?
      ) throws(BytecodeSyntaxError) -> Value {
        try scanner.take("a number and `\(end)`") { word in
          word.last == end ? read(word.dropLast()) : nil
        }
      }
      hash.kind = .jenkins
      hash.source = try argument(",", &scanner) {
        UInt32($0).flatMap(Register.init(netlinkNumber:))
      }
      hash.lengthBytes = try argument(",", &scanner) { UInt32($0) }
      let seed = try argument(")", &scanner) { UInt32($0.dropFirst(2), radix: 16) }
      // The notation has no other word for none.
      hash.seed = seed == 0 ? nil : seed
    }
    try scanner.expect("%", "mod")
    hash.modulus = try scanner.number()
    if scanner.take("offset") { hash.offset = try scanner.number() }
    return .hash(hash)
  }

  /// Translations and copies; nil when the name is none of theirs.
  func parseTranslation(
    _ name: String, _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> Expression? {
    switch name {
    case "nat":
      let kind = try scanner.take("`snat` or `dnat`") { word in
        NATKind.allCases.first { $0.keyword == word }
      }
      let family = try scanner.take("a family") { word in
        [TableFamily.inet, .ip, .ip6].first { $0.keyword == word }
      }
      let address = try range("addr", &scanner)
      let port = try range("proto", &scanner)
      let flags = try flags(&scanner, address: address.least, port: port.least)
      return .nat(
        NAT(
          kind, family: family, address: address.least, addressMax: address.most,
          port: port.least, portMax: port.most, flags: flags))
    case "masq":
      let port = try range("proto", &scanner)
      let flags = try flags(&scanner, port: port.least)
      return .masquerade(Masquerade(port: port.least, portMax: port.most, flags: flags))
    case "redir":
      let port = try range("proto", &scanner)
      let flags = try flags(&scanner, port: port.least)
      return .redirect(Redirect(port: port.least, portMax: port.most, flags: flags))
    case "dup":
      let address = scanner.take("sreg_addr") ? try scanner.register() : nil
      let device = scanner.take("sreg_dev") ? try scanner.register() : nil
      return .duplicate(Duplicate(address: address, device: device))
    case "fwd":
      try scanner.expect("sreg_dev")
      let device = try scanner.register()
      let address = scanner.take("sreg_addr") ? try scanner.register() : nil
      let family: UInt32? = scanner.take("nfproto") ? try scanner.number() : nil
      return .forward(Forward(device: device, address: address, family: family))
    case "tproxy":
      var family = TableFamily.inet
      if scanner.take("ip") { family = .ip } else if scanner.take("ip6") { family = .ip6 }
      let address = try registerAfter("addr", &scanner)
      let port = try registerAfter("port", &scanner)
      return .transparentProxy(TransparentProxy(family: family, address: address, port: port))
    default: return nil
    }
  }

  private func registerAfter(
    _ word: String, _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> Register? {
    guard scanner.take(word) else { return nil }
    try scanner.expect("reg")
    return try scanner.register()
  }

  private func range(
    _ word: String, _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> (least: Register?, most: Register?) {
    guard let least = try registerAfter("\(word)_min", &scanner) else { return (nil, nil) }
    let most = try registerAfter("\(word)_max", &scanner)
    return (least, most == least ? nil : most)
  }

  private func flags(
    _ scanner: inout LineScanner, address: Register? = nil, port: Register?
  ) throws(BytecodeSyntaxError) -> NATFlags {
    guard scanner.take("flags") else { return [] }
    var flags = NATFlags(rawValue: try scanner.number())
    if address != nil { flags.remove(.mapAddresses) }
    if port != nil { flags.remove(.portSpecified) }
    return flags
  }
}
