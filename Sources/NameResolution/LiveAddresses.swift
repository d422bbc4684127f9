public import NetworkTypes

/// The addresses that a name may be used with, each until its own second.
///
/// Connections outlive answers, and names move while clients still hold the old answer. So an
/// address stays for its time to live and a grace after the last answer that had it.
public struct LiveAddresses: Hashable, Sendable {
  /// The last second at which each address may be used, on the clock of the caller's `now`.
  public private(set) var expiries: [IPAddress: UInt64]

  /// Makes a collection, empty unless given what was saved before.
  public init(expiries: [IPAddress: UInt64] = [:]) { self.expiries = expiries }

  /// The addresses, sorted.
  public var addresses: [IPAddress] { expiries.keys.sorted() }

  /// Adds accepted addresses and drops those whose time is over; never shortens a time.
  ///
  /// With nothing accepted, only the expired ones go. Seconds throughout.
  /// Example: 300 seconds to live and 60 of grace, renewed at 1 000, last until 1 360.
  ///
  /// - Parameters:
  ///   - accepted: the addresses of an answer.
  ///   - timeToLive: for how long the answer holds.
  ///   - grace: for how long an address outlives its answer.
  ///   - now: the caller's clock.
  ///   - keepsAll: whether expired ones stay this time: nobody answered, say.
  /// - Returns: the addresses from now on.
  public func renewed(
    with accepted: [IPAddress], timeToLive: UInt32, grace: UInt32, now: UInt64,
    keepsAll: Bool = false
  ) -> LiveAddresses {
    let (sum, overflow) = now.addingReportingOverflow(UInt64(timeToLive) + UInt64(grace))
    let expiry = overflow ? UInt64.max : sum
    var next = expiries.filter { keepsAll || $0.value >= now }
    for address in accepted { next[address] = max(next[address] ?? 0, expiry) }
    return LiveAddresses(expiries: next)
  }

  /// Keeps what a filter accepts, for a policy whose `within:` became narrower.
  public func filtered(by filter: AnswerFilter) -> LiveAddresses {
    let accepted = Set(filter.judge(Array(expiries.keys)).accepted)
    return LiveAddresses(expiries: expiries.filter { accepted.contains($0.key) })
  }
}
