/// The notation of `nft --debug=netlink`.
extension Expression {
  /// The expression as `nft --debug=netlink` prints it between brackets.
  ///
  /// Values are register words of 4 bytes, each printed as the number that the host reads from it.
  ///
  /// Source: `nftnl_expr_*_snprintf`, libnftnl 1.2.4.
  /// Example: `payload load 2b @ transport header + 2 => reg 1`.
  public var listing: String {
    switch self {
    case .meta(let load): "meta load \(load.key.listingWord) => reg \(load.destination.listing)"
    case .metaSet(let store): "meta set \(store.key.listingWord) with reg \(store.source.listing)"
    case .payload(let load):
      "payload load \(load.lengthBytes)b @ \(load.base.listingWord) header + \(load.offsetBytes)"
        + " => reg \(load.destination.listing)"
    case .ct(let load):
      "ct load \(load.key.keyword) => reg \(load.destination.listing)"
        + load.direction.listing
    case .compare(let compare):
      "cmp \(compare.operation.mnemonic) reg \(compare.source.listing) \(words(compare.value))"
    case .range(let range):
      "range \(range.isInverted ? "neq" : "eq") reg \(range.source.listing) "
        + "\(words(range.from)) \(words(range.to))"
    case .bitwise(let bitwise):
      "bitwise reg \(bitwise.destination.listing) = ( reg \(bitwise.source.listing) & "
        + "\(words(bitwise.mask)) ) ^ \(words(bitwise.xor))"
    case .byteorder(let swap):
      "byteorder reg \(swap.destination.listing) = \(swap.operation == 0 ? "ntoh" : "hton")"
        + "(reg \(swap.source.listing), \(swap.sizeBytes), \(swap.lengthBytes))"
    case .lookup(let lookup):
      "lookup reg \(lookup.source.listing) set \(lookup.set)"
        + (lookup.destination.map { " dreg \($0.listing)" } ?? "")
        + " 0x\(lookup.isInverted ? 1 : 0)"
    case .immediate(.verdict(let verdict)): "immediate reg 0 \(verdict.listing)"
    case .immediate(.data(let bytes, let register)):
      "immediate reg \(register.listing) \(words(bytes))"
    case .counter(let counter): "counter pkts \(counter.packets) bytes \(counter.bytes)"
    case .objectReference(let reference): "objref type \(reference.type) name \(reference.name)"
    case .reject(let reject): "reject type \(reject.type) code \(reject.code)"
    case .extensionHeader(let load): load.listing
    case .fib(let load): load.listing
    default: rareListing
    }
  }

  func words(_ bytes: [UInt8]) -> String {
    stride(from: 0, to: bytes.count, by: 4).map { start in
      let word = bytes[start..<min(start + 4, bytes.count)]
      var text = TextBuffer()
      text.put("0x")
      text.put(hex: word.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }, width: 8)
      return text.string
    }.joined(separator: " ")
  }
}

extension Register {
  var listing: String { String(netlinkNumber) }
}

extension MetaKey {
  var listingWord: String {
    switch self {
    case .length: "len"
    case .random: "prandom"
    default: keyword
    }
  }
}

extension PayloadBase {
  var listingWord: String { String(describing: self) }
}

extension UInt8? {
  /// The direction of a conntrack expression.
  var listing: String {
    map { " , dir \($0 == 0 ? "original" : $0 == 1 ? "reply" : "unknown")" } ?? ""
  }
}

extension Verdict {
  fileprivate var listing: String {
    switch self {
    case .jump(let chain): "jump -> \(chain)"
    case .goto(let chain): "goto -> \(chain)"
    default: String(describing: self)
    }
  }
}

extension ExtensionHeaderLoad {
  fileprivate var listing: String {
    return
      "exthdr load \(ExtensionHeaderLoad.word(operation)) \(lengthBytes)b @ \(type) + \(offsetBytes)"
      + "\(isPresence ? " present" : "") => reg \(destination.netlinkNumber)"
  }
}

extension FibLoad {
  static let flagWords: [(UInt32, String)] = [
    (1, "saddr"), (2, "daddr"), (4, "mark"), (8, "iif"), (16, "oif"),
  ]
  static let resultWords = ["unknown", "oif", "oifname", "type"]

  fileprivate var listing: String {
    let words = FibLoad.flagWords.filter { flags & $0.0 != 0 }.map(\.1).joined(separator: " . ")
    let word = result < 4 ? FibLoad.resultWords[Int(result)] : "result \(result)"
    return "fib \(words) \(word)\(flags & 32 != 0 ? " present" : "") => reg "
      + "\(destination.netlinkNumber)"
  }
}

extension Ruleset {
  /// Every rule as `nft --debug=netlink list ruleset` prints it, without handles.
  ///
  /// One block a rule: table and chain, one line an expression, an empty line.
  ///
  /// - Parameter withProvenance: whether `# file:line:column clause` stands above each rule that a
  ///   policy line made.
  /// - Returns: the listing; empty for a ruleset without rules.
  public func bytecodeListing(withProvenance: Bool = false) -> String {
    var out = TextBuffer()
    for table in tables {
      for chain in table.chains {
        for rule in chain.rules {
          if withProvenance, let provenance = rule.provenance {
            let place = provenance.location.map { "\($0) " } ?? ""
            out.put("# \(place)\(provenance.clause)\n")
          }
          out.put("\(table.family.keyword) \(table.name) \(chain.name)\n")
          for line in rule.bytecodeLines { out.put("  [ \(line) ]\n") }
          out.put("\n")
        }
      }
    }
    return out.string
  }
}

extension Rule {
  /// The expressions' listings, each so that it is read as what it was written from.
  ///
  /// They are nft's own lines, but where a comparison takes less than was loaded and its last word is
  /// ambiguous: there the length follows, as in `cmp eq reg 1 0x00006f6c len 3`.
  fileprivate var bytecodeLines: [String] {
    var parser = BytecodeParser()
    return expressions.map { expression in
      let line = expression.listing
      var scanner = LineScanner(line[...], line: 1, firstColumn: 1)
      let read = try? parser.expression(&scanner)
      guard case .compare(let compare) = expression, read != expression else { return line }
      return "\(line) len \(compare.value.count)"
    }
  }
}
