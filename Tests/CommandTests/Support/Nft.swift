import Foundation
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

/// The objects of a table as nft lists them, those of the generation in force as if it were `g1`.
struct ListedTable: Equatable, CustomStringConvertible {
  /// The text of each object by its head, such as `map generation/out`.
  ///
  /// Counters are without the comment: one that goes on counting keeps that of the generation that
  /// made it.
  private let blocks: [String: String]

  /// The listing, for a test that fails.
  let description: String

  init(_ listing: String) {
    // Only the maps that lead into a generation say `* : goto g<N>/out }`.
    let generation =
      listing.components(separatedBy: "* : goto ").dropFirst()
      .filter { $0.drop { $0 != "/" }.hasPrefix("/out }") }
      .map { String($0.prefix { $0 != "/" }) }.first ?? ""
    description = listing.replacingOccurrences(of: "\(generation)/", with: "g1/")
    let isFirst = generation == "g1" || generation.isEmpty
    // Leftovers must not pass for the generation in force.
    let text =
      isFirst
      ? listing
      : listing.replacingOccurrences(of: " g1/", with: " left/")
        .replacingOccurrences(of: "\(generation)/", with: "g1/")
    var blocks: [String: String] = [:]
    var head = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("\t"), !line.hasPrefix("\t\t"), line.hasSuffix("{") {
        head = String(line.dropFirst().dropLast(2))
      }
      if line.hasPrefix("\t\tcomment"), head.hasPrefix("counter") { continue }
      if !head.isEmpty { blocks[head, default: ""] += line + "\n" }
      if line == "\t}" { head = "" }
    }
    self.blocks = blocks
  }

  /// The table that the kernel holds; nil for none.
  static func live(_ table: String = "weir") throws -> ListedTable? {
    (try? Nft.run("list", "table", "inet", table)).map(ListedTable.init)
  }

  static func == (first: ListedTable, second: ListedTable) -> Bool {
    first.blocks == second.blocks
  }

  /// Whether packets are judged by it.
  var isHooked: Bool { blocks.values.contains { $0.contains(" hook ") } }

  /// Whether all that a clean installation lists is there as it lists it.
  ///
  /// What is there beyond that must be out of reach: of another generation, or a counter.
  func isWhole(as clean: ListedTable) -> Bool {
    let others = blocks.filter { clean.blocks[$0.key] == nil }.keys
    return clean.blocks.allSatisfy { blocks[$0.key] == $0.value }
      && others.allSatisfy { name in
        name.hasPrefix("counter ")
          || !name.contains(" g1/") && name.contains("/")
            && !name.contains(" generation/")
      }
  }
}
