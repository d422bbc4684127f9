import CFuzzer
import HostAudit
import HostFacts
import NetworkTypes
import Operations
import PolicyLanguage

/// Any bytes as the host facts of a snapshot: what is accepted is written and read back as itself,
/// and every judge gives an answer.
@main enum FuzzHost {
  static let policy: Policy = {
    let location = SourceLocation(file: "fuzz", line: 1, column: 1)
    let block = Prefix(containing: .v4(0x0a00_0000), length: 8).block
    return Policy(
      name: "fuzz", protocols: Sourced([.tcp, .udp]), inbound: Sourced(.deny),
      sourcePorts: Sourced(nil), idleSeconds: Sourced(nil), onDeny: Sourced(.reject),
      defaultDecision: Sourced(.allow), allow: [],
      deny: [
        Entry(
          decision: .deny, clause: "private",
          destination: Destination(addresses: AddressSet([block]), includesLinkBroadcast: true),
          location: location)
      ], tests: [])
  }()

  static func main() {
    var count = CommandLine.argc
    var arguments = unsafe Optional(CommandLine.unsafeArgv)
    _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
      let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
      guard let decoded = try? HostCoding.decode(bytes) else { return 0 }
      let state = decoded.state
      let again = try? HostCoding.decode(HostCoding.encode(state))
      precondition(again?.state == state, "two readings of one state")
      let lines =
        state.bypasses(rules: nil, acceptsMidStream: nil).flatMap(\.evidence).map(\.description)
        + state.listeners(judgedBy: FuzzHost.policy).beyond.map(\.description)
        + state.liveFlows(judgedBy: FuzzHost.policy).outside.map(\.description)
      precondition(!lines.contains { $0.contains("\n") }, "a line that is two")
      return 0
    }
  }
}
