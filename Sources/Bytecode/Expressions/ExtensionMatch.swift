/// A match of xtables (`xt match`), as iptables-nft writes it.
///
/// Source: `net/netfilter/nft_compat.c`.
public struct ExtensionMatch: Hashable, Sendable {
  /// The match's name, `conntrack` say.
  public var name: String
  /// The revision of its structure.
  public var revision: UInt32
  /// The structure as the kernel of this machine lays it out.
  public var info: [UInt8]

  /// Makes it.
  public init(
    _ name: String, revision: UInt32, info: [UInt8]
  ) {
    self.name = name
    self.revision = revision
    self.info = info
  }
}

/// A target of xtables (`xt target`), as iptables-nft writes it.
///
/// Source: `net/netfilter/nft_compat.c`.
public struct ExtensionTarget: Hashable, Sendable {
  /// The target's name, `REJECT` say.
  public var name: String
  /// The revision of its structure.
  public var revision: UInt32
  /// The structure as the kernel of this machine lays it out.
  public var info: [UInt8]

  /// Makes it.
  public init(
    _ name: String, revision: UInt32, info: [UInt8]
  ) {
    self.name = name
    self.revision = revision
    self.info = info
  }
}
