/// An address block: the addresses that share their first `length` bits.
///
/// Example: `10.0.0.0/8`, `2001:db8::/32`.
public struct Prefix: Hashable, Sendable {
  /// The first address; all bits beyond ``length`` are zero.
  public let address: IPAddress
  /// How many leading bits count: 0…32 or 0…128.
  public let length: Int

  /// The block of `length` leading bits that contains `address`.
  ///
  /// - Precondition: `length` is 0…32 for IPv4, 0…128 for IPv6.
  public init(containing address: IPAddress, length: Int) {
    self.length = length
    switch address {
    case .v4(let bits):
      precondition(0...32 ~= length, "an IPv4 prefix has 0 to 32 bits")
      self.address = .v4(bits & ~Prefix.hostMask(length))
    case .v6(let bits):
      precondition(0...128 ~= length, "an IPv6 prefix has 0 to 128 bits")
      self.address = .v6(bits & ~Prefix.hostMask(length))
    }
  }

  /// The addresses of the block as an interval of its family.
  public var block: AddressBlock {
    switch address {
    case .v4(let bits): .v4(Interval(bits, bits | Prefix.hostMask(length)))
    case .v6(let bits): .v6(Interval(bits, bits | Prefix.hostMask(length)))
    }
  }

  /// Ones in the bits beyond `length`.
  static func hostMask<Bits: FixedWidthInteger>(_ length: Int) -> Bits {
    length == 0 ? ~0 : length == Bits.bitWidth ? 0 : ~0 >> Bits(length)
  }
}

extension Prefix {
  /// Reads `address/length`, both in their strict spelling, no host bits set.
  ///
  /// - Throws: ``LiteralError`` with the reason; for host bits it names the prefix meant.
  ///
  /// Example: `try Prefix(strict: "10.0.0.0/8")`.
  public init(strict text: some StringProtocol) throws(LiteralError) {
    guard let slash = text.firstIndex(of: "/") else {
      throw .prefixLength("", maximum: 128)
    }
    guard slash > text.startIndex else { throw .notAnAddress(String(text)) }
    let address = try IPAddress(strict: text[..<slash])
    let digits = text[text.index(after: slash)...]
    let maximum = address.family == .ipv4 ? 32 : 128
    guard let length = Int(digits), 0...maximum ~= length, String(length) == digits else {
      throw .prefixLength(String(digits), maximum: maximum)
    }
    self.init(containing: address, length: length)
    guard self.address == address else {
      throw .hostBits(String(text), meant: description)
    }
  }
}

extension Prefix: CustomStringConvertible {
  /// `address/length`, canonical: `10.0.0.0/8`.
  public var description: String { "\(address)/\(length)" }
}
