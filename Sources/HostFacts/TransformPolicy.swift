public import NetworkTypes

/// An IPsec policy: packets that it selects are wrapped or dropped behind the filter.
///
/// Source: `struct xfrm_userpolicy_info`, `linux/xfrm.h`.
public struct TransformPolicy: Hashable, Sendable, Codable {
  /// `XFRM_POLICY_*`: 0 in, 1 out, 2 forward; above, of one socket.
  public var direction: UInt8
  /// 0 allow (and transform), 1 block.
  public var action: UInt8
  /// The source it selects, first address.
  public var source: IPAddress
  /// The bits of the source.
  public var sourcePrefixLength: UInt8
  /// The destination it selects, first address.
  public var destination: IPAddress
  /// The bits of the destination.
  public var destinationPrefixLength: UInt8

  /// Makes a policy.
  public init(
    direction: UInt8, action: UInt8, source: IPAddress, sourcePrefixLength: UInt8,
    destination: IPAddress, destinationPrefixLength: UInt8
  ) {
    self.direction = direction
    self.action = action
    self.source = source
    self.sourcePrefixLength = sourcePrefixLength
    self.destination = destination
    self.destinationPrefixLength = destinationPrefixLength
  }
}
