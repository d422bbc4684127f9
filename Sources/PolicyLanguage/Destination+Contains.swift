public import NetworkTypes

extension Destination {
  /// Whether `address` belongs to the part of the destination that is known by number.
  ///
  /// An IPv4 address is looked up as such. An IPv6 address of 64:ff9b::/96 is judged only by the
  /// IPv4 address inside, so that an entry for 8.8.8.8 also holds for 64:ff9b::808:808, and an
  /// IPv6 block around 64:ff9b::/96 says nothing about it. Any other IPv6 address belongs if it is
  /// a member, or if its interface identifier is ISATAP's with an address of ``isatapEmbedded``.
  ///
  /// Not decided here, because only a host can: what ``names`` resolve to, and whether the address
  /// is some link's directed broadcast (``includesLinkBroadcast``).
  ///
  /// O(log n). Source: RFC 6052 section 2.1, RFC 5214 section 6.1.
  public func contains(_ address: IPAddress) -> Bool {
    switch address {
    case .v4(let bits): addresses.v4.contains(bits)
    case .v6(let bits):
      if let embedded = address.nat64Embedded {
        addresses.v4.contains(embedded)
      } else {
        addresses.v6.contains(bits)
          || address.isatapEmbedded.map(isatapEmbedded.contains) ?? false
      }
    }
  }
}

extension NameReference {
  /// Whether an answer for the name may be used: it lies in ``within``, NAT64 judged by the IPv4
  /// address inside.
  ///
  /// O(log n).
  public func accepts(_ answer: IPAddress) -> Bool {
    Destination(addresses: within).contains(answer)
  }
}

extension IPAddress {
  /// The IPv4 address in an ISATAP interface identifier `::[02]00:5efe:a.b.c.d`; nil for others.
  ///
  /// The universal/local bit does not count. Source: RFC 5214 section 6.1.
  public var isatapEmbedded: UInt32? {
    guard case .v6(let bits) = self, bits >> 32 & 0xfdff_ffff == 0x5efe else { return nil }
    return UInt32(bits & 0xffff_ffff)
  }
}
