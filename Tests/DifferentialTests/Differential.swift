import Bytecode
import BytecodeInterpreter
import KernelTrials
import NetworkTypes
import SymbolicAnalysis
import TestSupport

/// Random rulesets and packets: what the kernel does against what the interpreter says.
struct Differential {
  /// Where they differ.
  struct Difference: CustomStringConvertible {
    var seed: UInt64
    var packet: TrialPacket
    var kernel: KernelTrial.Sighting
    var passage: Passage
    var ruleset: String
    var what: String

    var description: String {
      let steps = KernelTrial.steps(passage.trace)
      return """
        seed \(seed): \(what)
        packet \(hex(packet.bytes))\(packet.isExempt ? " (no reassembly)" : "")
        kernel      \(kernel.steps?.joined(separator: "; ") ?? "not traced")
          left: \(kernel.departures.map(hex).joined(separator: " "))
        interpreter \(steps.joined(separator: "; "))
          \(passage.fate)
        \(ruleset)
        """
    }
  }

  var rulesets = 0
  var refused = 0
  var compared = 0
  /// Packets that were held against the sets of the analysis too.
  var judgedBySets = 0
  var undecided = 0
  var left = 0
  /// Differences that were none when the packet was sent alone.
  var unrepeated = 0
  var kinds: [String: Int] = [:]
  var reasons: [String: Int] = [:]
  var differences: [Difference] = []
  var refusals: [String: Int] = [:]

  /// Tries `count` rulesets from `seed` on, with `packets` packets each, and analyses every
  /// `analyzed`th of them.
  ///
  /// `progress` gets a line of totals after every 500.
  mutating func run(
    count: Int, seed: UInt64, packets: Int, analyzed: Int, progress: (String) -> Void = { _ in }
  ) throws {
    var trial = try KernelTrial()
    for index in 0..<count {
      if index > 0, index.isMultiple(of: 40) { trial = try KernelTrial() }
      let own = seed &+ UInt64(index)
      if index > 0, index.isMultiple(of: 500) {
        progress("\(index) of \(count): \(compared) compared, \(differences.count) differences")
      }
      let text: String
      switch try Self.load(own, into: trial) {
      case .success(let loaded): text = loaded
      case .failure(let complaint):
        refused += 1
        let line = complaint.text.split(separator: "\n").first.map(String.init) ?? ""
        refusals[line.components(after: "Error: "), default: 0] += 1
        continue
      }
      rulesets += 1
      noteKinds(trial.ruleset)
      var packetSource = PacketSource(seed: own)
      var judge: PacketSetJudge?
      if index.isMultiple(of: analyzed) {
        judge = PacketSetJudge(
          trial.ruleset, link: Link(index: trial.linkIndex, name: "eth0"))
      }
      let before = differences.count
      for _ in 0..<packets where differences.count < before + 2 {
        try compare(packetSource.next(), trial, own, text, &judge)
      }
      if differences.count >= 40 { return }
    }
  }

  /// Loads the ruleset of a seed; every fourth is written for iptables-nft.
  private static func load(
    _ seed: UInt64, into trial: KernelTrial
  ) throws -> Result<String, KernelTrial.Complaint> {
    guard seed.isMultiple(of: 4) else {
      var source = RandomRuleset(seed: seed)
      return try trial.load(source.text())
    }
    var four = RandomXtables(seed: seed, isFour: true)
    var six = RandomXtables(seed: seed, isFour: false)
    return try trial.load(four: four.text(), six: six.text())
  }

  private mutating func compare(
    _ packet: TrialPacket, _ trial: KernelTrial, _ seed: UInt64, _ text: String,
    _ judge: inout PacketSetJudge?
  ) throws {
    guard let interpreter = trial.interpreter else { return }
    // Flows without ports are told apart by senders that are not this host. Translated they may
    // clash, or be routed as no packet of this host is; that says nothing about rules.
    if trial.translates, packet.isPortless { return }
    let passage = interpreter.passage(
      of: trial.context(packet), path: .output, in: trial.surroundings)
    if case .cannotDecide(let obstacles) = passage.fate {
      undecided += 1
      reasons[obstacles.first?.reason ?? "?", default: 0] += 1
      _ = try trial.send(packet, expects: false)
      return
    }
    let sighting = try trial.send(packet, expects: passage.leaves)
    compared += 1
    if passage.leaves { left += 1 }
    if passage.difference(from: sighting, packet) != nil {
      // The kernel speaks to the link by itself now and then, and its trace numbers packets by
      // where they lie in memory: once more, alone, in a namespace of its own.
      let again = try KernelTrial()
      guard case .success = try Self.load(seed, into: again) else { return }
      let sighting = try again.send(packet, expects: passage.leaves)
      let passage = again.interpreter?.passage(
        of: again.context(packet), path: .output, in: again.surroundings)
      guard let passage, let what = passage.difference(from: sighting, packet) else {
        unrepeated += 1
        return
      }
      differences.append(
        Difference(
          seed: seed, packet: packet, kernel: sighting, passage: passage, ruleset: text,
          what: what))
    } else if let passed = passage.passed,
      let agrees = judge?.agrees(packet, passed: passed)
    {
      judgedBySets += 1
      if agrees { return }
      differences.append(
        Difference(
          seed: seed, packet: packet, kernel: sighting, passage: passage, ruleset: text,
          what: "the sets of packets do not allow that it \(passed ? "passed" : "was stopped")"))
    }
  }

  private mutating func noteKinds(_ ruleset: Ruleset) {
    for table in ruleset.tables {
      for rule in table.chains.lazy.flatMap(\.rules) {
        for expression in rule.expressions {
          switch expression {
          case .match(let match): kinds["match \(match.name)", default: 0] += 1
          case .target(let target): kinds["target \(target.name)", default: 0] += 1
          default: kinds[expression.name, default: 0] += 1
          }
        }
      }
    }
  }

  /// The totals, for people.
  var summary: String {
    let expressions = kinds.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let open = reasons.sorted { $0.value > $1.value }.prefix(12).map { "\($0.value) \($0.key)" }
    return """
      rulesets \(rulesets) (nft refused \(refused)), packets compared \(compared) (left \(left), \
      held against packet sets too \(judgedBySets)), \
      undecided \(undecided), differences \(differences.count), not repeated \(unrepeated)
      expressions: \(expressions.joined(separator: ", "))
      undecided: \(open.joined(separator: "; "))
      refused: \(refusals.sorted { $0.value > $1.value }.prefix(8).map { "\($0.value) \($0.key)" }.joined(separator: "; "))
      """
  }
}

extension Passage {
  /// Whether the packet should be seen on the wire.
  var leaves: Bool {
    guard case .passes(let packet) = fate else { return false }
    guard case .known(let interface) = packet.outputInterface else { return false }
    return interface.name != "lo"
  }

  /// Whether it got through, where that is certain.
  var passed: Bool? {
    switch fate {
    case .passes where isOnlyWay: true
    case .dropped where isOnlyWay, .rejected where isOnlyWay: false
    default: nil
    }
  }

  /// How the kernel's doing differs; nil when it does not.
  func difference(from sighting: KernelTrial.Sighting, _ packet: TrialPacket) -> String? {
    let steps = KernelTrial.steps(trace)
    if let seen = sighting.steps {
      guard steps == seen || !isOnlyWay else {
        return "the traces differ: \(steps) here, \(seen) in the kernel"
      }
    } else if !packet.isUntraceable {
      return "the kernel did not trace it"
    }
    if leaves, case .passes(let passed) = fate {
      let expected = Array(passed.bytes.prefix(150))
      return sighting.departures.contains { Array($0.prefix(150)) == expected }
        ? nil : "what left differs: expected \(hex(passed.bytes))"
    }
    switch fate {
    // On several ways it may have been rejected, and an answer to a sender elsewhere leaves.
    case .dropped where isOnlyWay, .stolen where isOnlyWay:
      let strays = sighting.departures.filter { !$0.isBackground }
      return strays.isEmpty ? nil : "something left"
    default:
      return sighting.departures.contains(packet.bytes) ? "the packet left" : nil
    }
  }
}

extension TrialPacket {
  /// Whether only addresses tell its flow from others.
  fileprivate var isPortless: Bool {
    let headers = TrackedProtocol.number(of: bytes)
    return ![6, 17, 136, 132, 1, 58].contains(headers)
  }

  /// Whether an extension header reaches past the end: then the kernel fails to copy the headers
  /// into its trace events, and sends none.
  fileprivate var isUntraceable: Bool {
    guard family == .ipv6 else { return false }
    var next = bytes[6]
    var start = 40
    while [0, 43, 44, 60].contains(next), start + 2 <= bytes.count {
      let length = next == 44 ? 8 : (Int(bytes[start + 1]) + 1) * 8
      next = bytes[start]
      start += length
    }
    return start > bytes.count
  }
}

extension [UInt8] {
  /// What the kernel says to the link by itself: neighbour discovery and multicast reports.
  fileprivate var isBackground: Bool {
    guard count >= 48, self[0] >> 4 == 6 else { return false }
    return self[6] == 0 && self[40] == 58 || self[6] == 58 && (130...143).contains(self[40])
  }
}

extension String {
  fileprivate func components(after word: String) -> String {
    guard let range = firstRange(of: word) else { return self }
    return String(self[range.upperBound...])
  }
}

/// The protocol that conntrack takes a packet for.
enum TrackedProtocol {
  static func number(of bytes: [UInt8]) -> UInt8 {
    guard bytes[0] >> 4 == 6 else { return bytes[9] }
    var next = bytes[6]
    var start = 40
    while [0, 43, 44, 51, 60].contains(next), start + 2 <= bytes.count {
      let length =
        next == 44
        ? 8 : next == 51 ? (Int(bytes[start + 1]) + 2) * 4 : (Int(bytes[start + 1]) + 1) * 8
      next = bytes[start]
      start += length
    }
    return next
  }
}

/// Two digits a byte.
func hex(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
