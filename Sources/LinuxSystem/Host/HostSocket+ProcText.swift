import HostFacts
import NetworkTypes

extension HostSocket {
  /// Reads a table such as `/proc/net/raw`, `udplite6` or `icmp`.
  ///
  /// For a raw socket the local port of the file is the protocol number.
  ///
  /// - Parameters:
  ///   - bytes: the file.
  ///   - family: the family of its addresses.
  ///   - ipProtocol: the protocol; nil to take it from the local port, as for raw sockets.
  /// - Returns: the sockets in the order of the file, without owners.
  /// - Throws: ``MalformedText``.
  ///
  /// Source: `raw_sock_seq_show`, `net/ipv4/raw.c`; `udp4_format_sock`, `net/ipv4/udp.c`.
  static func all(
    procText bytes: [UInt8], _ family: Family, _ ipProtocol: IPProtocol?
  ) throws(MalformedText) -> [HostSocket] {
    var sockets: [HostSocket] = []
    for (index, line) in try ProcText.lines(bytes).enumerated().dropFirst() {
      let fields = ProcText.fields(line)
      guard fields.count >= 10, let local = end(fields[1], family),
        let remote = end(fields[2], family),
        let state = ProcText.hexadecimal(fields[3], as: UInt8.self),
        let user = ProcText.decimal(fields[7], as: UInt32.self),
        let inode = ProcText.decimal(fields[9], as: UInt64.self)
      else { throw MalformedText(line: index + 1, expected: "a socket") }
      let number = ipProtocol ?? UInt8(exactly: local.port).map { IPProtocol(rawValue: $0) }
      guard let number else { throw MalformedText(line: index + 1, expected: "a protocol") }
      sockets.append(
        HostSocket(
          ipProtocol: number, state: state, localAddress: local.address, localPort: local.port,
          remoteAddress: remote.address, remotePort: remote.port, user: user, inode: inode))
    }
    return sockets
  }

  /// `0100007F:0035`: each 32-bit group of the address is a number as the machine stores it.
  private static func end(
    _ field: ArraySlice<UInt8>, _ family: Family
  ) -> (address: IPAddress, port: UInt16)? {
    let parts = field.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    let digits = family == .ipv4 ? 8 : 32
    guard parts.count == 2, parts[0].count == digits,
      let port = ProcText.hexadecimal(parts[1], as: UInt16.self)
    else { return nil }
    var bytes: [UInt8] = []
    for group in stride(from: 0, to: digits, by: 8) {
      let word = parts[0].dropFirst(group).prefix(8)
      guard let number = ProcText.hexadecimal(word, as: UInt32.self) else { return nil }
      for shift in 0..<4 {
        #if _endian(little)
          bytes.append(UInt8(number >> (8 * UInt32(shift)) & 0xff))
        #else
          bytes.append(UInt8(number >> (24 - 8 * UInt32(shift)) & 0xff))
        #endif
      }
    }
    return IPAddress(networkOrderBytes: bytes).map { ($0, port) }
  }
}
