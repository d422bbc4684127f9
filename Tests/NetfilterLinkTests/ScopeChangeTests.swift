import Bytecode
import NetworkTypes
import RuleCompiler
import Testing

@testable import NetfilterLink
@testable import Operations

/// Changes of a few scopes among many, which read no more than they are about.
@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct ScopeChangeTests {
  private let table = TableIdentifier(family: .inet, name: "weir-scopes")
  private let old = ScopeChangeTests.policy("alpha", denied: Interval(1, 2))
  private let new = ScopeChangeTests.policy("beta", denied: Interval(3, 4))

  /// A policy with a shared set, an anonymous one and a counter; the clause stands for its digest.
  private static func policy(_ clause: String, denied: Interval<UInt32>) -> ScopePolicy {
    ScopePolicy(digest: clause) { generation in
      let sample = SamplePolicy(
        name: "weir-scopes", clause: clause, denied: IntervalSet([denied]))
      var table = sample.table(generation)
      table.chains.removeAll { $0.hook != nil }
      table.sets.removeAll { $0.name == "generation/out" }
      let deny = Rule([.immediate(.verdict(.goto("g\(generation)/deny")))])
      for name in ["in", "reply"] {
        table.chains.append(Chain(name: "g\(generation)/\(name)", rules: [deny]))
      }
      return table
    }
  }

  private func user(_ number: UInt8) -> ScopePlace { ScopePlace(.user, [number, 0, 0, 0]) }

  private func name(_ place: ScopePlace) -> String { "user \(place.key[0])" }

  /// Binds scopes and leaves the others; `isWhole` reads everything, and leaves no others.
  private func binding(
    _ places: [(ScopePlace, String)], to policy: ScopePolicy, isWhole: Bool = false
  ) -> ScopeChange {
    let taken = Set(places.map(\.0))
    let comments = Set(places.map(\.1))
    return ScopeChange(
      policies: [policy], lookup: isWhole ? nil : ScopeLookup(places: taken, comments: comments)
    ) { view, generations in
      var bindings = isWhole ? [] : view?.table.bindings ?? []
      bindings.removeAll {
        comments.contains($0.comment) || taken.contains(ScopePlace($0.dimension, $0.key))
      }
      bindings += places.map { place, comment in
        ScopeBinding(
          dimension: place.dimension, key: place.key,
          generation: generations[policy.digest] ?? 0, comment: comment)
      }
      return view.goal("weir-scopes", bindings, isWhole: isWhole)
    }
  }

  private func binding(_ numbers: ClosedRange<UInt8>, to policy: ScopePolicy) -> ScopeChange {
    binding(numbers.map { (user($0), name(user($0))) }, to: policy)
  }

  private func removing(_ comment: String, at places: Set<ScopePlace> = []) -> ScopeChange {
    ScopeChange(
      policies: [], lookup: ScopeLookup(places: places, comments: [comment], empties: true)
    ) { view, _ in
      let rest = view?.table.bindings.filter { $0.comment != comment } ?? []
      return view.goal("weir-scopes", rest, isWhole: false)
    }
  }

  /// What each scope is judged by, after the frame was found to be whole.
  private func judges(
    _ session: inout NetfilterSession<NetlinkSocket>,
    from source: Testing.SourceLocation = #_sourceLocation
  ) throws -> [String: String] {
    guard let live = try session.readTable(family: .inet, name: "weir-scopes") else { return [:] }
    let bindings = live.bindings
    #expect(
      live.frameProblems(from: scopeFrame(named: "weir-scopes", bindings)) == [],
      sourceLocation: source)
    let pairs = bindings.map { binding in
      let entry = live.chains.first { $0.name == "g\(binding.generation)/out" }
      return (binding.comment, String(entry?.comment?.split(separator: " ").last ?? "none"))
    }
    return try Dictionary(pairs) { _, _ in throw NftFailed(text: "a scope is bound twice") }
  }

  @Test func `kernel: one scope more is as many messages and bytes among many scopes as among few`()
    throws
  {
    var taken: [[Int]] = []
    for others in [2, 2000] {
      try Kernel.inNamespace {
        var session = try Kernel.session()
        let site = (0..<others).map { number in
          let key: [UInt8] = [UInt8(number & 255), UInt8(number >> 8), 0, 1]
          return (ScopePlace(.user, key), "user u\(number)")
        }
        _ = try session.change(binding(site, to: old, isWhole: true), in: table)
        let tape = RecordingTransport.Tape()
        var watched = NetfilterSession(RecordingTransport(try NetlinkSocket.open(), onto: tape))
        _ = try watched.change(binding(7...7, to: old), in: table)
        _ = try watched.change(removing("user 7", at: [user(7)]), in: table)
        taken.append([
          tape.sent.count, tape.sent.map(\.count).reduce(0, +),
          tape.datagrams.map(\.count).reduce(0, +),
        ])
        #expect(try judges(&session).count == others)
      }
    }
    #expect(taken[0] == taken[1])
  }

  @Test(arguments: StoppingTransport.Moment.allCases)
  func `kernel: one scope's change, killed at any message, leaves the old policy or the new`(
    moment: StoppingTransport.Moment
  ) throws {
    var boundary = 0
    var seen: [String: Int] = [:]
    var isFinished = false
    while !isFinished {
      boundary += 1
      isFinished = try Kernel.inNamespace {
        var session = try Kernel.session()
        _ = try session.change(binding(1...3, to: old), in: table)
        var killed = NetfilterSession(
          StoppingTransport(try NetlinkSocket.open(), atBoundary: boundary, moment))
        let outcome = try? killed.change(binding(1...1, to: new), in: table)
        var found = try judges(&session)
        seen[found.removeValue(forKey: "user 1") ?? "none", default: 0] += 1
        #expect(found == ["user 2": "alpha", "user 3": "alpha"], "boundary \(boundary)")
        _ = try session.change(binding(1...1, to: new), in: table)
        let after = ["user 1": "beta", "user 2": "alpha", "user 3": "alpha"]
        #expect(try judges(&session) == after)
        return outcome != nil
      }
      try #require(boundary < 500)
    }
    #expect(Set(seen.keys) == ["alpha", "beta"])
    #expect(seen.values.allSatisfy { $0 > 5 })
  }

  @Test(arguments: 1...3)
  func `kernel: somebody else's change between reading and a transaction of scopes is noticed`(
    batch: Int
  ) throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.change(binding(1...1, to: old), in: table)
      var isPending = true
      var disturbed = NetfilterSession(
        InterferingTransport(try NetlinkSocket.open()) { number in
          guard number == batch, isPending else { return }
          isPending = false
          _ = try? Kernel.nft("add", "table", "inet", "other")
        })
      _ = try disturbed.change(binding(1...1, to: new), in: table)
      #expect(!isPending)
      #expect(try judges(&session) == ["user 1": "beta"])
      let live = try #require(try session.readTable(family: .inet, name: "weir-scopes"))
      #expect(live.generations.count == 1)
    }
  }

  @Test func `kernel: what no scope has any more is deleted, and what another one has is not`()
    throws
  {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.change(binding(1...2, to: old), in: table)
      _ = try session.change(binding(1...1, to: new), in: table)
      let both = try #require(try session.readTable(family: .inet, name: "weir-scopes"))
      #expect(both.generations == [1, 2])
      #expect(both.counters.map(\.name).sorted() == ["alpha", "beta"])
      _ = try session.change(binding(2...2, to: new), in: table)
      #expect(try judges(&session) == ["user 1": "beta", "user 2": "beta"])
      let live = try #require(try session.readTable(family: .inet, name: "weir-scopes"))
      #expect(live.generations == [2])
      #expect(live.counters.map(\.name) == ["beta"])
      #expect(live.sets.filter { GenerationName.isShared($0.name) }.count == 1)
      #expect(live.policyProblems(2, from: new.render).isEmpty)
    }
  }

  @Test func `kernel: a shared set that another policy uses outlives the policy that made it`()
    throws
  {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      let third = Self.policy("gamma", denied: Interval(1, 2))
      _ = try session.change(binding(1...1, to: old), in: table)
      _ = try session.change(binding(2...2, to: third), in: table)
      _ = try session.change(binding(1...1, to: new), in: table)
      let live = try #require(try session.readTable(family: .inet, name: "weir-scopes"))
      #expect(live.generations.count == 2)
      #expect(live.sets.filter { GenerationName.isShared($0.name) }.count == 2)
      #expect(live.policyProblems(2, from: third.render).isEmpty)
    }
  }

  @Test func `kernel: a scope whose key has changed is bound once, and is found by its name`()
    throws
  {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      let level = ScopeDimension.cgroup(level: 2)
      func cgroup(_ number: UInt8) -> ScopePlace {
        ScopePlace(level, [number, 0, 0, 0, 0, 0, 0, 0])
      }
      _ = try session.change(
        binding([(cgroup(1), "cgroup a/b"), (cgroup(2), "cgroup a/c")], to: old), in: table)
      _ = try session.change(binding([(cgroup(9), "cgroup a/b")], to: new), in: table)
      #expect(try judges(&session) == ["cgroup a/b": "beta", "cgroup a/c": "alpha"])
      // Another name for a key that is taken.
      _ = try session.change(binding([(cgroup(2), "cgroup a/d")], to: old), in: table)
      #expect(try judges(&session) == ["cgroup a/b": "beta", "cgroup a/d": "alpha"])
      _ = try session.change(binding(1...1, to: old), in: table)
      // Nobody knows the number of a cgroup that is gone.
      _ = try session.change(removing("cgroup a/b"), in: table)
      #expect(try judges(&session) == ["user 1": "alpha", "cgroup a/d": "alpha"])
      _ = try session.change(removing("cgroup a/d"), in: table)
      #expect(try judges(&session) == ["user 1": "alpha"])
      let live = try #require(try session.readTable(family: .inet, name: "weir-scopes"))
      #expect(live.dimensions == [.user])
      _ = try session.change(removing("user 1", at: [user(1)]), in: table)
      #expect(try session.readTable(family: .inet, name: "weir-scopes") == nil)
    }
  }

  @Test(arguments: [
    "insert rule inet weir-scopes out/user accept", "flush chain inet weir-scopes out/user",
    "add chain inet weir-scopes in/other",
    "add map inet weir-scopes scope/stray { type uid : verdict; }",
    "flush map inet weir-scopes scope/user/reply",
  ])
  func `kernel: where base chains and maps are not as weir made them, all scopes are looked at`(
    change: String
  ) throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.change(binding(1...3, to: old), in: table)
      _ = try Kernel.nft("-f", "-", input: change)
      _ = try session.change(binding(3...4, to: new), in: table)
      let live = try #require(try session.readTable(family: .inet, name: "weir-scopes"))
      if change.hasPrefix("flush map") {
        // Elements of others are not looked for; `weir scope list` and `apply` do that.
        #expect(!live.frameProblems(from: scopeFrame(named: "weir-scopes", live.bindings)).isEmpty)
      } else {
        let alpha = ["user 1": "alpha", "user 2": "alpha"]
        #expect(
          try judges(&session) == alpha.merging(["user 3": "beta", "user 4": "beta"]) { $1 })
      }
    }
  }

  @Test func `kernel: a policy that somebody changed is not taken for the one that is bound`()
    throws
  {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.change(binding(1...1, to: old), in: table)
      _ = try Kernel.nft("insert", "rule", "inet", "weir-scopes", "g1/deny", "accept")
      for number: UInt8 in 2...3 {
        _ = try session.change(binding(number...number, to: old), in: table)
      }
      let live = try #require(try session.readTable(family: .inet, name: "weir-scopes"))
      #expect(live.bindings.map(\.generation).sorted() == [1, 2, 2])
      #expect(live.policyProblems(2, from: old.render).isEmpty)
    }
  }
}
