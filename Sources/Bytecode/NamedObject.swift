/// A named object of a table that is no counter.
///
/// Names are unique within the objects of one type.
public struct NamedObject: Hashable, Sendable {
  /// The name.
  public var name: String
  /// The comment that `nft list` shows.
  public var comment: String?
  /// What it is.
  public var content: ObjectContent
  /// The kernel's handle, when read from one.
  public var handle: UInt64?
  /// What was read of it but is not modelled.
  public var unknown: [UnknownItem]

  /// Makes an object.
  public init(
    name: String, comment: String? = nil, content: ObjectContent, handle: UInt64? = nil,
    unknown: [UnknownItem] = []
  ) {
    self.name = name
    self.comment = comment
    self.content = content
    self.handle = handle
    self.unknown = unknown
  }
}

/// What a named object does.
///
/// Source: `NFT_OBJECT_*`, `linux/netfilter/nf_tables.h`.
public enum ObjectContent: Hashable, Sendable {
  /// A quota, type 2.
  case quota(Quota)
  /// A conntrack helper, type 3.
  case conntrackHelper(ConntrackHelper)
  /// A rate limit, type 4.
  case limit(Limit)
  /// A limit of flows, type 5.
  case connectionLimit(ConnectionLimit)
  /// Data of a tunnel, type 6, as netlink carries them.
  case tunnel([UInt8])
  /// Conntrack timeouts, type 7.
  case conntrackTimeout(ConntrackTimeout)
  /// A security context, type 8.
  case secmark(context: String)
  /// A conntrack expectation, type 9.
  case conntrackExpectation(ConntrackExpectation)
  /// A SYN proxy, type 10.
  case synproxy(Synproxy)
  /// A type this model does not know, or data it does not understand.
  case unknown(type: UInt32, bytes: [UInt8])

  /// The number of the type, `NFT_OBJECT_*`.
  public var type: UInt32 {
    switch self {
    case .quota: 2
    case .conntrackHelper: 3
    case .limit: 4
    case .connectionLimit: 5
    case .tunnel: 6
    case .conntrackTimeout: 7
    case .secmark: 8
    case .conntrackExpectation: 9
    case .synproxy: 10
    case .unknown(let type, _): type
    }
  }
}

/// Gives a flow a conntrack helper.
///
/// Source: `nft_ct_helper_obj_eval`, `net/netfilter/nft_ct.c`.
public struct ConntrackHelper: Hashable, Sendable {
  /// The helper's name, `ftp` say.
  public var helper: String
  /// The family: 2 IPv4, 10 IPv6, 1 both.
  public var family: UInt16
  /// The layer-4 protocol.
  public var layer4Protocol: UInt8

  /// Makes it.
  public init(helper: String, family: UInt16, layer4Protocol: UInt8) {
    self.helper = helper
    self.family = family
    self.layer4Protocol = layer4Protocol
  }
}

/// Gives a flow its own timeouts.
///
/// Source: `nft_ct_timeout_obj_eval`, `net/netfilter/nft_ct.c`.
public struct ConntrackTimeout: Hashable, Sendable {
  /// The family: 2 IPv4, 10 IPv6, 1 both.
  public var family: UInt16
  /// The layer-4 protocol.
  public var layer4Protocol: UInt8
  /// Seconds by state, in order of the state's number.
  ///
  /// The numbers are `CTA_TIMEOUT_TCP_*` and the like of `linux/netfilter/nfnetlink_cttimeout.h`.
  public var timeouts: [Timeout]

  /// One state's timeout.
  public struct Timeout: Hashable, Sendable {
    /// The state's number, 1 first.
    public var state: UInt16
    /// The seconds.
    public var seconds: UInt32

    /// Makes it.
    public init(state: UInt16, seconds: UInt32) {
      self.state = state
      self.seconds = seconds
    }
  }

  /// Makes it.
  public init(family: UInt16, layer4Protocol: UInt8, timeouts: [Timeout]) {
    self.family = family
    self.layer4Protocol = layer4Protocol
    self.timeouts = timeouts
  }
}

/// Lets a further flow in as related to this one.
///
/// Source: `nft_ct_expect_obj_eval`, `net/netfilter/nft_ct.c`.
public struct ConntrackExpectation: Hashable, Sendable {
  /// The family: 2 IPv4, 10 IPv6, 1 both.
  public var family: UInt16
  /// The layer-4 protocol.
  public var layer4Protocol: UInt8
  /// The destination port, host order.
  public var port: UInt16
  /// How long the expectation lives.
  public var timeoutMilliseconds: UInt32
  /// How many there may be at once.
  public var size: UInt8

  /// Makes it.
  public init(
    family: UInt16, layer4Protocol: UInt8, port: UInt16, timeoutMilliseconds: UInt32, size: UInt8
  ) {
    self.family = family
    self.layer4Protocol = layer4Protocol
    self.port = port
    self.timeoutMilliseconds = timeoutMilliseconds
    self.size = size
  }
}
