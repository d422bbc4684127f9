/// Why a text is no address, prefix, range, port or flow; every case says what to write instead.
///
/// Payloads are pieces of the text that was read, or the value that was probably meant.
public enum LiteralError: Error, Hashable, Sendable {
  /// Not an address in any spelling.
  case notAnAddress(String)
  /// An octet of an IPv4 address starts with a zero: some readers take it as octal.
  case leadingZero(octet: String)
  /// An octet of an IPv4 address is above 255.
  case octetOutOfRange(String)
  /// An IPv4 address in the short, decimal or hexadecimal spellings of inet_aton(3).
  case notDottedQuad(String)
  /// `fe80::1%eth0`: the zone belongs to one host, not to a policy.
  case zone(String)
  /// An IPv6 address that spells an IPv4 address in its tail (`::ffff:192.0.2.1`).
  case embeddedIPv4(String, write: String)
  /// What follows the slash is no prefix length of the family.
  case prefixLength(String, maximum: Int)
  /// A prefix whose address has bits set beyond its length.
  case hostBits(String, meant: String)
  /// `b - a` where a is smaller.
  case reversedRange(String, meant: String)
  /// A range from one family to the other.
  case mixedFamilies(String)
  /// Not a port number 0…65535 in plain decimal.
  case port(String)
  /// Not a flow; the payload says which part is wrong and what is expected there.
  case flow(String)
}

extension LiteralError: CustomStringConvertible {
  /// What is wrong, in one line without a final stop.
  public var description: String {
    switch self {
    case .notAnAddress(let text): "`\(text)` is not an IP address"
    case .leadingZero(let octet):
      "octet `\(octet)` has a leading zero, which some programs read as octal"
    case .octetOutOfRange(let octet): "octet `\(octet)` is above 255"
    case .notDottedQuad(let text):
      "`\(text)` is not a dotted quad; short, decimal and hexadecimal forms are ambiguous"
    case .zone(let zone): "zone `%\(zone)` names an interface of one host"
    case .embeddedIPv4(let text, _): "`\(text)` spells an IPv4 address inside an IPv6 address"
    case .prefixLength(let length, let maximum):
      "`/\(length)` is not a prefix length from /0 to /\(maximum)"
    case .hostBits(let text, _): "prefix `\(text)` has bits set beyond its length"
    case .reversedRange(let text, _): "range `\(text)` is reversed"
    case .mixedFamilies(let text): "range `\(text)` runs from one address family to the other"
    case .port(let text): "`\(text)` is not a port from 0 to 65535 in plain decimal"
    case .flow(let reason): reason
    }
  }

  /// What to write instead, in one line; nil where nothing better can be said.
  public var advice: String? {
    switch self {
    case .notAnAddress: "write it like 192.0.2.1 or 2001:db8::1"
    case .leadingZero: "write each octet as a decimal number without leading zeros"
    case .octetOutOfRange: nil
    case .notDottedQuad: "write all four octets in decimal, like 127.0.0.1"
    case .zone: "write the address without the zone"
    case .embeddedIPv4(_, let write): "write \(write)"
    case .prefixLength: nil
    case .hostBits(let text, let meant):
      "write \(meant) for the whole block, or \(text.prefix { $0 != "/" }) for the one address"
    case .reversedRange(_, let meant): "write \(meant)"
    case .mixedFamilies: "write two ranges, one per family"
    case .port: nil
    case .flow: "write it like `udp 8.8.8.8:53` or `in tcp from 192.0.2.1 to :22`"
    }
  }
}
