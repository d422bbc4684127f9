/// Finds options of TCP, IPv4, SCTP and DCCP.
enum OptionWalk {
  /// Where an option was found.
  enum Place {
    case at(Int)
    case missing
    /// Whether it counts depends on what is not stated.
    case unknown
  }

  /// A TCP option that the header has room for, with `needed` bytes of it.
  ///
  /// Source: `nft_exthdr_tcp_eval`, `nft_tcp_header_pointer`, `net/netfilter/nft_exthdr.c`.
  static func tcp(
    _ type: UInt8, needed: Int, _ bytes: [UInt8], _ headers: PacketHeaders
  ) -> (place: Int, length: Int)? {
    guard let header = tcpHeader(bytes, headers) else { return nil }
    var at = header.lowerBound + 20
    while at < header.upperBound - 1 {
      let length = bytes[at] <= 1 || bytes[at + 1] == 0 ? 1 : Int(bytes[at + 1])
      if bytes[at] == type {
        return at + length > header.upperBound || needed > length ? nil : (at, length)
      }
      at += length
    }
    return nil
  }

  /// The TCP header with its options; nil when there is none, or not all of it.
  static func tcpHeader(_ bytes: [UInt8], _ headers: PacketHeaders) -> Range<Int>? {
    let start = Int(headers.transportOffset)
    guard headers.transportProtocol == 6, headers.fragmentOffset == 0, start + 20 <= bytes.count
    else { return nil }
    let length = Int(bytes[start + 12] >> 4) * 4
    guard length >= 20, start + length <= bytes.count else { return nil }
    return start..<start + length
  }

  /// An SCTP chunk; `fits` says whether the bytes asked for lie in it.
  ///
  /// Source: `nft_exthdr_sctp_eval`, `net/netfilter/nft_exthdr.c`.
  static func sctp(
    _ type: UInt8, _ bytes: [UInt8], _ headers: PacketHeaders, _ kernel: KernelBehaviour
  ) -> (place: Int, length: Int)? {
    guard headers.transportProtocol == 132,
      headers.fragmentOffset == 0 || kernel.readsLaterFragments
    else { return nil }
    var at = Int(headers.transportOffset) + 12
    repeat {
      guard at + 4 <= bytes.count else { return nil }
      let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
      guard length > 0 else { return nil }
      if bytes[at] == type { return (at, length) }
      at += (length + 3) / 4 * 4
    } while at < bytes.count
    return nil
  }

  /// Whether DCCP has an option.
  ///
  /// Source: `nft_exthdr_dccp_eval`, `net/netfilter/nft_exthdr.c`; `dccp_packet_hdr_len`.
  static func dccp(_ type: UInt8, _ bytes: [UInt8], _ headers: PacketHeaders) -> Bool {
    let start = Int(headers.transportOffset)
    guard headers.transportProtocol == 33, headers.fragmentOffset == 0, start + 12 <= bytes.count
    else { return false }
    let kind = bytes[start + 8] >> 1 & 15
    let fixed: Int =
      switch kind {
      case 2: 0
      case 3, 4, 5, 6, 8, 9: 8
      case 0: 4
      default: 12
      }
    let first = start + (bytes[start + 8] & 1 == 1 ? 16 : 12) + fixed
    let end = start + Int(bytes[start + 4]) * 4
    var at = first
    while at < end {
      guard at + min(2, end - at) <= bytes.count else { return false }
      if bytes[at] == type { return true }
      if bytes[at] <= 31 {
        at += 1
        continue
      }
      guard end - at >= 2, bytes[at + 1] >= 2 else { return false }
      at += Int(bytes[at + 1])
    }
    return false
  }

  /// An IPv4 option: 131 LSRR, 137 SSRR, 7 RR, 148 RA; the kernel looks for no others.
  ///
  /// All options must be well formed. Whether those the kernel does not know are depends on who
  /// happens to run on the CPU.
  ///
  /// Source: `ipv4_find_option`, `net/netfilter/nft_exthdr.c`; `__ip_options_compile`,
  /// `net/ipv4/ip_options.c`.
  static func ipv4(_ type: UInt8, _ bytes: [UInt8]) -> Place {
    let end = Int(bytes[0] & 15) * 4
    guard end > 20 else { return .missing }
    guard end <= bytes.count, [7, 131, 137, 148].contains(type) else { return .missing }
    var found: [UInt8: Int] = [:]
    var isUnsure = false
    var at = 20
    while at < end, bytes[at] != 0 {
      let option = bytes[at]
      if option == 1 {
        at += 1
        continue
      }
      guard at + 1 < end, bytes[at + 1] >= 2, at + Int(bytes[at + 1]) <= end else {
        return .missing
      }
      let length = Int(bytes[at + 1])
      switch option {
      case 131, 137:
        guard length >= 7, bytes[at + 2] == 4, (length - 3).isMultiple(of: 4),
          found[131] == nil, found[137] == nil
        else { return .missing }
        found[option] = at
      case 7:
        guard length >= 3, bytes[at + 2] >= 4, found[7] == nil else { return .missing }
        let pointer = Int(bytes[at + 2])
        guard pointer > length || pointer + 3 <= length else { return .missing }
        found[7] = at
      case 148:
        guard length >= 4 else { return .missing }
        if bytes[at + 2] == 0, bytes[at + 3] == 0 { found[148] = at }
      default: isUnsure = true
      }
      at += length
    }
    guard let place = found[type] else { return .missing }
    return isUnsure ? .unknown : .at(place)
  }
}
