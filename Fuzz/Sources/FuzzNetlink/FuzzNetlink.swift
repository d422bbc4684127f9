import CFuzzer
import NetfilterLink

/// Any bytes as the messages of a dump: read and loaded as a snapshot holds them, then read as a
/// kernel's answers.
@main enum FuzzNetlink {
  static func main() {
    var count = CommandLine.argc
    var arguments = unsafe Optional(CommandLine.unsafeArgv)
    _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
      let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
      // The low half of the generation is in the first message's nfgenmsg.
      let generation = bytes.count < 20 ? 1 : UInt32(bytes[18]) << 8 | UInt32(bytes[19])
      let recorded = RecordedRuleset(generation: generation, messages: bytes[...])
      _ = try? recorded.decoded()
      var copy = NetfilterSession(AnsweringTransport([], generation: generation))
      _ = try? copy.load(recorded)
      var session = NetfilterSession(AnsweringTransport(bytes, generation: generation))
      _ = try? session.readSnapshot()
      return 0
    }
  }
}
