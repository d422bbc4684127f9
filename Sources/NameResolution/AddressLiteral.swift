import Glibc
import NetworkTypes

extension IPAddress {
  /// Reads a strict literal: four decimal numbers without leading zeros, or RFC 4291 text.
  ///
  /// Nil for zone ids, prefixes, blanks, and IPv4-mapped addresses, which are IPv4 in disguise.
  init?(literal text: String) {
    let isV6 = text.contains(":")
    var bytes = [UInt8](repeating: 0, count: isV6 ? 16 : 4)
    // inet_pton writes 4 or 16 bytes, which is what the buffer holds.
    let status = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe inet_pton(isV6 ? AF_INET6 : AF_INET, text, buffer.baseAddress)
    }
    guard status == 1, !text.utf8.contains(0), let address = IPAddress(networkOrderBytes: bytes)
    else { return nil }
    if case .v6(let bits) = address, bits >> 32 == 0xffff { return nil }
    self = address
  }
}
