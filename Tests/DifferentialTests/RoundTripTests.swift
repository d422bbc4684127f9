import Bytecode
import KernelTrials
import LinuxSystem
import NetfilterLink
import TestSupport
import Testing

/// Random rulesets, read from one kernel, written into another namespace, and read again.
@Suite(.serialized, .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct RoundTripTests {
  /// What a namespace holds: as it was recorded, as our reader lists it, and as nft does.
  private struct Holding {
    var recorded: RecordedRuleset
    var ours: String
    var nfts: String
  }

  private func holding() throws -> Holding {
    var session = NetfilterSession(try NetlinkSocket.open())
    let recorded = try session.recordRuleset()
    let listing = try Program.run(["nft", "list", "ruleset"])
    let ruleset = try recorded.decoded().ruleset
    return Holding(
      recorded: recorded, ours: Self.comparable(ruleset.bytecodeListing()),
      // nft 1.0.6 fails on some of its own rules, then on both sides.
      nfts: Self.comparable("\(listing.ending) \(listing.output)"))
  }

  /// Without what the kernel makes up or counts: names of anonymous sets and chains, times, and its own
  /// multicast reports.
  private static func comparable(_ text: String) -> String {
    text.replacing(#/__(set|map|chain)[0-9]+/#) { "__\($0.1)" }
      .replacing(#/ expires [0-9a-z]+/#, with: "")
      .replacing(#/(packets|pkts) [0-9]+ bytes [0-9]+/#, with: "counted")
      .replacing(#/ (used|consumed) [0-9]+( [a-z]*bytes)?/#, with: "")
      // Flag 2 of a quota says that packets have used it up.
      .replacing(#/(quota bytes [0-9]+) flags ([23])/#) { "\($0.1) flags \($0.2 == "3" ? 1 : 0)" }
  }

  @Test func `kernel: random rulesets that were written again from their snapshot read the same`()
    throws
  {
    var count = 0
    for seed in 0..<80 as Range<UInt64> {
      let first = try KernelTrial()
      var source = RandomRuleset(seed: 50_000 + seed)
      let text = source.text()
      // A kernel does not take back the ends of ranges of a set with a default timeout as it gave them.
      if text.contains("flags interval, timeout;") { continue }
      guard case .success = try first.load(text) else { continue }
      let original = try first.sandbox.inside.run { try holding() }
      let second = try KernelTrial()
      let copy = try second.sandbox.inside.run {
        try NetworkNamespace.assertThrowAway()
        var session = NetfilterSession(try NetlinkSocket.open())
        _ = try session.load(original.recorded)
        return try holding()
      }
      #expect(copy.ours == original.ours, "seed \(seed)")
      #expect(copy.nfts == original.nfts, "seed \(seed)")
      count += 1
    }
    #expect(count >= 40)
  }
}
