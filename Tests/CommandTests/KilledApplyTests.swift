import Glibc
import LinuxSystem
import Operations
import TestSupport
import Testing

/// `weir apply`, the real process, killed by SIGKILL at every message it sends or receives.
///
/// strace counts the system calls and kills on entry, before the kernel has seen the call; so the
/// moments between two calls are all there: a kill after a send is a kill before the receive.
@Suite(
  .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"),
  .enabled(if: Killer.isThere, "needs strace and the right to trace children"))
struct KilledApplyTests {
  /// Far above the number of messages of either policy; ends a test that would not end.
  private static let mostBoundaries = 1000

  /// Two small policies that share a clause and its counter, and differ in all else.
  private static let texts = [
    """
    policy: first
    default: deny
    allow:
      - {clause: web, to: [93.184.215.0/24, 2606:2800:21f::/48], port: [tcp/443, udp/443]}
    deny:
      - {clause: inner, to: [10.0.0.0/8, fc00::/7]}
    """,
    """
    policy: second
    on-deny: drop
    default: allow
    deny:
      - {clause: inner, to: [10.0.0.0/8, 192.168.0.0/16, fc00::/7]}
      - {clause: mail, port: 25}
    """,
  ]

  private let folder: TemporaryFolder
  private let policies: [String]

  init() throws {
    let folder = try TemporaryFolder()
    policies = try Self.texts.enumerated().map { try folder.file("\($0).yaml", $1) }
    self.folder = folder
  }

  /// What a clean installation of each policy lists.
  private func cleanListings() throws -> [ListedTable] {
    try policies.map { policy in
      try ThrowAwayNamespace.run {
        try install(policy)
        return try #require(try ListedTable.live())
      }
    }
  }

  private func install(_ policy: String) throws {
    var request = ApplyRequest(policy: try loadPolicy(policy))
    request.showsChanges = false
    let report = try apply(request)
    #expect(report.warnings == [])
  }

  /// Applies a policy in a process that is killed; tells whether it came so far.
  private func applyKilled(_ policy: String, at number: Int, of call: String) throws -> Bool {
    try Killer.run(["apply", policy, "--no-diff"], at: number, of: call)
  }

  @Test(arguments: Killer.calls)
  func `kernel: killed at any message, an update leaves the old or the new rules whole`(
    call: String
  ) throws {
    let clean = try cleanListings()
    var sawOld = 0
    var sawNew = 0
    try ThrowAwayNamespace.run {
      try install(policies[0])
      for number in 1... {
        try #require(number < Self.mostBoundaries)
        let old = (number + 1) % 2
        let wasKilled = try applyKilled(policies[1 - old], at: number, of: call)
        let live = try #require(try ListedTable.live())
        let isNew = live.isWhole(as: clean[1 - old])
        #expect(isNew != live.isWhole(as: clean[old]), "\(call) \(number)")
        if !wasKilled {
          #expect(isNew)
          break
        }
        if isNew { sawNew += 1 } else { sawOld += 1 }
        try install(policies[1 - old])
        let healed = try #require(try ListedTable.live())
        #expect(healed == clean[1 - old], "\(call) \(number)")
      }
    }
    print("killed updates at \(call): \(sawOld) left the old rules, \(sawNew) the new ones")
    #expect(sawOld > 10)
    #expect(sawNew > 10)
  }

  @Test(arguments: Killer.calls)
  func `kernel: killed at any message, a first apply judges no packet or all of them`(
    call: String
  ) throws {
    let clean = try cleanListings()[0]
    var sawNothing = 0
    var sawAll = 0
    for number in 1... {
      try #require(number < Self.mostBoundaries)
      let wasKilled = try ThrowAwayNamespace.run {
        let wasKilled = try applyKilled(policies[0], at: number, of: call)
        let live = try ListedTable.live()
        let isHooked = live?.isHooked ?? false
        #expect(isHooked == live?.isWhole(as: clean) ?? false, "\(call) \(number)")
        if !wasKilled {
          #expect(isHooked)
          return false
        }
        if isHooked { sawAll += 1 } else { sawNothing += 1 }
        try install(policies[0])
        let healed = try #require(try ListedTable.live())
        #expect(healed == clean, "\(call) \(number)")
        return true
      }
      if !wasKilled { break }
    }
    print("killed first applies at \(call): \(sawNothing) left nothing, \(sawAll) left all rules")
    #expect(sawNothing > 10)
    #expect(sawAll > 10)
  }
}
