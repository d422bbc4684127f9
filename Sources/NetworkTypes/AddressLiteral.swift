extension IPAddress {
  /// Reads an address in its one strict spelling.
  ///
  /// IPv4 is a dotted quad of decimal octets; IPv6 is hexadecimal groups with at most one `::`,
  /// in either case. Refused are the spellings that programs read differently: `010.0.0.1`,
  /// `0x7f.1`, `127.1`, zone ids, and IPv4 addresses inside IPv6 ones.
  ///
  /// - Throws: ``LiteralError`` with the reason.
  ///
  /// Example: `try IPAddress(strict: "2001:db8::1")`.
  public init(strict text: some StringProtocol) throws(LiteralError) {
    let bytes = Array(text.utf8)
    guard let address = IPAddress.scanned(bytes.span) else {
      throw LiteralError.explaining(address: String(text))
    }
    self = address
  }

  static func scanned(_ bytes: Span<UInt8>) -> IPAddress? {
    var position = 0
    if let bits = AddressScanner.v4(bytes, &position, bytes.count), position == bytes.count {
      return .v4(bits)
    }
    position = 0
    if let bits = AddressScanner.v6(bytes, &position, bytes.count), position == bytes.count {
      return .v6(bits)
    }
    return nil
  }
}

extension LiteralError {
  /// The reason why `text`, which the scanner refused, is no address.
  static func explaining(address text: String) -> LiteralError {
    if text.contains(":") { return explaining(v6: text) }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let isNumeric = parts.allSatisfy { isNumber($0) }
    guard isNumeric else { return .notAnAddress(text) }
    guard parts.count == 4, !parts.contains(where: { isHexadecimal($0) }) else {
      return parts.count > 4 ? .notAnAddress(text) : .notDottedQuad(text)
    }
    if let octet = parts.first(where: { $0.count > 1 && $0.hasPrefix("0") }) {
      return .leadingZero(octet: String(octet))
    }
    if let octet = parts.first(where: { UInt8($0) == nil }) {
      return .octetOutOfRange(String(octet))
    }
    return .notAnAddress(text)
  }

  /// Whether a name's last label makes it an IPv4 address to some program: `127.1`, `0x7f.1`.
  static func isNumber(_ label: Substring) -> Bool {
    isHexadecimal(label) || (!label.isEmpty && label.utf8.allSatisfy { 0x30...0x39 ~= $0 })
  }

  private static func isHexadecimal(_ label: Substring) -> Bool {
    (label.hasPrefix("0x") || label.hasPrefix("0X"))
      && label.dropFirst(2).allSatisfy { $0.isASCII && $0.isHexDigit }
  }

  private static func explaining(v6 text: String) -> LiteralError {
    if let percent = text.firstIndex(of: "%") {
      return .zone(String(text[text.index(after: percent)...]))
    }
    guard text.contains("."), let colon = text.lastIndex(of: ":") else {
      return .notAnAddress(text)
    }
    let tail = text[text.index(after: colon)...]
    guard case .v4(let bits)? = try? IPAddress(strict: tail) else { return .notAnAddress(text) }
    let groups = String(bits >> 16, radix: 16) + ":" + String(bits & 0xffff, radix: 16)
    guard case .v6(let whole)? = try? IPAddress(strict: text[...colon] + groups) else {
      return .notAnAddress(text)
    }
    let isMapped = whole >> 32 == 0xffff
    let isTranslated = whole >> 32 == IPAddress.nat64Prefix >> 32
    let meant = isMapped || isTranslated ? IPAddress.v4(bits) : IPAddress.v6(whole)
    return .embeddedIPv4(text, write: "\(meant)")
  }
}

extension IPAddress {
  /// The first address of 64:ff9b::/96, whose last 32 bits are an IPv4 address (RFC 6052).
  public static let nat64Prefix: UInt128 = 0x0064_ff9b << 96

  /// The IPv4 address inside an address of 64:ff9b::/96; nil for every other address.
  ///
  /// Example: 64:ff9b::808:808 → 8.8.8.8.
  public var nat64Embedded: UInt32? {
    guard case .v6(let bits) = self, bits >> 32 == IPAddress.nat64Prefix >> 32 else { return nil }
    return UInt32(bits & 0xffff_ffff)
  }
}
