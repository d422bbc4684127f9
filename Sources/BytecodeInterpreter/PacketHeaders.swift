import NetworkTypes

/// What the kernel works out about a packet before the first rule.
///
/// Source: `nft_set_pktinfo_ipv4`, `include/net/netfilter/nf_tables_ipv4.h`;
/// `nft_set_pktinfo_ipv6`, `include/net/netfilter/nf_tables_ipv6.h`.
struct PacketHeaders {
  /// The layer-4 protocol; -1 when the extension headers cannot be followed.
  var transportProtocol: Int32 = -1
  /// Where the transport header starts; 0 for a later IPv6 fragment.
  var transportOffset: Int32 = 0
  /// The fragment offset; anything but 0 is a later fragment.
  var fragmentOffset: Int32 = 0

  /// Headers that cannot be followed.
  init() {}

  /// Reads the headers; nil when the bytes are no packet of the family.
  init?(_ bytes: Span<UInt8>, _ family: Family, _ kernel: KernelBehaviour) {
    switch family {
    case .ipv4:
      guard bytes.count >= 20, bytes[0] >> 4 == 4, bytes[0] & 15 >= 5 else { return nil }
      transportProtocol = Int32(bytes[9])
      transportOffset = Int32(bytes[0] & 15) * 4
      fragmentOffset = (Int32(bytes[6]) << 8 | Int32(bytes[7])) & 0x1fff
    case .ipv6:
      guard bytes.count >= 40, bytes[0] >> 4 == 6 else { return nil }
      guard let found = IPv6Walk.find(nil, in: bytes, kernel) else { return }
      transportProtocol = found.header
      transportOffset = found.offset
      fragmentOffset = found.fragmentOffset
    }
  }
}

/// Walks IPv6 extension headers.
///
/// Source: `ipv6_find_hdr`, `net/ipv6/exthdrs_core.c`, as of Linux 6.18.
enum IPv6Walk {
  private static func isExtension(_ header: UInt8) -> Bool {
    switch header {
    case 0, 43, 44, 51, 59, 60: true
    default: false
    }
  }

  /// How a walk ends.
  enum End {
    /// At a header, `header`, at `offset`.
    case header(header: Int32, offset: Int32, fragmentOffset: Int32)
    /// Without the header that was asked for: `-ENOENT`.
    case absent
    /// Where the packet ends, in the middle of the headers: `-EBADMSG`.
    case cutShort
  }

  /// The header asked for, or without one the first that is no extension header, or AH.
  ///
  /// Nil when it is not there or the packet ends before.
  static func find(
    _ target: UInt8?, in bytes: Span<UInt8>, _ kernel: KernelBehaviour
  ) -> (header: Int32, offset: Int32, fragmentOffset: Int32)? {
    guard case .header(let header, let offset, let fragment) = walk(to: target, in: bytes, kernel)
    else { return nil }
    return (header, offset, fragment)
  }

  /// Walks to the header asked for, or without one to the first that is no extension header, or AH.
  static func walk(
    to target: UInt8?, in bytes: Span<UInt8>, _ kernel: KernelBehaviour
  ) -> End {
    func found(_ header: UInt8, _ offset: Int, _ fragment: Int32 = 0) -> End {
      .header(header: Int32(header), offset: Int32(offset), fragmentOffset: fragment)
    }
    var header = bytes[6]
    var start = 40
    while true {
      let isFound = header == target
      if !isExtension(header) || header == 59 {
        return target == nil || isFound ? found(header, start) : .absent
      }
      let need = header == 43 ? 4 : 2
      guard start + need <= bytes.count else { return .cutShort }
      let next = bytes[start]
      var length = (Int(bytes[start + 1]) + 1) * 8
      if header == 44 {
        guard start + 4 <= bytes.count else { return .cutShort }
        let offset = (Int32(bytes[start + 2]) << 8 | Int32(bytes[start + 3])) & ~7
        if offset != 0 {
          if target == nil && (!isExtension(next) || next == 59) { return found(next, 0, offset) }
          return isFound ? found(header, start, offset) : .absent
        }
        length = 8
      } else if header == 51 {
        if target == nil { return found(header, start) }
        length = (Int(bytes[start + 1]) + 2) * 4
      }
      if isFound { return found(header, start) }
      header = next
      start += length
      guard start <= (kernel.followsOverlongHeaders ? 65535 : bytes.count) else {
        return .cutShort
      }
    }
  }
}
