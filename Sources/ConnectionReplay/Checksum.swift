/// The checksums of the Internet protocols.
enum Checksum {
  /// The sum of big-endian 16-bit words, an odd last byte padded with zero (RFC 1071).
  static func sum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var total: UInt64 = 0
    var index = bytes.startIndex
    while index + 1 < bytes.endIndex {
      total += UInt64(bytes[index]) << 8 | UInt64(bytes[index + 1])
      index += 2
    }
    return index < bytes.endIndex ? total + UInt64(bytes[index]) << 8 : total
  }

  /// The part of a pseudo header that both addresses make.
  static func sum(_ ends: AddressPair) -> UInt64 {
    switch ends {
    case .v4(let from, let to): words(UInt128(from)) + words(UInt128(to))
    case .v6(let from, let to): words(from) + words(to)
    }
  }

  /// Folds a sum into 16 bits and complements it.
  static func finish(_ sum: UInt64) -> UInt16 {
    var folded = sum
    while folded >> 16 != 0 { folded = (folded & 0xffff) + (folded >> 16) }
    return ~UInt16(folded)
  }

  /// CRC-32C, reflected, as SCTP uses it (RFC 9260 appendix A).
  ///
  /// Example: the CRC of the bytes of "123456789" is 0xe306_9283. One step per bit.
  static func crc32c(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var register: UInt32 = ~0
    for byte in bytes {
      register ^= UInt32(byte)
      for _ in 0..<8 {
        register = register & 1 == 0 ? register >> 1 : register >> 1 ^ 0x82f6_3b78
      }
    }
    return ~register
  }

  private static func words(_ number: UInt128) -> UInt64 {
    var total: UInt64 = 0
    var rest = number
    while rest != 0 {
      total += UInt64(UInt16(truncatingIfNeeded: rest))
      rest >>= 16
    }
    return total
  }
}
