public import NetworkTypes

/// Refuses addresses that a policy does not expect a name to have.
///
/// The name servers are not trusted: a private address for `smtp.gmail.com`, by a lie or by a
/// mistake, must not open the private network.
/// Example: `AnswerFilter(within: google).judge([.v4(0x0a00_0001)]).refused` has 10.0.0.1.
public struct AnswerFilter: Hashable, Sendable {
  /// The addresses that a policy's `within:` names.
  public var within: AddressSet

  /// Makes a filter.
  public init(within: AddressSet) { self.within = within }

  /// Sorts addresses into accepted and refused ones, each list sorted and without duplicates.
  ///
  /// Nothing accepted is a result like any other. O(n log m) for n addresses.
  public func judge(_ addresses: [IPAddress]) -> FilteredAddresses {
    var result = FilteredAddresses()
    for address in Set(addresses).sorted() {
      let judged = AnswerFilter.judgedAddress(of: address)
      if within.contains(judged) {
        result.accepted.append(address)
      } else {
        result.refused.append(RefusedAddress(address: address, judgedAs: judged))
      }
    }
    return result
  }

  /// The address that decides: within 64:ff9b::/96 the IPv4 address that the last 32 bits carry.
  private static func judgedAddress(of address: IPAddress) -> IPAddress {
    address.nat64Embedded.map(IPAddress.v4) ?? address
  }
}

/// What a filter made of an answer.
public struct FilteredAddresses: Hashable, Sendable {
  /// Addresses that may be used, sorted.
  public var accepted: [IPAddress] = []
  /// Addresses that may not, sorted.
  public var refused: [RefusedAddress] = []

  /// Makes a result in which nothing is accepted or refused.
  public init() {}
}

/// An address of an answer that lies outside a policy's `within:`.
public struct RefusedAddress: Hashable, Sendable {
  /// The address as the server sent it.
  public var address: IPAddress
  /// The address that was looked up in `within:`: the same, or the one it carries.
  public var judgedAs: IPAddress

  /// Makes a refusal.
  public init(address: IPAddress, judgedAs: IPAddress) {
    self.address = address
    self.judgedAs = judgedAs
  }
}

extension RefusedAddress: CustomStringConvertible {
  /// `10.0.0.1 is outside of within`, or `64:ff9b::a00:1 carries 10.0.0.1, which is …`.
  public var description: String {
    address == judgedAs
      ? "\(address) is outside of within"
      : "\(address) carries \(judgedAs), which is outside of within"
  }
}
