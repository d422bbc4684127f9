package import NetworkTypes

/// A packet to try.
package struct TrialPacket {
  /// Its family.
  package var family: Family
  /// From its IP header on.
  package var bytes: [UInt8]
  /// Whether its socket has `IP_NODEFRAG` set.
  package var isExempt = false

  /// Makes a packet; of IPv6 when its first four bits say so.
  package init(_ bytes: [UInt8], isExempt: Bool = false) {
    family = bytes[0] >> 4 == 6 ? .ipv6 : .ipv4
    self.bytes = bytes
    self.isExempt = isExempt
  }

  /// Who sends.
  package var source: IPAddress { address(ipv4At: 12, ipv6At: 8) }
  /// Who receives.
  package var destination: IPAddress { address(ipv4At: 16, ipv6At: 24) }

  private func address(ipv4At four: Int, ipv6At six: Int) -> IPAddress {
    let field = family == .ipv4 ? bytes[four..<four + 4] : bytes[six..<six + 16]
    return IPAddress(networkOrderBytes: field) ?? .v4(0)
  }
}
