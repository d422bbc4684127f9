import Bytecode
import CFuzzer

/// Any text as a listing in the notation of `nft --debug=netlink`: what is accepted is written and read
/// again without a trap, and every rule has one line for people.
///
/// That a listing reads as the rules it was written from is no property of any text: constants get
/// wider, and a name may hold what the notation does not quote. The tests hold it for rules of kernels.
@main enum FuzzListing {
  static func main() {
    var count = CommandLine.argc
    var arguments = unsafe Optional(CommandLine.unsafeArgv)
    _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
      let bytes = unsafe UnsafeBufferPointer(start: start, count: count)
      let text = unsafe String(decoding: bytes, as: UTF8.self)
      guard let ruleset = try? Ruleset(bytecodeListing: text) else { return 0 }
      _ = (try? Ruleset(bytecodeListing: ruleset.bytecodeListing()))?.bytecodeListing()
      for table in ruleset.tables {
        for rule in table.chains.flatMap(\.rules) {
          precondition(!rule.readable(in: table).contains("\n"), "a line that is two")
        }
      }
      return 0
    }
  }
}
