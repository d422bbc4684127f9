/// The fragment header of an IPv6 packet as reassembly before conntrack finds it.
///
/// Source: `find_prev_fhdr`, `nf_ct_frag6_gather`, `nf_ct_frag6_queue`, `nf_ct_frag6_reasm`,
/// `net/ipv6/netfilter/nf_conntrack_reasm.c`.
struct FragmentHeader {
  /// What reassembly does with the packet.
  enum Fate {
    /// It is kept until the rest has come, or thrown away as malformed.
    case waits
    case dropped
    /// It goes on as it is.
    case passes
    /// It was whole, and goes on without its fragment header.
    case becomes([UInt8])
  }

  /// Where it starts.
  private let place: Int
  /// Where its number stands in the header before it.
  private let previous: Int

  /// Finds it; nil when there is none.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 40 else { return nil }
    var next = bytes[6]
    var start = 40
    var previous = 6
    while next != 44 {
      guard [0, 43, 51, 60].contains(next), start + 2 <= bytes.count else { return nil }
      let length = next == 51 ? (Int(bytes[start + 1]) + 2) * 4 : (Int(bytes[start + 1]) + 1) * 8
      next = bytes[start]
      previous = start
      start += length
    }
    guard start <= bytes.count else { return nil }
    place = start
    self.previous = previous
  }

  /// Whether a first fragment ends before its upper-layer header does.
  ///
  /// Source: `ipv6frag_thdr_truncated`, `net/ipv6/reassembly.c`.
  private func lacksUpperHeader(_ bytes: [UInt8]) -> Bool {
    var next: UInt8 = 44
    var start = place
    while [0, 43, 44, 51, 59, 60].contains(next) {
      guard next != 59, start + 2 <= bytes.count else { return false }
      var length = (Int(bytes[start + 1]) + 1) * 8
      if next == 44 {
        guard start + 4 <= bytes.count, bytes[start + 2] == 0, bytes[start + 3] & 0xf8 == 0 else {
          return false
        }
        length = 8
      } else if next == 51 {
        length = (Int(bytes[start + 1]) + 2) * 4
      }
      next = bytes[start]
      start += length
    }
    let needed =
      switch next {
      case 6: 20
      case 17, 58: 8
      default: 1
      }
    return start + needed > bytes.count
  }

  func fate(in bytes: [UInt8]) -> Fate {
    let payload = Int(bytes[4]) << 8 | Int(bytes[5])
    guard payload != 0 else { return .passes }
    guard place + 8 <= bytes.count else { return .dropped }
    if lacksUpperHeader(bytes) { return .passes }
    let field = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
    let offset = field & ~7
    let end = offset + payload - (place + 8 - 40)
    guard end <= 65535 else { return .waits }
    // More to come, and not a multiple of 8 bytes: no fragment that could be put together.
    if field & 1 == 1, end & 7 != 0 { return .passes }
    guard field & 1 == 0, offset == 0, end > 0 else { return .waits }
    var whole = Array(bytes[..<place] + bytes[(place + 8)...])
    whole[previous] = bytes[place]
    whole[4] = UInt8((payload - 8) >> 8)
    whole[5] = UInt8((payload - 8) & 0xff)
    return .becomes(whole)
  }
}
