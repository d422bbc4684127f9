/// Internet checksums as the kernel repairs them.
enum InternetChecksum {
  /// The checksum after bytes under it changed.
  ///
  /// Source: `csum_sub`, `csum_add`, `csum_fold`, `include/net/checksum.h`: a sum of zero is always
  /// written 0, since the sum under it never is.
  static func replacing(_ sum: UInt16, _ old: [UInt8], by new: [UInt8]) -> UInt16 {
    var total: UInt64 = 0xffff + UInt64(~sum)
    for index in stride(from: 0, to: old.count, by: 2) { total += UInt64(~pair(old, index)) }
    for index in stride(from: 0, to: new.count, by: 2) { total += UInt64(pair(new, index)) }
    while total > 0xffff { total = (total >> 16) + (total & 0xffff) }
    return ~UInt16(total)
  }

  /// Repairs the checksum at a place of a packet; `neverZero` writes 0 as all ones.
  static func repair(
    _ bytes: inout [UInt8], at place: Int, _ old: [UInt8], by new: [UInt8],
    neverZero: Bool = false
  ) {
    let sum = replacing(UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1]), old, by: new)
    let written = sum == 0 && neverZero ? 0xffff : sum
    bytes[place] = UInt8(written >> 8)
    bytes[place + 1] = UInt8(written & 0xff)
  }

  private static func pair(_ bytes: [UInt8], _ index: Int) -> UInt16 {
    UInt16(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt16(bytes[index + 1]) : 0)
  }
}
