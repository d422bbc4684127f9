import Bytecode
import ConnectionReplay
import LinuxSystem
import NetfilterLink
import NetworkTypes
import PolicyMeaning

// The rungs that ask the real kernel, each in namespaces made for it.

/// Loads a table into the namespace of the calling thread; the verifier's way to install.
typealias TableLoader = @Sendable (Table) throws -> Void

extension VerifyPlan {
  /// Replays every outbound probe as a raw packet: who left, and which rule decided.
  ///
  /// The wire and the kernel's own trace must both say what the reference says, clause included.
  /// Two threads do one half of the probes each, in a sandbox of their own.
  func packetRung(
    loading load: @escaping TableLoader, table: Table,
    _ stage: VerifyStage = VerifyStage(.host), isTraced: Bool = true, progress: (Int, Int) -> Void
  ) throws -> RungReport {
    let outbound = cases.filter {
      $0.probe.flow.direction == .outbound && !$0.probe.flow.remoteAddress.isHostLocal
        && stage.canTell($0)
    }
    let half = outbound.count / 2
    let replay = PacketReplay(
      load: load, table: table, isTraced: isTraced, isRouted: stage.isRouted)
    let (other, own) = try stage.inhabit {
      try SideThread.alongside {
        Result { try replay.report(on: outbound[half...]) { _ in } }
      } _: {
        try replay.report(on: outbound[..<half]) { progress(2 * $0, outbound.count) }
      }
    }
    var report = own
    report.add(try other.get())
    try handOver(outbound, stage, &report) { try load(table) }
    report.note = stage.omission
    report.conclude()
    return report
  }

  /// Holds real conversations: every test, and a spread of the generated probes.
  func connectionRung(
    loading load: TableLoader, table: Table, _ stage: VerifyStage = VerifyStage(.host),
    cap: Int,
    progress: (Int, Int) -> Void
  ) throws -> RungReport {
    let sandbox = try ConversationSandbox(isRouted: stage.isRouted) { port in
      try loadRedirect(to: port)
    }
    try sandbox.requireSight()
    try sandbox.filter.run { try load(table) }
    let possible = cases.filter {
      $0.canConverse(sandbox.addresses) && stage.canTell($0)
    }
    let authored = possible.filter { $0.authored != nil }
    let generated = thinned(possible.filter { $0.authored == nil }, to: cap)
    let chosen = authored + generated
    var report = RungReport(.connection)
    let start = ProcessFacts.monotonicNanoseconds()
    var done = 0
    while done < chosen.count {
      let batch = Array(chosen[done..<min(done + 512, chosen.count)])
      var seen = try stage.inhabit { try sandbox.observe(batch.map(\.probe)) }
      // What proved nothing beside hundreds of others is tried once more, no two on one port.
      var open = batch.indices.filter { seen[$0].isOpen(batch[$0]) }
      while !open.isEmpty {
        var ports: Set<UInt16> = []
        let round = open.filter { index in
          batch[index].probe.flow.localPort.map { ports.insert($0).inserted } ?? true
        }
        let again = try stage.inhabit { try sandbox.observe(round.map { batch[$0].probe }) }
        for (index, observation) in zip(round, again) { seen[index] = observation }
        open.removeAll { round.contains($0) }
      }
      for (item, observation) in zip(batch, seen) {
        report.compare(item, observation, nil, isTraced: false, host: sandbox.addresses)
      }
      done += batch.count
      progress(done, chosen.count)
    }
    try stage.inhabit { try reclaim(chosen, sandbox, &report) }
    report.durationNanoseconds = ProcessFacts.monotonicNanoseconds() - start
    report.note = stage.omission
    report.conclude()
    return report
  }
}

extension VerifyStage {
  /// Whether what becomes of a probe says something about the scope's rules.
  fileprivate func canTell(_ item: VerifyCase) -> Bool {
    let flow = item.probe.flow
    switch scope {
    case .host, .cgroup: return true
    case .interface: return item.isForwarded
    // A datagram gets to a user's socket; only what the socket answers is judged.
    case .user: return flow.direction == .outbound || flow.ipProtocol != .udp
    }
  }

  /// What ``canTell(_:)`` leaves out.
  fileprivate var omission: String? {
    switch scope {
    case .host, .cgroup: nil
    case .interface: "what no router forwards as it is is left out"
    case .user: "datagrams that come in are left out: only answers to them are judged"
    }
  }
}

/// Sends probes out of one sandbox with the table under test in it.
private struct PacketReplay: Sendable {
  let load: TableLoader
  let table: Table
  let isTraced: Bool
  let isRouted: Bool

  /// Replays some of the probes; `progress` gets how many are done.
  func report(
    on cases: ArraySlice<VerifyCase>, progress: (Int) -> Void
  ) throws -> RungReport {
    let sandbox = try PacketSandbox(isRouted: isRouted)
    try sandbox.requireSight()
    try sandbox.filter.run { try load(table) }
    let trace =
      isTraced
      ? try sandbox.filter.run {
        try PacketTrace(table.name, at: isRouted ? .prerouting : .output)
      } : nil
    var report = RungReport(.packet)
    let start = ProcessFacts.monotonicNanoseconds()
    var rest = cases
    while !rest.isEmpty {
      let batch = Array(rest.prefix(8192))
      rest = rest.dropFirst(8192)
      try replay(batch, sandbox, trace, &report)
      progress(cases.count - rest.count)
    }
    report.durationNanoseconds = ProcessFacts.monotonicNanoseconds() - start
    return report
  }

  private func replay(
    _ batch: [VerifyCase], _ sandbox: PacketSandbox, _ trace: PacketTrace?,
    _ report: inout RungReport
  ) throws {
    trace?.begin(batch.count)
    var failure: KernelError?
    let seen = try sandbox.observe(batch.map(\.probe)) { index, tag in
      guard let trace, failure == nil else { return }
      guard trace.note(index, tag, expecting: batch[index].expectation.ruling) else { return }
      do throws(KernelError) { try trace.read() } catch { failure = error }
    }
    if let failure { throw failure }
    try trace?.read()
    for index in batch.indices {
      report.compare(
        batch[index], seen[index], trace?.walks[index], isTraced: isTraced,
        host: sandbox.addresses)
    }
  }
}

extension VerifyCase {
  /// Whether a router sends such a packet on, as it is.
  ///
  /// It takes one from every hop limit, puts fragments together itself, and drops source routes.
  var isForwarded: Bool {
    let flow = probe.flow
    let remote = flow.remoteAddress
    if remote.isUnroutable || remote.isHostLocal || remote.isGroupLike || remote.isLinkLocal6
      || flow.isLinkBroadcast || SandboxAddresses().isOwn(remote)
      || SandboxAddresses().directedBroadcasts.contains(remote)
    {
      return false
    }
    switch probe.shape {
    case .controlMessage, .looseSourceRoute: return false
    default: return !probe.shape.bypassesReassembly
    }
  }

  /// Whether sockets can try it: plain TCP and UDP towards somebody else.
  fileprivate func canConverse(_ addresses: SandboxAddresses) -> Bool {
    let flow = probe.flow
    guard probe.shape == .plain, flow.ipProtocol == .tcp || flow.ipProtocol == .udp else {
      return false
    }
    if flow.direction == .inbound { return flow.localPort != nil }
    return !addresses.isOwn(flow.remoteAddress) && !flow.remoteAddress.isUnroutable
      && !flow.remoteAddress.isHostLocal
      && (flow.ipProtocol == .udp || !(flow.isLinkBroadcast || flow.remoteAddress.isGroupLike))
  }
}

extension Observation {
  /// Whether the observation proves nothing about a case.
  fileprivate func isOpen(_ item: VerifyCase) -> Bool {
    if case .undecided = judged(against: item.expectation.ruling.decision) { return true }
    return false
  }
}

extension IPAddress {
  /// Addresses that the socket layer turns into the host itself or refuses before any rule.
  fileprivate var isUnroutable: Bool {
    switch self {
    case .v4(let bits): bits == 0 || bits >> 24 == 127
    case .v6(let bits): bits <= 1 || bits >> 32 == 0xffff
    }
  }

  /// Addresses that no packet on a wire has: 0.0.0.0 is the host itself to the kernel, multicast of
  /// scope 0 and 1 stays inside it.
  fileprivate var isHostLocal: Bool {
    switch self {
    case .v4(let bits): bits == 0
    case .v6(let bits): bits == 0 || (bits >> 120 == 0xff && bits >> 112 & 0xf <= 1)
    }
  }

  /// fe80::/10.
  fileprivate var isLinkLocal6: Bool {
    if case .v6(let bits) = self { return bits >> 118 == 0xfe80 >> 6 }
    return false
  }

  /// Multicast and limited broadcast, which TCP refuses to connect to.
  fileprivate var isGroupLike: Bool {
    switch self {
    case .v4(let bits): bits >> 28 == 14 || bits == .max
    case .v6(let bits): bits >> 120 == 0xff
    }
  }
}

extension RungReport {
  /// Judges what was seen on the wire, and in the trace where there is one, against the reference.
  mutating func compare(
    _ item: VerifyCase, _ observation: Observation, _ walk: TracedWalk?, isTraced: Bool,
    host: SandboxAddresses
  ) {
    let expected = item.expectation.ruling
    var seen = "\(observation)"
    switch observation.judged(against: expected.decision) {
    case .agrees:
      // A fragment that the kernel holds back meets no rule of the table.
      guard isTraced, item.expectation.state != nil else {
        agree(expected)
        return
      }
      guard let walk else {
        leaveOpen("\(item.probe)", "the kernel's trace does not show the packet")
        return
      }
      if walk.agrees(with: expected) {
        agree(expected)
        return
      }
      seen += ", but the trace says \(walk.decision?.rawValue ?? "nothing") \(walk.clause ?? "")"
    case .disagrees: break
    case .undecided(let reason):
      leaveOpen("\(item.probe)", reason)
      return
    }
    disagree(
      Disagreement(
        probe: "\(item.probe)", origin: item.origin,
        expected: "\(expected.decision.rawValue) \(expected.clause)", seen: seen,
        packet: item.packetHex(host), rules: walk?.steps ?? []))
  }
}

extension VerifyCase {
  /// The probe's packet, hexadecimal; nil for inbound probes of the connection rung.
  fileprivate func packetHex(_ host: SandboxAddresses) -> String? {
    var builder = PacketBuilder()
    builder.build(probe, host: host.inside(probe.family), tag: 1)
    return builder.bytes.hex
  }
}

/// Sends every TCP and UDP port of the namespace to one; for the side that plays the Internet.
private func loadRedirect(to port: UInt16) throws {
  let register = Register(word: 0)
  let rules = [IPProtocol.tcp, .udp].map { ipProtocol in
    Rule([
      .meta(MetaLoad(.l4proto, into: register)),
      .compare(Compare(register, .equal, [ipProtocol.rawValue])),
      .immediate(.data([UInt8(port >> 8), UInt8(port & 0xff)], into: register)),
      .redirect(Redirect(port: register)),
    ])
  }
  let chain = Chain(
    name: "every-port",
    hook: HookBinding(type: "nat", hook: .prerouting, priority: -100, policy: .accept),
    rules: rules)
  let table = Table(family: .inet, name: "internet", chains: [chain])
  var session = NetfilterSession(try NetlinkSocket.open())
  let changes: [Change] =
    [.addTable(table), .addChain(chain)]
    + rules.enumerated().map {
      .addRule($0.element, chain: chain.name, position: $0.offset + 1, anonymousSets: [])
    }
  try session.commit(changes, to: .inet, table.name)
}
