/// Sends a flow to a port of this host; terminal, in nat chains only.
///
/// Source: `net/netfilter/nft_redir.c`.
public struct Redirect: Hashable, Sendable {
  /// The register with the port, 2 bytes network order; nil keeps the port.
  public var port: Register?
  /// The register of the highest port; nil when it is ``port``.
  public var portMax: Register?
  /// How to pick.
  public var flags: NATFlags

  /// Makes a redirection.
  public init(
    port: Register?, portMax: Register? = nil, flags: NATFlags = []
  ) {
    self.port = port
    self.portMax = portMax
    self.flags = flags
  }
}
