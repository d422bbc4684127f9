/// Sends a flow to a port of this host; terminal, in nat chains only.
///
/// Source: `net/netfilter/nft_redir.c`.
public struct Redirect: Hashable, Sendable {
  /// The register with the port, 2 bytes network order; nil keeps the port.
  public var port: Register?

  /// Makes a redirection.
  public init(port: Register?) { self.port = port }
}
