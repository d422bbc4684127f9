public import NetworkTypes

/// A name whose addresses the operator gives, so that nobody is asked: `--resolve NAME=ADDRESS,…`.
public struct Pin: Hashable, Sendable {
  /// The name, in lower case and without a final dot.
  public var name: String
  /// The addresses of both families, sorted, without duplicates, one at least.
  public var addresses: [IPAddress]

  /// Reads `NAME=ADDRESS,ADDRESS`, the addresses as strict literals without blanks.
  ///
  /// Example: `smtp.gmail.com=192.0.2.25,2001:db8::25`.
  ///
  /// - Throws: ``NameResolutionError/pin(text:reason:)``.
  public init(argument: String) throws(NameResolutionError) {
    guard let equals = argument.firstIndex(of: "=") else {
      throw .pin(text: argument, reason: "the = is missing")
    }
    let text = argument[..<equals]
    guard let name = DomainName(text) else {
      throw .pin(text: argument, reason: "'\(text)' is not a host name")
    }
    var addresses: Set<IPAddress> = []
    let items = argument[argument.index(after: equals)...]
      .split(separator: ",", omittingEmptySubsequences: false)
    for item in items {
      guard let address = IPAddress(literal: String(item)) else {
        throw .pin(
          text: argument,
          reason: "'\(item)' is not an address such as 192.0.2.25 or 2001:db8::25")
      }
      addresses.insert(address)
    }
    guard addresses.count <= AddressRecords.mostAddresses else {
      throw .pin(
        text: argument, reason: "more than \(AddressRecords.mostAddresses) addresses")
    }
    self.name = name.description
    self.addresses = addresses.sorted()
  }

  /// The pinned addresses as an answer; a family that the pin leaves out has no address.
  ///
  /// The time to live is the longest there is, and the pin gives it anew at each refresh.
  public var answer: NameAnswer {
    NameAnswer(name: name, v4: records(.ipv4), v6: records(.ipv6))
  }

  /// Whether this pin is for the name, whatever its case and with or without a final dot.
  public func applies(to name: String) -> Bool { DomainName(name)?.description == self.name }

  private func records(_ family: Family) -> Result<AddressRecords, LookupFailure> {
    let members = addresses.filter { $0.family == family }
    if members.isEmpty { return .failure(.noAddress) }
    return .success(AddressRecords(addresses: members, timeToLive: .max))
  }
}
