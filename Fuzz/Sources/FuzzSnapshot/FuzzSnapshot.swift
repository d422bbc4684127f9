import CFuzzer
import NetfilterLink

/// Any bytes as a snapshot file: a file that is accepted must be the only spelling of itself.
@main enum FuzzSnapshot {
  static func main() {
    var count = CommandLine.argc
    var arguments = unsafe Optional(CommandLine.unsafeArgv)
    _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
      let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
      guard let file = try? SnapshotFile(parsing: bytes) else { return 0 }
      precondition(file.encoded() == bytes, "two spellings of one snapshot")
      if let messages = try? file.section("nftables") {
        _ = try? RecordedRuleset(generation: file.generation, messages: messages).decoded()
      }
      return 0
    }
  }
}
