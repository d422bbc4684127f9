public import NetworkTypes

/// The addresses of a sandbox's two ends.
///
/// The host under test has two IPv4 networks of 24 bits, so that the directed broadcast of one is
/// in a range that policies call private and that of the other is not.
public struct SandboxAddresses: Hashable, Sendable {
  /// The host under test, IPv4; 198.18.77.2 (RFC 2544) unless said otherwise.
  public var inside4: UInt32 = 0xc612_4d02
  /// Its second address, IPv4; 192.175.48.2 unless said otherwise.
  ///
  /// IANA calls 192.175.48.0/24 (AS112) globally reachable, so only a rule about broadcasts
  /// denies 192.175.48.255.
  public var second4: UInt32 = 0xc0af_3002
  /// The host under test, IPv6; 2001:db8:77::2 unless said otherwise.
  public var inside6: UInt128 = 0x2001_0db8_0077_0000_0000_0000_0000_0002
  /// The router that stands for the whole Internet, IPv4; 198.18.77.1 unless said otherwise.
  public var outside4: UInt32 = 0xc612_4d01
  /// The router that stands for the whole Internet, IPv6; 2001:db8:77::1 unless said otherwise.
  public var outside6: UInt128 = 0x2001_0db8_0077_0000_0000_0000_0000_0001

  /// The defaults.
  public init() {}

  /// The host's own address in a family.
  public func inside(_ family: Family) -> IPAddress {
    family == .ipv4 ? .v4(inside4) : .v6(inside6)
  }

  /// The router's address in a family.
  public func outside(_ family: Family) -> IPAddress {
    family == .ipv4 ? .v4(outside4) : .v6(outside6)
  }

  /// The directed broadcasts of the host's networks.
  public var directedBroadcasts: [IPAddress] { [.v4(inside4 | 0xff), .v4(second4 | 0xff)] }

  /// What the host's routes call an address, `RTN_*`: 1 unicast, 2 local, 3 broadcast, 5 multicast.
  public func routeType(of address: IPAddress) -> UInt32 {
    if address == .v4(0) || address == .v4(.max) || directedBroadcasts.contains(address) {
      return 3
    }
    switch address {
    case .v4(let bits) where bits >> 28 == 0xe: return 5
    case .v6(let bits) where bits >> 120 == 0xff: return 5
    default: return isOwn(address) ? 2 : 1
    }
  }

  /// Whether a packet to `address` stays within the host under test.
  public func isOwn(_ address: IPAddress) -> Bool {
    switch address {
    case .v4(let bits): bits == 0 || bits >> 24 == 127 || bits == inside4 || bits == second4
    case .v6(let bits): bits <= 1 || bits == inside6
    }
  }
}
