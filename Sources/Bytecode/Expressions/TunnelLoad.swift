/// What `tunnel` can load.
///
/// Source: `enum nft_tunnel_keys`.
public enum TunnelKey: UInt32, Hashable, Sendable, CaseIterable {
  /// Whether the packet came through a tunnel, 1 byte.
  case path = 0
  /// The tunnel's id, 4 bytes host order.
  case id = 1

  /// The word nft(8) uses.
  public var keyword: String {
    switch self {
    case .path: "path"
    case .id: "id"
    }
  }
}

/// Loads a fact about the tunnel that the packet comes from or goes to; breaks without one.
///
/// Source: `net/netfilter/nft_tunnel.c`.
public struct TunnelLoad: Hashable, Sendable {
  /// What to load.
  public var key: TunnelKey
  /// 0 either way, 1 received, 2 to be sent.
  public var mode: UInt32
  /// Where to.
  public var destination: Register

  /// Makes it.
  public init(
    _ key: TunnelKey, mode: UInt32 = 0, into destination: Register
  ) {
    self.key = key
    self.mode = mode
    self.destination = destination
  }
}
