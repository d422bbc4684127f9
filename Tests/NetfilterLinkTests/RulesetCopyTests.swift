import Bytecode
import Foundation
import LinuxSystem
import SeededRandom
import TestSupport
import Testing

@testable import NetfilterLink

/// Rules from text into one kernel, from there into a second one through a snapshot, and compared.
@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct RulesetCopyTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Corpus/rulesets")

  private static let cases: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()

  /// What one namespace holds, by two readers.
  private struct State {
    var recorded: RecordedRuleset
    var listing: String
  }

  private func state(listedBy command: [String]) throws -> State {
    var session = try Kernel.session()
    let outcome = try Program.run(command)
    #expect(outcome.ending == .exit(0))
    return State(recorded: try session.recordRuleset(), listing: outcome.output)
  }

  /// Loads a case with the program it is written for.
  private func load(_ name: String) throws {
    let text = String(
      decoding: try Data(contentsOf: Self.folder.appending(path: name)), as: UTF8.self)
    let outcome = try Program.run(loader(name), input: text)
    try #require(outcome.ending == .exit(0), "\(outcome.error)")
  }

  private func loader(_ name: String) -> [String] {
    if name.hasSuffix(".nft") { return ["nft", "-f", "-"] }
    return [name.contains(".v6.") ? "ip6tables-nft-restore" : "iptables-nft-restore"]
  }

  private func lister(_ name: String) -> [String] {
    if name.hasSuffix(".nft") { return ["nft", "list", "ruleset"] }
    return [name.contains(".v6.") ? "ip6tables-nft-save" : "iptables-nft-save", "-c"]
  }

  private func makeLinks() throws {
    let socket = try RouteSocket()
    for (index, name) in ["wan0", "wan1"].enumerated() {
      try socket.makePlaceholder(name: name, index: Int32(40 + index))
    }
  }

  /// What the reader decodes, as lines, without handles and what no two kernels share.
  private func text(_ recorded: RecordedRuleset) throws -> String {
    var output = ""
    dump(try recorded.decoded().ruleset, to: &output)
    return output.replacing(
      #/(?:handle|expirationMilliseconds): Optional\([0-9]+\)\n *- some: [0-9]+/#, with: "number"
    ).replacing(#/__chain[0-9]+/#, with: "chain")
  }

  /// The listing without what no two kernels share.
  private func comparable(_ listing: String) -> String {
    listing.replacing(#/ expires [0-9a-z]+/#, with: "").replacing(#/__chain[0-9]+/#, with: "chain")
      .replacing(#/(?m)^#.*$/#, with: "")
  }

  @Test func `there are rulesets of both programs to copy`() {
    #expect(Self.cases.filter { $0.hasSuffix(".nft") }.count >= 6)
    #expect(Self.cases.filter { $0.hasSuffix(".rules") }.count >= 2)
  }

  @Test(arguments: cases)
  func `kernel: a ruleset loaded from its snapshot is the same by every reader`(name: String) throws
  {
    let first = try Kernel.inNamespace {
      try makeLinks()
      try load(name)
      return try state(listedBy: lister(name))
    }
    let second = try Kernel.inNamespace {
      try makeLinks()
      var session = try Kernel.session()
      _ = try session.load(first.recorded)
      return try state(listedBy: lister(name))
    }
    expectSameText(comparable(second.listing), comparable(first.listing))
    #expect(first.listing.count > 200)
    expectSameText(try text(second.recorded), try text(first.recorded))
  }

  @Test func `kernel: a timed element has in the copy what was left of its time`() throws {
    let first = try Kernel.inNamespace {
      try load("sets.nft")
      return try state(listedBy: ["nft", "list", "ruleset"])
    }
    let left = try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.load(first.recorded)
      return try Kernel.nft("list", "ruleset")
    }
    #expect(left.contains(#/192\.0\.2\.53 expires (10m|9m5[0-9]s)/#))
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `property: loading damaged messages is an error or done, never a trap`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let corpus = Self.folder.appending(path: "../../../Fuzz/Corpus/netlink/nat").standardized
    var bytes = Array(try Data(contentsOf: corpus))
    for _ in 0..<(seed == 0 ? 0 : 1 + generator.next(upperBound: 4)) {
      bytes[generator.next(upperBound: bytes.count)] = UInt8(generator.next(upperBound: 256))
    }
    let recorded = RecordedRuleset(generation: UInt32(bytes[19]), messages: bytes[...])
    var session = NetfilterSession(SilentTransport())
    if seed == 0 { _ = try session.load(recorded) } else { _ = try? session.load(recorded) }
  }

  @Test func `kernel: what is beyond one transaction is copied whole`() throws {
    let elements = (0..<6000 as Range<Int>).map { number in
      let start = "10.\(number >> 14).\(number >> 6 & 0xff)."
      return "\(start)\((number & 63) * 4)-\(start)\((number & 63) * 4 + 1)"
    }
    let rule = "ip daddr 192.0.2.1 tcp dport { 22, 80, 443 } jump { counter; drop; }\n"
    let rules = """
      table ip big {
        set prefixes {
          type ipv4_addr; flags interval; elements = { \(elements.joined(separator: ",")) }
        }
        chain out { type filter hook output priority 0; policy drop; ip daddr @prefixes accept
        \(String(repeating: rule, count: 300)) }
      }
      """
    let first = try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: rules)
      return try state(listedBy: ["nft", "list", "ruleset"])
    }
    let second = try Kernel.inNamespace {
      var session = NetfilterSession(
        NarrowTransport(try NetlinkSocket.open(), largestSendBytes: 100_000))
      _ = try session.load(first.recorded)
      #expect(try session.readGeneration() > 4)
      return try state(listedBy: ["nft", "list", "ruleset"])
    }
    expectSameText(comparable(second.listing), comparable(first.listing))
  }

  @Test func `kernel: a copy of the large sample lists the same`() throws {
    let first = try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: SampleText.everything)
      return try state(listedBy: ["nft", "list", "ruleset"])
    }
    let listing = try Kernel.inNamespace {
      var session = try Kernel.session()
      #expect(try session.load(first.recorded) == [])
      return try Kernel.nft("list", "ruleset")
    }
    expectSameText(comparable(listing), comparable(first.listing))
  }

  @Test func `kernel: what the kernel refuses is named, and nothing of it is left out silently`()
    throws
  {
    try Kernel.inNamespace {
      try load("order.nft")
      var session = try Kernel.session()
      let recorded = try session.recordRuleset()
      let error = #expect(throws: LoadError.self) { try session.load(recorded) }
      #expect(
        error?.description.hasPrefix("adding table ip first: File exists") == true,
        "\(String(describing: error))")
    }
  }

  @Test
  func `kernel: chains of one place in two tables are told, since their order is not recorded`()
    throws
  {
    let recorded = try Kernel.inNamespace {
      try load("order.nft")
      var session = try Kernel.session()
      return try session.recordRuleset()
    }
    try Kernel.inNamespace {
      var session = try Kernel.session()
      let notes = try session.load(recorded)
      #expect(
        notes.contains { $0.contains("chains a of table ip first and a of table inet second") })
    }
  }
}
