package import Bytecode
package import BytecodeInterpreter
package import ConnectionReplay
package import LinuxSystem
import NetfilterLink
import NetworkTypes
import TestSupport

/// A sandbox with a ruleset that nft(8) loaded, and the interpreter of what the kernel then holds.
package final class KernelTrial {
  /// What one packet met in the kernel.
  package struct Sighting: Equatable {
    /// What left by the wire.
    package var departures: [[UInt8]]
    /// The steps of its trace; nil when the kernel could not trace it.
    package var steps: [String]?
    /// Why the kernel refused to send it.
    package var refusal: ErrorNumber?
  }

  package let sandbox: PacketSandbox
  private let watch: Watch
  package private(set) var ruleset = Ruleset()
  package private(set) var interpreter: Interpreter?
  /// The index of `eth0`, by which packets leave.
  package var linkIndex: UInt32 { sandbox.linkIndex }

  /// Whether flows may be translated.
  package private(set) var translates = false

  package init() throws {
    let sandbox = try PacketSandbox()
    self.sandbox = sandbox
    watch = try sandbox.inside.run {
      try NetworkNamespace.assertThrowAway()
      return try Watch()
    }
  }

  /// The kernel's trace in the namespace where it was made.
  private final class Watch {
    var monitor: TraceMonitor

    init() throws { monitor = try TraceMonitor.open() }
  }

  /// Marks every packet for the kernel's trace, before anything else sees it.
  private static let tracing = """
    flush ruleset
    table inet weir-trace {
      chain first { type filter hook output priority -2000; meta nftrace set 1; }
    }

    """

  /// Loads a ruleset with nft(8), without the rules that it refuses.
  ///
  /// Returns the text that was loaded, or the complaint about something else than a rule.
  package func load(_ text: String) throws -> Result<String, Complaint> {
    try sandbox.inside.run {
      var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let offset = Self.tracing.count { $0 == "\n" }
      for _ in 0..<20 {
        let outcome = try Program.run(
          ["nft", "-f", "-"], input: Self.tracing + lines.joined(separator: "\n"))
        if outcome.ending == .exit(0) {
          try read()
          return .success(lines.joined(separator: "\n"))
        }
        // `/dev/stdin:12:5-20: Error: …`, with the line counted from 1.
        let bad = Set(
          outcome.error.split(separator: "\n").compactMap { line -> Int? in
            let parts = line.split(separator: ":")
            guard parts.count > 3, parts[0] == "/dev/stdin" else { return nil }
            return Int(parts[1]).map { $0 - 1 - offset }
          }
        ).filter { lines.indices.contains($0) && lines[$0].hasPrefix("    ") }
        guard !bad.isEmpty else { return .failure(Complaint(text: outcome.error)) }
        for line in bad { lines[line] = "" }
      }
      return .failure(Complaint(text: "too many refused rules"))
    }
  }

  /// Loads rules with iptables-nft, without those that it refuses; the text that was loaded.
  ///
  /// `four` and `six` are inputs of its restore programs for the two families.
  package func load(four: String, six: String) throws -> Result<String, Complaint> {
    try sandbox.inside.run {
      let cleared = try Program.run(["nft", "-f", "-"], input: Self.tracing)
      guard cleared.ending == .exit(0) else { return .failure(Complaint(text: cleared.error)) }
      var loaded = ""
      for (program, text) in [("iptables-nft-restore", four), ("ip6tables-nft-restore", six)]
      where !text.isEmpty {
        switch try Self.restore(program, text) {
        case .success(let taken): loaded += "# \(program)\n" + taken
        case .failure(let complaint): return .failure(complaint)
        }
      }
      try read()
      return .success(loaded)
    }
  }

  private static func restore(
    _ program: String, _ text: String
  ) throws -> Result<String, Complaint> {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for _ in 0..<20 {
      let outcome = try Program.run([program], input: lines.joined(separator: "\n"))
      if outcome.ending == .exit(0) { return .success(lines.joined(separator: "\n")) }
      // `Error occurred at line: 7`, or `line 7: …failed`.
      let words = outcome.error.split { " :\n".contains($0) }
      let place = words.indices.lazy.compactMap { index -> Int? in
        words[index] == "line" && index + 1 < words.count ? Int(words[index + 1]) : nil
      }.first
      guard let place, lines.indices.contains(place - 1), lines[place - 1].hasPrefix("-A") else {
        return .failure(Complaint(text: outcome.error))
      }
      lines[place - 1] = ""
    }
    return .failure(Complaint(text: "too many refused rules"))
  }

  /// What nft(8) says about a ruleset as a whole.
  package struct Complaint: Error {
    package var text: String
  }

  private func read() throws {
    var session = NetfilterSession(try NetlinkSocket.open())
    var read = try session.readRuleset()
    read.tables.removeAll { $0.name == "weir-trace" }
    ruleset = read
    interpreter = try Interpreter(ruleset: read)
    translates = read.tables.contains { table in
      table.chains.contains { $0.hook?.type == "nat" && !$0.rules.isEmpty }
    }
    try watch.monitor.drain { _ in }
  }

  /// Sends a packet and watches; `expects` says whether to wait for it on the wire.
  package func send(_ packet: TrialPacket, expects: Bool) throws -> Sighting {
    _ = sandbox.departures()
    let refusal = try sandbox.send(packet.bytes, bypassesReassembly: packet.isExempt)
    var departures = sandbox.departures()
    if expects, departures.isEmpty { departures = sandbox.departures(waitMilliseconds: 20) }
    // Only a packet's first event carries its header, and later IPv6 fragments are traced without
    // one; the kernel's own reports to the link must not be taken for those.
    var events: [TraceEvent] = []
    var identifiers: Set<UInt32> = []
    try watch.monitor.drain { event in
      let opens = identifiers.insert(event.identifier).inserted
      if let first = events.first {
        if event.identifier == first.identifier { events.append(event) }
      } else if opens, event.table == "weir-trace",
        event.destination == packet.destination || event.networkHeader.count == 0
      {
        events.append(event)
      }
    }
    return Sighting(
      departures: departures, steps: events.isEmpty ? nil : events.compactMap(Self.step),
      refusal: refusal)
  }

  /// A step as text; nil for the tracing chain and for chains left at their end.
  private static func step(_ event: TraceEvent) -> String? {
    guard event.table != "weir-trace" else { return nil }
    let outcome: String =
      switch event.outcome {
      case .accept: "accept"
      case .drop: "drop"
      case .continue: "continue"
      case .jump: "jump"
      case .goto: "goto"
      case .return: "return"
      case .other(2): "stolen"
      case .other(3): "queue"
      case .other(let code): "\(code)"
      }
    switch event.kind {
    case .policy: return "\(event.table) \(event.chain) policy \(outcome)"
    case .rule, .return:
      guard let handle = event.ruleHandle else { return nil }
      return "\(event.table) \(event.chain) \(handle) \(outcome)"
    }
  }

  /// The steps of the interpreter's trace in the same words, without rules that broke.
  package static func steps(_ trace: [VisitedRule]) -> [String] {
    trace.compactMap { visited in
      let outcome: String
      switch visited.result {
      case .broke: return nil
      case .policy(let verdict):
        return "\(visited.place.table) \(visited.place.chain) policy \(word(verdict))"
      case .verdict(let verdict): outcome = word(verdict)
      case .reject: outcome = "drop"
      case .queue: outcome = "queue"
      case .stolen: outcome = "stolen"
      }
      return "\(visited.place.table) \(visited.place.chain) \(visited.place.handle ?? 0) \(outcome)"
    }
  }

  private static func word(_ verdict: Verdict) -> String {
    switch verdict {
    case .accept: "accept"
    case .drop: "drop"
    case .continue, .break: "continue"
    case .jump: "jump"
    case .goto: "goto"
    case .return: "return"
    }
  }

  // MARK: The model's side

  /// What the model is told about a packet of the sandbox.
  package func context(_ packet: TrialPacket) -> PacketContext {
    var context = PacketContext(family: packet.family, bytes: packet.bytes)
    context.trackAsFirst()
    let link = NetworkInterface(index: sandbox.linkIndex, name: "eth0")
    let loopback = NetworkInterface(index: 1, name: "lo")
    context.outputInterface = .known(isOwn(packet.destination) ? loopback : link)
    context.inputInterface = .absent
    context.mark = .known(0)
    context.socketUser = .known(0)
    context.socketGroup = .known(0)
    context.packetType = .known(0)
    context.sourceType = .known(isOwn(packet.source) ? 2 : 1)
    context.destinationType = .known(isOwn(packet.destination) ? 2 : 1)
    context.linkHeader = .known(
      [2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 2] + (packet.family == .ipv4 ? [8, 0] : [0x86, 0xdd]))
    context.isExemptFromReassembly = packet.isExempt
    let first = Register(word: 0)
    context.state(.meta(MetaLoad(.priority, into: first)), as: .known([0, 0, 0, 0]))
    context.state(.meta(MetaLoad(.secpath, into: first)), as: .known([0]))
    context.state(.meta(MetaLoad(.rtclassid, into: first)), as: .known([0, 0, 0, 0]))
    if !isOwn(packet.destination) {
      context.state(.meta(MetaLoad(.oiftype, into: first)), as: .known([1, 0]))
      context.state(.meta(MetaLoad(.oifgroup, into: first)), as: .known([0, 0, 0, 0]))
      context.state(
        .meta(MetaLoad(.oifkind, into: first)),
        as: .known(Array("veth".utf8) + [UInt8](repeating: 0, count: 12)))
    }
    for direction in [UInt8?.none, 0, 1] {
      context.state(
        .ct(ConntrackLoad(.zone, direction: direction, into: first)),
        as: context.ctState == nil ? .unknown : .known([0, 0]))
    }
    context.state(.ct(ConntrackLoad(.helper, into: first)), as: .absent)
    context.state(
      .ct(ConntrackLoad(.labels, into: first)), as: .known([UInt8](repeating: 0, count: 16)))
    return context
  }

  package var surroundings: Surroundings {
    var surroundings = Surroundings()
    surroundings.isListedAsRegistered = true
    surroundings.areDynamicSetsAsRead = false
    surroundings.elapsedMilliseconds = 0
    let link = NetworkInterface(index: sandbox.linkIndex, name: "eth0")
    let loopback = NetworkInterface(index: 1, name: "lo")
    let addresses = sandbox.addresses
    surroundings.route = { query in
      addresses.isOwn(query.destination) ? .known(.local(loopback)) : .known(.device(link))
    }
    surroundings.masqueradeAddress = { device, family in
      device.name == "eth0" ? .known(addresses.inside(family)) : .unknown
    }
    return surroundings
  }

  private func isOwn(_ address: IPAddress) -> Bool { sandbox.addresses.isOwn(address) }
}
