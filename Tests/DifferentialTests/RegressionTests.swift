import BytecodeInterpreter
import Foundation
import KernelTrials
import NetworkTypes
import RulesetExamples
import SymbolicAnalysis
import TestSupport
import Testing

/// Rulesets and packets for which interpreter and kernel once differed, or nearly did.
///
/// A case is a folder of `Tests/Corpus/differential`: `ruleset.nft`, or `rules.v4` and `rules.v6` for
/// iptables-nft; `packets.txt` (one in hexadecimal
/// digits a line, `no-reassembly` after it for a socket with `IP_NODEFRAG`), and `expected.txt`.
@Suite(.serialized, .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct RegressionTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Corpus/differential")

  private static let cases =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()

  private static func text(_ name: String, _ file: String) throws -> String {
    let url = folder.appendingPathComponent(name).appendingPathComponent(file)
    return String(decoding: try Data(contentsOf: url), as: UTF8.self)
  }

  private static func packet(_ line: Substring) throws -> TrialPacket {
    let parts = line.split(separator: " ")
    let digits = Array(parts[0].utf8)
    let bytes = try stride(from: 0, to: digits.count, by: 2).map { index in
      try #require(UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16))
    }
    return TrialPacket(bytes, isExempt: parts.count > 1 && parts[1] == "no-reassembly")
  }

  @Test func `there are cases`() { #expect(Self.cases.count >= 15) }

  @Test(arguments: cases)
  func `kernel: a difference once found stays mended`(name: String) throws {
    let trial = try KernelTrial()
    if let ruleset = try? Self.text(name, "ruleset.nft") {
      guard case .success(ruleset) = try trial.load(ruleset) else {
        Issue.record("nft refuses the ruleset of \(name)")
        return
      }
    } else {
      let outcome = try trial.load(
        four: Self.text(name, "rules.v4"), six: Self.text(name, "rules.v6"))
      guard case .success = outcome else {
        Issue.record("iptables refuses the ruleset of \(name)")
        return
      }
    }
    let interpreter = try #require(trial.interpreter)
    var judge = PacketSetJudge(
      trial.ruleset, link: Link(index: trial.linkIndex, name: "eth0"))
    var lines: [String] = []
    for line in try Self.text(name, "packets.txt").split(separator: "\n") {
      if line.hasPrefix("#") {
        lines.append(String(line))
        continue
      }
      let packet = try Self.packet(line)
      let passage = interpreter.passage(
        of: trial.context(packet), path: .output, in: trial.surroundings)
      let sighting = try trial.send(packet, expects: passage.leaves)
      #expect(passage.difference(from: sighting, packet) == nil)
      if let passed = passage.passed {
        #expect(judge?.agrees(packet, passed: passed) != false)
      }
      lines += passage.trace.map { "\($0.hook) \($0.place): \($0.result)" }
      lines.append(passage.fate.text)
    }
    let actual = lines.joined(separator: "\n") + "\n"
    let url = Self.folder.appendingPathComponent(name).appendingPathComponent("expected.txt")
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try Data(actual.utf8).write(to: url)
      Issue.record("rewrote \(name)/expected.txt")
      return
    }
    let difference = Golden.firstDifference(actual, try Self.text(name, "expected.txt"))
    #expect(difference == nil)
  }
}

extension Fate {
  /// One line: how the packet fares, and what leaves.
  fileprivate var text: String {
    switch self {
    case .passes(let packet): "passes \(hex(packet.bytes))"
    case .dropped: "dropped"
    case .rejected: "rejected"
    case .queued: "queued"
    case .stolen: "stolen"
    case .cannotDecide(let obstacles):
      "cannot decide: \(obstacles.map(\.description).joined(separator: "; "))"
    }
  }
}
