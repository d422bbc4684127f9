/// A set of IPv4 and IPv6 addresses, merged and minimal per family.
@frozen
public struct AddressSet: Hashable, Sendable {
  /// The IPv4 part, host order.
  public var v4: IntervalSet<UInt32>
  /// The IPv6 part, host order.
  public var v6: IntervalSet<UInt128>

  /// Makes a set from its two parts; both empty by default.
  @inlinable
  public init(v4: IntervalSet<UInt32> = .init(), v6: IntervalSet<UInt128> = .init()) {
    self.v4 = v4
    self.v6 = v6
  }

  /// Every address of both families.
  public static var full: AddressSet { AddressSet(v4: .full, v6: .full) }

  /// Whether no address of either family is inside.
  @inlinable
  public var isEmpty: Bool { v4.isEmpty && v6.isEmpty }

  /// Whether `address` is inside.
  ///
  /// O(log n).
  @inlinable
  public func contains(_ address: IPAddress) -> Bool {
    switch address {
    case .v4(let bits): v4.contains(bits)
    case .v6(let bits): v6.contains(bits)
    }
  }

  /// Addresses in either set.
  ///
  /// O(n + m).
  public func union(_ other: AddressSet) -> AddressSet {
    AddressSet(v4: v4.union(other.v4), v6: v6.union(other.v6))
  }

  /// Addresses in both sets.
  ///
  /// O(n + m).
  public func intersection(_ other: AddressSet) -> AddressSet {
    AddressSet(v4: v4.intersection(other.v4), v6: v6.intersection(other.v6))
  }

  /// Addresses of this set that are not in `other`.
  ///
  /// O(n + m).
  public func subtracting(_ other: AddressSet) -> AddressSet {
    AddressSet(v4: v4.subtracting(other.v4), v6: v6.subtracting(other.v6))
  }
}
