public import NetworkTypes

/// A conversation that the kernel tracks.
///
/// Source: `enum ctattr_type`, `linux/netfilter/nfnetlink_conntrack.h`.
public struct ConntrackEntry: Hashable, Sendable, Codable {
  /// The layer-4 protocol.
  public var ipProtocol: IPProtocol
  /// The first packet's ends, before any address translation.
  public var original: ConntrackTuple
  /// The ends that an answer has.
  public var reply: ConntrackTuple
  /// `IPS_*`: 2 seen reply, 4 assured, 8 confirmed, 16 source NAT, 32 destination NAT.
  public var status: UInt32
  /// The mark of the connection.
  public var mark: UInt32
  /// The zone; 0 for the default one.
  public var zone: UInt16
  /// Seconds until it is forgotten without a packet; nil for a permanent or offloaded entry.
  public var timeoutSeconds: UInt32?
  /// `TCP_CONNTRACK_*`: 1 SYN sent, 3 established; nil for other protocols.
  public var tcpState: UInt8?
  /// The helper that watches it, such as `ftp`.
  public var helper: String?
  /// Whether another tracked connection announced it: the entry has a master.
  public var isExpected: Bool
  /// Packets and bytes each way; nil while accounting is off.
  public var counters: ConntrackCounters?

  /// Makes an entry.
  public init(
    ipProtocol: IPProtocol, original: ConntrackTuple, reply: ConntrackTuple, status: UInt32 = 8,
    mark: UInt32 = 0, zone: UInt16 = 0, timeoutSeconds: UInt32? = nil, tcpState: UInt8? = nil,
    helper: String? = nil, isExpected: Bool = false, counters: ConntrackCounters? = nil
  ) {
    self.ipProtocol = ipProtocol
    self.original = original
    self.reply = reply
    self.status = status
    self.mark = mark
    self.zone = zone
    self.timeoutSeconds = timeoutSeconds
    self.tcpState = tcpState
    self.helper = helper
    self.isExpected = isExpected
    self.counters = counters
  }
}

/// Two ends of a conversation in one direction.
public struct ConntrackTuple: Hashable, Sendable, Codable {
  /// Who sends.
  public var source: IPAddress
  /// Who receives.
  public var destination: IPAddress
  /// The sender's port; nil for protocols without.
  public var sourcePort: UInt16?
  /// The receiver's port; nil for protocols without.
  public var destinationPort: UInt16?

  /// Makes a tuple.
  public init(
    source: IPAddress, destination: IPAddress, sourcePort: UInt16? = nil,
    destinationPort: UInt16? = nil
  ) {
    self.source = source
    self.destination = destination
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }
}

/// What went through a tracked conversation.
public struct ConntrackCounters: Hashable, Sendable, Codable {
  /// Packets of the original direction.
  public var originalPackets: UInt64
  /// Bytes of the original direction, layer 3.
  public var originalBytes: UInt64
  /// Packets of the answers.
  public var replyPackets: UInt64
  /// Bytes of the answers, layer 3.
  public var replyBytes: UInt64

  /// Makes counters.
  public init(
    originalPackets: UInt64, originalBytes: UInt64, replyPackets: UInt64, replyBytes: UInt64
  ) {
    self.originalPackets = originalPackets
    self.originalBytes = originalBytes
    self.replyPackets = replyPackets
    self.replyBytes = replyBytes
  }
}
