import NameResolution
import NetworkTypes
import PolicyLanguage

/// What became of one name of a policy.
public struct NameReport: Encodable, Sendable {
  /// The name.
  public let name: String
  /// Addresses that the rules let through.
  public let accepted: [String]
  /// Answers outside the name's `within`, refused.
  public let refused: [String]
  /// Why a family has no address, where it has none: `A: …`, `AAAA: …`.
  public let failures: [String]
  /// Seconds for which the answers hold; the least of both families.
  public let timeToLiveSeconds: UInt32?
  /// Families of which nothing was learnt: no server answered, or none that could be read.
  let unanswered: Set<Family>

  enum CodingKeys: String, CodingKey {
    case name, accepted, refused, failures, timeToLiveSeconds
  }

  /// Whether the name opens nothing at all.
  public var isEmpty: Bool { accepted.isEmpty }
}

/// Resolves the names of a policy and keeps what lies in their `within`.
///
/// - Parameters:
///   - references: the names.
///   - pins: answers that are not asked for.
///   - servers: DNS servers, `address` or `address:port`; none for those of the system.
/// - Returns: a report a name, and the accepted addresses by name.
/// - Throws: ``OperationFailure`` when there is no way to ask at all.
func fillNames(
  _ references: [NameReference], pins: NamePins, servers: [String]
) throws(OperationFailure) -> (reports: [NameReport], answers: [String: [IPAddress]]) {
  let asked = references.map(\.name).filter { pins.addresses[$0] == nil }
  let answers = try ask(asked, servers: servers)
  var reports: [NameReport] = []
  var accepted: [String: [IPAddress]] = [:]
  for reference in references {
    let pinned = pins.addresses[reference.name]
    let answer = answers[reference.name]
    let given = pinned ?? Family.allCases.flatMap { answer?.addresses($0) ?? [] }
    let filtered = AnswerFilter(within: reference.within).judge(given)
    accepted[reference.name] = filtered.accepted
    reports.append(
      NameReport(
        name: reference.name, accepted: filtered.accepted.map(\.description),
        refused: filtered.refused.map { "\($0.address), outside \(reference.withinText)" },
        failures: pinned == nil ? answer?.failureTexts ?? ["no answer"] : [],
        timeToLiveSeconds: answer?.timeToLive,
        unanswered: pinned == nil ? answer?.unanswered ?? Set(Family.allCases) : []))
  }
  return (reports, accepted)
}

private func ask(
  _ names: [String], servers: [String]
) throws(OperationFailure) -> [String: NameAnswer] {
  if names.isEmpty { return [:] }
  var configuration = Resolver.Configuration()
  if !servers.isEmpty {
    var parsed: [Resolver.Server] = []
    for text in servers { parsed.append(try server(text)) }
    configuration.servers = parsed
  }
  do {
    var answers: [String: NameAnswer] = [:]
    for answer in try Resolver(configuration).resolve(names) { answers[answer.name] = answer }
    return answers
  } catch {
    throw OperationFailure(.notFound, "cannot resolve names: \(error)")
  }
}

/// Reads `address`, `address:port` or `[v6]:port`.
private func server(_ text: String) throws(OperationFailure) -> Resolver.Server {
  let wrong = OperationFailure(
    .usage, "--resolver \(text): expected an address, address:port or [address]:port")
  if let address = try? IPAddress(strict: text) { return Resolver.Server(address: address) }
  guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
  else { throw wrong }
  let bare = text[..<colon].drop { $0 == "[" }
  let host = bare.hasSuffix("]") ? bare.dropLast() : bare
  guard let address = try? IPAddress(strict: String(host)) else { throw wrong }
  return Resolver.Server(address: address, port: port)
}

extension NameAnswer {
  fileprivate func addresses(_ family: Family) -> [IPAddress] {
    (try? self[family].get())?.addresses ?? []
  }

  fileprivate var timeToLive: UInt32? {
    Family.allCases.compactMap { (try? self[$0].get())?.timeToLive }.min()
  }

  /// Families whose failure says nothing about what the name has.
  fileprivate var unanswered: Set<Family> {
    Set(
      Family.allCases.filter { family in
        switch self[family] {
        case .success, .failure(.noAddress), .failure(.noSuchName): false
        case .failure: true
        }
      })
  }

  fileprivate var failureTexts: [String] {
    Family.allCases.compactMap { family in
      guard case .failure(let failure) = self[family] else { return nil }
      return "\(family == .ipv4 ? "A" : "AAAA"): \(failure)"
    }
  }
}
