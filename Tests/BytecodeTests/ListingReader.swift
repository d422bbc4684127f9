import Bytecode

/// Reads rules back from `nft --debug=netlink` notation, so that what nft compiled can be printed.
///
/// A load's width fixes the length of the constants it is compared with, which the notation rounds
/// up to words.
struct ListingReader {
  private var widths: [Int: Int] = [:]

  /// The rules by chain, in order of appearance.
  static func chains(_ text: String) -> [(name: String, rules: [Rule])] {
    var chains: [(name: String, rules: [Rule])] = []
    for block in text.split(separator: "\n\n", omittingEmptySubsequences: true) {
      let lines = block.split(separator: "\n").filter { !$0.hasPrefix("#") }
      guard let header = lines.first else { continue }
      let name = String(header.split(separator: " ").last ?? "")
      var reader = ListingReader()
      let rule = Rule(lines.dropFirst().map { reader.expression(String($0)) })
      if let index = chains.firstIndex(where: { $0.name == name }) {
        chains[index].rules.append(rule)
      } else {
        chains.append((name, [rule]))
      }
    }
    return chains
  }

  private mutating func expression(_ line: String) -> Expression {
    let words = line.split(separator: " ").map(String.init).filter { $0 != "[" && $0 != "]" }
    let read = parse(words)
    precondition(read.map { "  [ \($0.listing) ]" } == line, "cannot read back: \(line)")
    return read ?? .unknown(name: line, bytes: [])
  }

  private mutating func parse(_ words: [String]) -> Expression? {
    func register(_ text: String) -> Register {
      let digits = text.filter(\.isNumber)
      return UInt32(digits).flatMap(Register.init(netlinkNumber:)) ?? .verdict
    }
    func after(_ word: String) -> Register {
      register(words[(words.firstIndex(of: word) ?? 0) + 1])
    }
    func bytes(_ texts: ArraySlice<String>, _ length: Int?) -> [UInt8] {
      let all = texts.flatMap { text -> [UInt8] in
        let word = UInt32(text.dropFirst(2), radix: 16) ?? 0
        return (0..<4).map { UInt8(word >> (8 * $0) & 0xff) }
      }
      return Array(all.prefix(length ?? all.count))
    }
    switch (words[0], words[1]) {
    case ("meta", "load"):
      let name = words[2] == "len" ? "length" : words[2]
      guard let key = MetaKey.allCases.first(where: { $0.keyword == name }) else { return nil }
      widths[after("reg").word] = key.lengthBytes
      return .meta(MetaLoad(key, into: after("reg")))
    case ("meta", "set"):
      guard let key = MetaKey.allCases.first(where: { $0.keyword == words[2] }) else { return nil }
      return .metaSet(MetaSet(key, from: after("reg")))
    case ("ct", "load"):
      guard let key = ConntrackKey.allCases.first(where: { $0.keyword == words[2] }) else {
        return nil
      }
      widths[after("reg").word] = key == .direction ? 1 : 4
      return .ct(ConntrackLoad(key, into: after("reg")))
    case ("payload", _):
      let bases: [String: PayloadBase] = [
        "link": .link, "network": .network, "transport": .transport, "inner": .inner,
      ]
      guard let base = bases[words[4]], let length = UInt32(words[2].dropLast()),
        let offset = UInt32(words[7])
      else { return nil }
      widths[after("reg").word] = Int(length)
      return .payload(
        PayloadLoad(base, offsetBytes: offset, lengthBytes: length, into: after("reg")))
    case ("cmp", let mnemonic):
      guard let operation = CompareOperator.allCases.first(where: { $0.mnemonic == mnemonic })
      else { return nil }
      let source = after("reg")
      var length = widths[source.word] ?? 4
      if length == 16, words.count < 8 { length = (words.count - 4) * 4 }
      let all = bytes(words[4...], length)
      let isName = widths[source.word] == 16 && words.count == 5
      return .compare(
        Compare(source, operation, isName ? Array(all.prefix { $0 != 0 }) : all))
    case ("range", _):
      let half = (words.count - 4) / 2
      let length = widths[after("reg").word]
      return .range(
        RangeCompare(
          after("reg"), isInverted: words[1] == "neq", from: bytes(words[4..<4 + half], length),
          to: bytes(words[(4 + half)...], length)))
    case ("bitwise", _):
      guard let close = words.firstIndex(of: ")") else { return nil }
      let length = widths[after("reg").word]
      return .bitwise(
        Bitwise(
          source: register(words[6]), destination: after("reg"),
          mask: bytes(words[8..<close], length), xor: bytes(words[(close + 2)...], length)))
    case ("byteorder", _):
      return .byteorder(
        Byteorder(
          source: register(words[5]), destination: register(words[2]), operation: 1,
          lengthBytes: 4, sizeBytes: 4))
    case ("counter", _):
      return .counter(Counter(packets: UInt64(words[2]) ?? 0, bytes: UInt64(words[4]) ?? 0))
    default: return parseRest(words, register: after)
    }
  }

  private mutating func parseRest(
    _ words: [String], register after: (String) -> Register
  ) -> Expression? {
    switch words[0] {
    case "immediate" where words[2] == "0":
      let name = words.last ?? ""
      let verdicts: [String: Verdict] = [
        "accept": .accept, "drop": .drop, "continue": .continue, "return": .return,
        "goto": .goto(name), "jump": .jump(name),
      ]
      return verdicts[words[3]].map { .immediate(.verdict($0)) }
    case "immediate":
      let word = UInt32(words[3].dropFirst(2), radix: 16) ?? 0
      let value = (0..<4).map { UInt8(word >> (8 * $0) & 0xff) }
      return .immediate(.data(word == 1 ? [1] : value, into: after("reg")))
    case "reject":
      return .reject(Reject(type: UInt32(words[2]) ?? 9, code: UInt8(words[4]) ?? 0))
    case "objref": return .objectReference(.counter(words[4]))
    case "exthdr":
      let operation: [String: UInt32] = ["ipv6": 0, "tcpopt": 1, "ipv4": 2]
      widths[after("reg").word] = 1
      return .extensionHeader(
        ExtensionHeaderLoad(
          operation: operation[words[2]] ?? 9, type: UInt8(words[5]) ?? 0, offsetBytes: 0,
          lengthBytes: 1, isPresence: true, into: after("reg")))
    case "fib":
      let bits: [String: UInt32] = ["saddr": 1, "daddr": 2, "mark": 4, "iif": 8, "oif": 16]
      let end = words.firstIndex(of: "type") ?? 0
      widths[after("reg").word] = 4
      let flags = words[1..<end].reduce(0) { $0 | (bits[$1] ?? 0) }
      return .fib(FibLoad(result: 3, flags: flags, into: after("reg")))
    default: return nil
    }
  }
}
