public import Bytecode
public import NetworkTypes

/// Something about a packet that may be unknown, or known to be absent.
@frozen
public enum Fact<Value: Hashable & Sendable>: Hashable, Sendable {
  /// Not stated; whatever depends on it cannot be decided.
  case unknown
  /// The packet has none: a load of it breaks the rule, or reads zero where the kernel does so.
  case absent
  /// The value.
  case known(Value)
}

/// A network interface as `iif` and `oif` see it.
public struct NetworkInterface: Hashable, Sendable {
  /// The index, from 1.
  public var index: UInt32
  /// The name, at most 15 bytes.
  public var name: String

  /// Makes an interface.
  public init(index: UInt32, name: String) {
    self.index = index
    self.name = name
  }
}

/// One packet at a hook, with what the kernel knows about it.
///
/// What is not stated is unknown, and a rule that reads it makes the answer "cannot decide".
/// Example: `PacketContext(family: .ipv4, bytes: packet, ctState: .new)`.
public struct PacketContext: Hashable, Sendable {
  /// The family of the hook that the packet passes.
  public var family: Family
  /// The packet from the network header to the end of its payload, in network order; at least
  /// 20 bytes for IPv4, 40 for IPv6.
  ///
  /// Taken to be linear, as a packet of a local socket is.
  public var bytes: [UInt8]
  /// `ct state`; nil when unknown.
  public var ctState: ConntrackState?
  /// `ct direction`: 0 original, 1 reply; absent without a conntrack entry.
  public var ctDirection: Fact<UInt8> = .unknown
  /// `ct status`, bits; absent without a conntrack entry.
  public var ctStatus: Fact<UInt32> = .unknown
  /// `ct mark`; absent without a conntrack entry.
  public var ctMark: Fact<UInt32> = .unknown
  /// `iif` and `iifname`; absent for packets of this host.
  public var inputInterface: Fact<NetworkInterface> = .unknown
  /// `oif` and `oifname`; absent for packets to this host.
  public var outputInterface: Fact<NetworkInterface> = .unknown
  /// Whether the packet is the first of its flow, which nat chains see; see ``trackAsFirst(isLoose:)``.
  public var isFirstOfFlow: Fact<Bool> = .unknown
  /// Both directions of the packet's flow as conntrack knows them; absent without an entry.
  public var flow: Fact<TrackedFlow> = .unknown
  /// `meta skuid`; absent without a socket.
  public var socketUser: Fact<UInt32> = .unknown
  /// `meta skgid`; absent without a socket.
  public var socketGroup: Fact<UInt32> = .unknown
  /// `meta mark`; a packet without a mark has 0.
  public var mark: Fact<UInt32> = .unknown
  /// `meta pkttype`, `PACKET_*`: 0 host, 1 broadcast, 2 multicast, 3 other.
  public var packetType: Fact<UInt8> = .unknown
  /// `fib saddr type`, `RTN_*`: 1 unicast, 2 local, 3 broadcast, 5 multicast.
  public var sourceType: Fact<UInt32> = .unknown
  /// `fib daddr type`, `RTN_*`.
  public var destinationType: Fact<UInt32> = .unknown
  /// The link-layer header: the one a packet came with, or for a packet of this host the one that
  /// it gets after its last IP hook, for the egress of its device; absent where it gets none.
  public var linkHeader: Fact<[UInt8]> = .unknown
  /// Whether its socket has `IP_NODEFRAG` set, so that fragments are not put together.
  public var isExemptFromReassembly = false
  /// What other expressions load; see ``state(_:as:)``.
  var stated: [Expression: Fact<[UInt8]>] = [:]

  /// Makes a packet of which only the bytes and, maybe, the conntrack state are known.
  public init(family: Family, bytes: [UInt8], ctState: ConntrackState? = nil) {
    self.family = family
    self.bytes = bytes
    self.ctState = ctState
  }
}
