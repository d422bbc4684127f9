import Bytecode
import Foundation
import LinuxSystem
import NetfilterLink
import TestSupport
import Testing

/// A ruleset with every expression that nft 1.0.6 writes and this kernel takes.
enum ForeignRuleset {
  /// The text, `Tests/Corpus/foreign/expressions/ruleset.nft`.
  static let text = Result<String, any Error> {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Corpus/foreign/expressions/ruleset.nft")
    return try String(contentsOf: file, encoding: .utf8)
  }

  /// The ruleset as nft loaded it and this project read it, and nft's own listing of its bytecode.
  static let loaded = Result<(ruleset: Ruleset, listing: String), any Error> {
    try Kernel.inNamespace {
      try addDevices()
      _ = try Kernel.nft("-f", "-", input: try text.get())
      var session = try Kernel.session()
      let ruleset = try session.readSnapshot().ruleset
      let listing = try Program.run(["nft", "--debug=netlink", "list", "ruleset"])
      return (ruleset, listing.output)
    }
  }

  /// Brings the loopback device up and makes a pair of devices, `v0` and `v1`.
  static func addDevices() throws {
    for words in [
      ["ip", "link", "set", "lo", "up"],
      ["ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"],
    ] {
      let outcome = try Program.run(words)
      #expect(outcome.ending == .exit(0), "\(outcome.error)")
    }
  }

  /// nft's lines of each rule, without brackets, by family, table, chain and handle.
  static func blocks(_ listing: String) -> [String: [String]] {
    var blocks: [String: [String]] = [:]
    var key: String?
    for line in listing.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("  [ "), line.hasSuffix(" ]"), let key {
        blocks[key, default: []].append(String(line.dropFirst(4).dropLast(2)))
        continue
      }
      let words = line.split(separator: " ")
      let isHeader = words.count >= 4 && TableFamily.allCases.contains { $0.keyword == words[0] }
      key = isHeader && UInt64(words[3]) != nil ? words[0...3].joined(separator: " ") : nil
    }
    return blocks
  }
}
