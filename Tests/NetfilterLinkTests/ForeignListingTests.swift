import Bytecode
import NetfilterLink
import Testing

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct ForeignListingTests {
  /// Lines where nft 1.0.6 leaves something out, and what this project writes.
  static let differences: [String: String] = [
    "synproxy mss 1460 wscale 7": "synproxy mss 1460 wscale 7 flags 15",
    "socket load cgroupv2 => reg 1": "socket load cgroupv2 level 1 => reg 1",
    "osf dreg 1": "osf dreg 1 ttl",
    "exthdr load 1b @ 1 + 0 present => reg 1": "exthdr load sctp chunk 1b @ 1 + 0 present => reg 1",
    "ct load unknown => reg 1": "ct load id => reg 1",
  ]

  @Test func `kernel: our listing of a rule is nft's own, but where nft leaves something out`()
    throws
  {
    let loaded = try ForeignRuleset.loaded.get()
    let blocks = ForeignRuleset.blocks(loaded.listing)
    var lineCount = 0
    var met: Set<String> = []
    for table in loaded.ruleset.tables {
      for chain in table.chains {
        for rule in chain.rules {
          let key = "\(table.family.keyword) \(table.name) \(chain.name) \(rule.handle ?? 0)"
          let theirs = try #require(blocks[key], "\(key)")
          let ours = rule.expressions.map(\.listing)
          try #require(ours.count == theirs.count, "\(key)")
          for (our, their) in zip(ours, theirs) where our != their {
            let expected = try #require(Self.differences[their], "\(their) | \(our)")
            #expect(our.hasPrefix(expected))
            met.insert(their)
          }
          lineCount += ours.count
        }
      }
    }
    #expect(lineCount > 600)
    #expect(met == Set(Self.differences.keys))
  }

  @Test func `kernel: nothing that nft wrote is unknown to the reader`() throws {
    for table in try ForeignRuleset.loaded.get().ruleset.tables {
      #expect(table.allUnknown == [])
      for rule in table.chains.flatMap(\.rules) {
        for case .unknown(let name, let bytes) in rule.expressions {
          Issue.record("\(table.name): \(name) \(bytes)")
        }
      }
    }
  }

  @Test func `kernel: our listing reads as the rules that it was written from`() throws {
    let ruleset = try ForeignRuleset.loaded.get().ruleset
    let text = ruleset.bytecodeListing()
    let read = try Ruleset(bytecodeListing: text)
    #expect(read.bytecodeListing() == text)
    var (ruleCount, otherCount) = (0, 0)
    for table in read.tables {
      let theirs = try #require(
        ruleset.tables.first { $0.family == table.family && $0.name == table.name })
      for chain in table.chains {
        let rules = try #require(theirs.chains.first { $0.name == chain.name }).rules
        for (ours, expected) in zip(chain.rules, rules) {
          ruleCount += 1
          if ours.expressions != expected.expressions {
            otherCount += 1
            print("OTHER", ours.expressions, expected.expressions)
          }
        }
      }
    }
    #expect(ruleCount > 200)
    #expect(otherCount == 0)
  }

  @Test func `kernel: every rule that nft wrote is one line, and most need no listing`() throws {
    var (lineCount, listingCount) = (0, 0)
    for table in try ForeignRuleset.loaded.get().ruleset.tables {
      for rule in table.chains.flatMap(\.rules) {
        let line = rule.readable(in: table)
        #expect(!line.isEmpty && !line.contains("\n"))
        lineCount += 1
        if line.contains("[ ") { listingCount += 1 }
      }
    }
    #expect(lineCount > 220)
    #expect(listingCount < lineCount / 4)
  }
}
