/// A place in nf_tables' register file: the verdict register, or one of 16 words of 4 bytes.
///
/// `NFT_REG_1`…`NFT_REG_4` are words 0, 4, 8, 12; `NFT_REG32_00`…`NFT_REG32_15` words 0…15. The
/// kernel dumps words 0, 4, 8, 12 as 1…4 and the rest as 8…23, and so does ``netlinkNumber``.
public struct Register: Hashable, Sendable {
  /// The word in one byte, so that expressions stay small.
  private let index: Int8

  /// The word, 0…15; -1 for the verdict register.
  public var word: Int { Int(index) }

  /// The verdict register, netlink number 0.
  public static let verdict = Register(unchecked: -1)

  /// A data register by its first word.
  ///
  /// - Precondition: `word` is 0…15.
  public init(word: Int) {
    precondition((0...15).contains(word), "no such register word: \(word)")
    index = Int8(word)
  }

  private init(unchecked index: Int8) { self.index = index }

  /// The register of a netlink number: 0 verdict, 1…4, 8…23; nil for any other.
  public init?(netlinkNumber: UInt32) {
    switch netlinkNumber {
    case 0: self = .verdict
    case 1...4: self.init(word: Int(netlinkNumber - 1) * 4)
    case 8...23: self.init(word: Int(netlinkNumber) - 8)
    default: return nil
    }
  }

  /// The number netlink and `nft --debug=netlink` use.
  public var netlinkNumber: UInt32 {
    if word < 0 { return 0 }
    return word % 4 == 0 ? UInt32(word / 4 + 1) : UInt32(word + 8)
  }
}
