import Bytecode
import CFuzzer

/// Any text as a listing in the notation of `nft --debug=netlink`: what is accepted is written in a
/// form that reads as the same rules, and every rule has a line for people.
@main enum FuzzListing {
  static func main() {
    var count = CommandLine.argc
    var arguments = unsafe Optional(CommandLine.unsafeArgv)
    _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
      let bytes = unsafe UnsafeBufferPointer(start: start, count: count)
      let text = unsafe String(decoding: bytes, as: UTF8.self)
      guard let ruleset = try? Ruleset(bytecodeListing: text) else { return 0 }
      let listing = ruleset.bytecodeListing()
      guard let again = try? Ruleset(bytecodeListing: listing) else {
        preconditionFailure("our own listing is not read")
      }
      // Constants may come back wider once; then no more.
      precondition(again.bytecodeListing() == listing, "two listings of one ruleset")
      for table in ruleset.tables {
        for rule in table.chains.flatMap(\.rules) {
          precondition(!rule.readable(in: table).contains("\n"), "a line that is two")
        }
      }
      return 0
    }
  }
}
