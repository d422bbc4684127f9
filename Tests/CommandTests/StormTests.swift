import ConnectionReplay
import Foundation
import LinuxSystem
import NetworkTypes
import Operations
import Synchronization
import TestSupport
import Testing

/// Reloads under fire: two policies take turns while packets that both forbid and packets that both
/// allow leave as fast as they can.
///
/// ```
///   one thread:      apply one policy, apply the other, apply …
///   another thread:  UDP of both families ── inside ── wire ── witness that sees every packet
/// ```
@Suite(.serialized, .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct StormTests {
  /// Two policies that take turns.
  enum Pair: String, CaseIterable {
    /// Written here: what is denied, and what is allowed.
    case small
    /// The first two built-in ones.
    case builtIn
    /// The small ones, for the scope of the user who sends, among two hundred others.
    case scopes

    /// How many applies; `scripts/storm` asks for as many of both, and more.
    ///
    /// The built-in policies take a second each on a busy machine without optimisation.
    var applies: Int {
      ProcessInfo.processInfo.environment["WEIR_STORM_APPLIES"].flatMap { Int($0) }
        ?? (self == .builtIn ? 20 : 300)
    }
  }

  /// Every so many applies one is a process of its own instead of a call.
  private static let appliesPerProcess = 20
  /// Flows to each destination: so many local ports, all in 32768 to 60999.
  private static let localPorts = stride(from: UInt16(33_000), to: 60_000, by: 3_000)

  /// Denied by both policies: private, metadata, multicast, broadcast; plain and inside NAT64.
  private static let forbidden = [
    "10.0.0.1:53", "169.254.169.254:80", "192.168.1.1:443", "224.0.0.251:5353",
    "255.255.255.255:67", "[fd00::1]:53", "[fe80::1]:53", "[ff02::fb]:5353",
    "[64:ff9b::a00:1]:53", "[2001:db8:1::1]:443",
  ]
  /// Allowed by both.
  private static let allowed = [
    "1.1.1.1:53", "93.184.215.14:443", "151.101.1.6:123", "[2606:4700:4700::1111]:53",
    "[2606:2800:21f:cb07::1]:443", "[64:ff9b::101:101]:53",
  ]

  /// Packets of one kind.
  private struct Count: CustomStringConvertible {
    var attempted = 0
    var received = 0
    var description: String { "\(attempted) attempted, \(received) received" }
  }

  /// What the reloading thread has done.
  private final class Reloads: Sendable {
    private let state = Mutex((done: 0, isFinished: false, failure: String?.none))

    var done: Int { state.withLock { $0.done } }
    var isFinished: Bool { state.withLock { $0.isFinished } }
    var failure: String? { state.withLock { $0.failure } }

    func count() { state.withLock { $0.done += 1 } }
    func finish(_ failure: String? = nil) { state.withLock { $0 = ($0.done, true, failure) } }
  }

  private static func probes(_ destinations: [String]) throws -> [Probe] {
    try destinations.flatMap { destination in
      try localPorts.map { port in
        Probe(try FlowText.parse("udp from :\(port) to \(destination)").flow)
      }
    }
  }

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The arguments of `weir apply` for each policy of a pair.
  private func arguments(_ pair: Pair) throws -> [[String]] {
    switch pair {
    case .small, .scopes:
      [
        [
          try folder.file(
            "denied.yaml",
            """
            policy: denied
            on-deny: drop
            default: allow
            deny:
              - clause: inner
                to: [10.0.0.0/8, 169.254.0.0/16, 192.168.0.0/16, 224.0.0.0/4, 255.255.255.255,
                     fc00::/7, fe80::/10, ff00::/8, 2001:db8::/32]
            """)
        ],
        [
          try folder.file(
            "allowed.yaml",
            """
            policy: allowed
            default: deny
            allow:
              - clause: outer
                to: [1.1.1.1, 93.184.215.14, 151.101.1.6, 2606:4700:4700::1111,
                     2606:2800:21f:cb07::1]
            """)
        ],
      ]
    case .builtIn: Array(PrintTests.policies.prefix(2))
    }
  }

  /// Binds the sender's scope to one policy and the other in turn, inside the namespace.
  private static func rebind(
    _ policies: [[String]], _ times: Int, _ namespace: NetworkNamespace, _ reloads: Reloads
  ) {
    do {
      let requests = try policies.map { ScopeRequest(.user("0"), policy: try loadPolicy($0[0])) }
      try namespace.run {
        try NetworkNamespace.assertThrowAway()
        for number in 1...times {
          if number.isMultiple(of: appliesPerProcess) {
            let outcome = try Weir.run(["scope", "add", "--user", "0"] + policies[number % 2])
            if outcome.ending != .exit(0) { return reloads.finish("add \(number): \(outcome)") }
            let all = try scopes(of: InstallTarget())
            if all.status != .good || all.scopes.count != 201 {
              return reloads.finish("add \(number): \(all)")
            }
          } else {
            let report = try bind(requests[number % 2])
            if report.status != .good || report.scopes.count != 1 {
              return reloads.finish("bind \(number): \(report)")
            }
          }
          reloads.count()
        }
        reloads.finish()
      }
    } catch {
      reloads.finish("\(error)")
    }
  }

  /// A site of two hundred users who do nothing; the sender comes to it.
  private func others() throws -> String {
    let lines = (1...200).map {
      "  - {user: \($0), policy: \($0.isMultiple(of: 2) ? "denied" : "allowed").yaml}\n"
    }
    return try folder.file("site.yaml", "site: others\nscopes:\n\(lines.joined())")
  }

  /// Applies in turn inside the namespace, every installation being a new one.
  private static func reload(
    _ policies: [[String]], _ applies: Int, _ namespace: NetworkNamespace, _ reloads: Reloads
  ) {
    do {
      let requests = try policies.map { arguments in
        var request = ApplyRequest(policy: try loadPolicy(arguments[0]))
        request.showsChanges = false
        try request.doWithout(["resolver"])
        request.pins = try NamePins(
          arguments: arguments.dropFirst().filter { $0 != "--resolve" })
        return request
      }
      try namespace.run {
        try NetworkNamespace.assertThrowAway()
        for number in 1...applies {
          if number.isMultiple(of: appliesPerProcess) {
            let outcome = try Weir.run(
              ["apply", "--no-diff", "--without", "resolver"] + policies[number % 2])
            if !outcome.output.contains("is in force as generation") {
              return reloads.finish("apply \(number): \(outcome)")
            }
          } else {
            let report = try apply(requests[number % 2])
            if report.outcome != .installed { return reloads.finish("apply \(number): \(report)") }
          }
          reloads.count()
        }
        reloads.finish()
      }
    } catch {
      reloads.finish("\(error)")
    }
  }

  @Test(arguments: Pair.allCases)
  func `kernel: no reload lets a forbidden packet out or stops an allowed one`(pair: Pair) throws {
    let policies = try arguments(pair)
    let sandbox = try PacketSandbox()
    let inside = sandbox.inside
    try inside.run {
      try NetworkNamespace.assertThrowAway()
      if pair == .scopes {
        #expect(try Weir.run("scope", "apply", others()).ending == .exit(0))
        #expect(try Weir.run(["scope", "add", "--user", "0"] + policies[0]).ending == .exit(0))
      } else {
        #expect(
          try Weir.run(["apply", "--without", "resolver"] + policies[0]).ending == .exit(0))
      }
    }
    let forbidden = try Self.probes(Self.forbidden)
    let all = forbidden + (try Self.probes(Self.allowed))
    var forbiddenCount = Count()
    var allowedCount = Count()
    var refusedCount = 0
    let reloads = Reloads()
    let reload = pair == .scopes ? Self.rebind : Self.reload
    Thread { reload(policies, pair.applies, inside, reloads) }.start()
    while !reloads.isFinished {
      for (index, observation) in try sandbox.observe(all).enumerated() {
        let isReceived = observation == .packet(.left) || observation == .packet(.keptLocal)
        if index < forbidden.count {
          forbiddenCount.attempted += 1
          forbiddenCount.received += isReceived ? 1 : 0
        } else {
          allowedCount.attempted += 1
          allowedCount.received += isReceived ? 1 : 0
          refusedCount += observation == .packet(.refused(.notPermitted)) ? 1 : 0
        }
      }
    }
    print(
      "storm, \(pair.rawValue) policies: \(reloads.done) applies; forbidden packets: \(forbiddenCount);"
        + " allowed packets: \(allowedCount), \(refusedCount) denied")
    #expect(reloads.failure == nil)
    #expect(reloads.done == pair.applies)
    #expect(forbiddenCount.received == 0)
    #expect(refusedCount == 0)
    #expect(allowedCount.received == allowedCount.attempted)
    // Fire is only fire when many packets meet each reload.
    #expect(forbiddenCount.attempted > 10 * pair.applies)
    #expect(allowedCount.attempted > 10 * pair.applies)
  }
}
