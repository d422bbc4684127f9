public import NetworkTypes

/// A name whose addresses the operator gives, so that nobody is asked: `--resolve NAME=ADDRESS,…`.
public struct Pin: Hashable, Sendable {
  /// The name that is not asked for.
  public var name: HostName
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
    guard let name = HostName(text) else {
      throw .pin(text: argument, reason: "'\(text)' is not a host name")
    }
    var addresses: Set<IPAddress> = []
    let items = argument[argument.index(after: equals)...]
      .split(separator: ",", omittingEmptySubsequences: false)
    for item in items {
      do throws(LiteralError) {
        addresses.insert(try IPAddress(strict: item))
      } catch {
        throw .pin(
          text: argument,
          reason: [error.description, error.advice].compactMap(\.self).joined(separator: "; "))
      }
    }
    guard addresses.count <= AddressRecords.mostAddresses else {
      throw .pin(
        text: argument, reason: "more than \(AddressRecords.mostAddresses) addresses")
    }
    self.name = name
    self.addresses = addresses.sorted()
  }

  /// The pinned addresses as an answer; a family that the pin leaves out has no address.
  ///
  /// The time to live is the longest there is, and the pin gives it anew at each refresh.
  public var answer: NameAnswer {
    NameAnswer(name: name.text, v4: records(.ipv4), v6: records(.ipv6))
  }

  /// Whether this pin is for the name, whatever its case and with or without a final dot.
  public func applies(to name: String) -> Bool { HostName(name) == self.name }

  private func records(_ family: Family) -> Result<AddressRecords, LookupFailure> {
    let members = addresses.filter { $0.family == family }
    if members.isEmpty { return .failure(.noAddress) }
    return .success(AddressRecords(addresses: members, timeToLive: .max))
  }
}
