import Bytecode
import NetworkTypes
import PolicyLanguage

/// A clause that denies packets, with the counter that all its drops go through.
struct Denial: Hashable {
  var clause: String
  var location: SourceLocation?
  /// Whether packets that arrive are denied by it too; those are dropped without an answer.
  var isInbound: Bool
}

/// What makes two denials one: a clause has one chain for each direction.
struct DenialKey: Hashable {
  var clause: String
  var isInbound: Bool
}

extension TableBuilder {
  /// The verdict that denies an outbound packet under a clause.
  mutating func deny(_ clause: String, at location: SourceLocation? = nil) -> Verdict {
    note(Denial(clause: clause, location: location, isInbound: false))
    return .goto(name("deny/\(clause)"))
  }

  /// The verdict that denies an inbound packet under a clause: no answer leaves the host.
  mutating func denyInbound(_ clause: String, at location: SourceLocation? = nil) -> Verdict {
    note(Denial(clause: clause, location: location, isInbound: true))
    return .goto(name("deny-in/\(clause)"))
  }

  private mutating func note(_ denial: Denial) {
    let key = DenialKey(clause: denial.clause, isInbound: denial.isInbound)
    if knownDenials.insert(key).inserted { denials.append(denial) }
  }

  /// One counter a clause, for both directions; it goes on counting over generations.
  var counters: [NamedCounter] {
    var seen: Set<String> = []
    return denials.filter { seen.insert($0.clause).inserted }.map {
      NamedCounter(name: "deny/\($0.clause)", comment: "packets denied by \($0.clause)")
    }
  }

  /// One chain a clause: one rule counts, answers and drops, so that a trace has one step for it.
  ///
  /// A rule before it logs some of the packets, where the policy asks for it.
  mutating func addDenialChains() {
    for denial in denials {
      let kind = denial.isInbound ? "deny-in" : "deny"
      let answersApplication = policy.onDeny.value == .reject && !denial.isInbound
      let rules = refusals(answersApplication).map { test, refusal in
        Rule(
          test + [.objectReference(.counter("deny/\(denial.clause)")), refusal],
          comment: Self.comment(for: denial),
          provenance: Provenance(clause: denial.clause, location: denial.location))
      }
      addChain("\(kind)/\(denial.clause)", logging(denial, kind) + rules)
    }
  }

  private func logging(_ denial: Denial, _ kind: String) -> [Rule] {
    guard let rate = policy.denialLog.value else { return [] }
    let limit = Limit(
      rate: UInt64(rate.count), periodSeconds: rate.period.seconds, burst: DenialLog.burst)
    let log = Log(
      prefix: DenialLog.prefix + "\(kind)/\(denial.clause)", group: DenialLog.group,
      snapLength: DenialLog.packetBytes)
    return [Rule([.limit(limit), .log(log)], comment: "log \(kind) \(denial.clause)")]
  }

  /// TCP gets a reset and everything else an ICMP error, so that applications fail at once.
  private func refusals(_ answersApplication: Bool) -> [(test: [Expression], Expression)] {
    guard answersApplication else { return [([], Match.verdict(.drop))] }
    return [(Match.layer4(.tcp), .reject(.tcpReset)), ([], .reject(.adminProhibited))]
  }

  /// `deny private, app-engine-sockets.yaml:31`, without the characters nft cannot re-read.
  static func comment(for denial: Denial) -> String {
    guard let location = denial.location else { return "deny \(denial.clause), built in" }
    let file = location.file.split(separator: "/").last.map(String.init) ?? location.file
    let safe = String(
      file.unicodeScalars.map { $0.isASCII && $0.value > 0x20 && $0 != "\"" ? Character($0) : "?" })
    return "deny \(denial.clause), \(safe.suffix(40)):\(location.line)"
  }
}
