/// A domain name, compared as DNS does: without regard to the case of ASCII letters.
///
/// Example: `DomainName("SMTP.gmail.com.")` equals `DomainName("smtp.gmail.com")`.
public struct DomainName: Hashable, Sendable {
  /// The labels in lower case, the topmost last, each 1…63 bytes.
  let labels: [[UInt8]]

  /// Labels as a message has them, any bytes; the caller checked the lengths.
  init(labels: [[UInt8]]) {
    self.labels = labels.map { $0.map(DomainName.lowercased) }
  }

  /// Reads a host name: letters, digits, `-` and `_`, at most 253 characters, a final dot optional.
  ///
  /// Nil for anything else, and for a name whose topmost label is a number, because that is an
  /// address by mistake: `8.8.8.8`.
  public init?(_ text: some StringProtocol) {
    var bytes = Array(text.utf8)
    if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
    guard (1...253).contains(bytes.count) else { return nil }
    let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard labels.allSatisfy(DomainName.isHostLabel), let topmost = labels.last,
      !topmost.allSatisfy(DomainName.isDigit)
    else { return nil }
    self.init(labels: labels.map(Array.init))
  }

  private static func isHostLabel(_ label: ArraySlice<UInt8>) -> Bool {
    let hyphen = UInt8(ascii: "-")
    return (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
      && label.allSatisfy(isHostByte)
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    let lower = lowercased(byte)
    return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lower) || isDigit(byte)
      || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}

extension DomainName: CustomStringConvertible {
  /// Lower case without a final dot; bytes that no host name has are written `\ddd`, in decimal.
  ///
  /// Safe on a terminal whatever a server sent. Source: RFC 4343 section 2.1.
  public var description: String {
    labels.map { label in
      label.map { byte in
        if DomainName.isHostByte(byte) { return String(UnicodeScalar(byte)) }
        let digits = String(byte)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }.joined()
    }.joined(separator: ".")
  }
}
