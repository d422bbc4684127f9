public import NetworkTypes

/// What the name servers said about one name: an answer or a failure for each family.
public struct NameAnswer: Hashable, Sendable {
  /// The name as it was asked for.
  public var name: String
  /// The A records, or why there are none.
  public var v4: Result<AddressRecords, LookupFailure>
  /// The AAAA records, or why there are none.
  public var v6: Result<AddressRecords, LookupFailure>

  /// Makes an answer from its two halves.
  public init(
    name: String, v4: Result<AddressRecords, LookupFailure>,
    v6: Result<AddressRecords, LookupFailure>
  ) {
    self.name = name
    self.v4 = v4
    self.v6 = v6
  }

  /// The half of a family.
  public subscript(family: Family) -> Result<AddressRecords, LookupFailure> {
    get {
      switch family {
      case .ipv4: v4
      case .ipv6: v6
      }
    }
    set {
      switch family {
      case .ipv4: v4 = newValue
      case .ipv6: v6 = newValue
      }
    }
  }
}

/// The addresses of one name in one family, and for how long they may be used.
public struct AddressRecords: Hashable, Sendable {
  /// The most addresses that are kept of one answer: 64.
  public static let mostAddresses = 64

  /// The bounds that a time to live is clamped to: 30 seconds to one day.
  ///
  /// Below, a refresh could not keep up; above, a mistake in a zone would outlive its repair.
  public static let timeToLiveBounds: ClosedRange<UInt32> = 30...86_400

  /// The addresses, sorted, without duplicates, one at least, ``mostAddresses`` at most.
  public var addresses: [IPAddress]
  /// Seconds: the smallest of the address records and of every alias on the way, clamped.
  public var timeToLive: UInt32
  /// The names that the aliases (CNAME) led over; the last one owns the addresses.
  ///
  /// Empty when the name itself owns them.
  public var aliases: [String]
  /// How many further addresses the answer had; the highest ones are left out.
  public var omitted: Int

  /// Sorts, removes duplicates, and keeps the lowest ``mostAddresses``.
  ///
  /// The time to live is clamped to ``timeToLiveBounds``.
  public init(addresses: [IPAddress], timeToLive: UInt32, aliases: [String] = []) {
    let distinct = Set(addresses).sorted()
    self.addresses = Array(distinct.prefix(AddressRecords.mostAddresses))
    self.timeToLive = min(
      max(timeToLive, AddressRecords.timeToLiveBounds.lowerBound),
      AddressRecords.timeToLiveBounds.upperBound)
    self.aliases = aliases
    omitted = distinct.count - self.addresses.count
  }
}

/// Why a name has no addresses of a family.
public enum LookupFailure: Error, Hashable, Sendable {
  /// The text is no host name, so nobody was asked.
  case notAHostName
  /// The name does not exist (NXDOMAIN).
  case noSuchName
  /// The name exists and has no address of this family (NODATA).
  case noAddress
  /// No server answered in time.
  case timedOut
  /// Every server refused: nothing listens there, or it answered REFUSED, SERVFAIL or NOTIMP.
  case refused
  /// A server answered with something that is no valid answer to the question.
  case malformed
  /// c-ares gave another status, a number of `ares.h`.
  case resolver(status: Int)
}

extension LookupFailure: CustomStringConvertible {
  /// What is wrong, in a few words.
  public var description: String {
    switch self {
    case .notAHostName: "not a host name"
    case .noSuchName: "the name does not exist"
    case .noAddress: "the name has no address of this family"
    case .timedOut: "no name server answered in time"
    case .refused: "every name server refused to answer, or none listens"
    case .malformed: "a name server sent a malformed answer"
    case .resolver(let status): "the resolver failed with c-ares status \(status)"
    }
  }
}
