import Bytecode
import LinuxSystem
import NetfilterLink
import TestSupport

/// What `nft` says about the calling thread's namespace; an independent pair of eyes.
enum Nft {
  /// `nft` ended with an error; the text is what it said.
  struct Failed: Error {
    var text: String
  }

  /// Runs nft and gives what it printed.
  @discardableResult
  static func run(_ arguments: String..., input: String = "") throws -> String {
    try NetworkNamespace.assertThrowAway()
    let outcome = try Program.run(["nft"] + arguments, input: input)
    guard outcome.ending == .exit(0) else { throw Failed(text: outcome.error) }
    return outcome.output
  }

  /// Everything in the kernel, with handles, so that a thing made anew differs from the old one.
  static func ruleset() throws -> String { try run("-a", "list", "ruleset") }

  /// The number that the kernel counts up with every transaction that changed something.
  static func generation() throws -> UInt32 {
    var session = NetfilterSession(try NetlinkSocket.open())
    return try session.readGeneration()
  }
}

/// The objects of a table as nft lists them: `map generation/out` → its text.
struct ListedTable {
  let blocks: [String: String]

  init(_ listing: String) {
    var blocks: [String: String] = [:]
    var head = ""
    for line in listing.split(separator: "\n") {
      if line.hasPrefix("\t"), !line.hasPrefix("\t\t"), line.hasSuffix("{") {
        head = String(line.dropFirst().dropLast(2))
      }
      if !head.isEmpty { blocks[head, default: ""] += line + "\n" }
    }
    self.blocks = blocks
  }

  /// The table that is in force; nil for none.
  static func live(_ table: String = "weir") throws -> ListedTable? {
    (try? Nft.run("list", "table", "inet", table)).map(ListedTable.init)
  }

  /// The generation that a map leads into.
  func generation(_ map: String) -> String? {
    let text = blocks["map generation/\(map)"] ?? ""
    return text.firstMatch(of: #/\* : goto (g[0-9]+)//#).map { String($0.1) }
  }

  /// Whether all that a clean installation lists is there as it lists it, but for the generation.
  ///
  /// What is there beyond that must be unreachable: of another generation, a list of addresses, or
  /// a counter.
  func isWhole(as clean: ListedTable) -> Bool {
    guard let generation = generation("out"), generation == self.generation("in") else {
      return false
    }
    func renamed(_ text: String) -> String { text.replacing("g1/", with: "\(generation)/") }
    let expected = Dictionary(
      uniqueKeysWithValues: clean.blocks.map { (renamed($0.key), renamed($0.value)) })
    let isComplete = expected.allSatisfy { blocks[$0.key] == $0.value }
    let strangers = blocks.keys.filter { expected[$0] == nil }
    return isComplete
      && strangers.allSatisfy {
        $0.contains(#/^(chain|map|set) (g[0-9]+/|addresses/)|^counter /#)
          && !$0.contains(" \(generation)/")
      }
  }
}
