import Bytecode
import BytecodeInterpreter
import NetworkTypes

/// Packets by their fields, for tests.
enum Packets {
  static func ports(_ source: UInt16, _ destination: UInt16) -> [UInt8] {
    [
      UInt8(source >> 8), UInt8(source & 0xff), UInt8(destination >> 8), UInt8(destination & 0xff),
    ]
  }

  static func tcp(_ source: UInt16, _ destination: UInt16, flags: UInt8 = 2) -> [UInt8] {
    ports(source, destination) + [UInt8](repeating: 0, count: 8) + [0x50, flags, 0, 0, 0, 0, 0, 0]
  }

  static func udp(_ source: UInt16, _ destination: UInt16) -> [UInt8] {
    ports(source, destination) + [0, 12, 0, 0, 1, 2, 3, 4]
  }

  /// An IPv4 packet; `fragment` are the flags and the fragment offset field.
  static func ipv4(
    _ number: UInt8, _ payload: [UInt8], to destination: [UInt8] = [192, 0, 2, 1],
    fragment: UInt16 = 0, options: [UInt8] = [], state: ConntrackState? = .new
  ) -> PacketContext {
    let length = 20 + options.count + payload.count
    let header: [UInt8] =
      [
        0x45 + UInt8(options.count / 4), 0, UInt8(length >> 8), UInt8(length & 0xff), 0, 1,
        UInt8(fragment >> 8), UInt8(fragment & 0xff), 64, number, 0, 0, 198, 51, 100, 7,
      ] + destination + options
    return PacketContext(family: .ipv4, bytes: header + payload, ctState: state)
  }

  /// An IPv6 packet; `next` is the first next header.
  static func ipv6(
    _ next: UInt8, _ payload: [UInt8], to destination: UInt128 = 0x2001_0db8 << 96 | 1,
    hopLimit: UInt8 = 64, flowLabel: UInt16 = 0, state: ConntrackState? = .new
  ) -> PacketContext {
    let header: [UInt8] =
      [
        0x60, 0, UInt8(flowLabel >> 8), UInt8(flowLabel & 0xff), UInt8(payload.count >> 8),
        UInt8(payload.count & 0xff), next, hopLimit,
      ] + IPAddress.v6(0x2001_0db8 << 96 | 7).networkOrderBytes
      + IPAddress.v6(destination).networkOrderBytes
    return PacketContext(family: .ipv6, bytes: header + payload, ctState: state)
  }

  /// A ruleset with one output chain of a rule, and what it makes of a packet.
  static func outcome(
    _ expressions: [Expression], _ packet: PacketContext, sets: [NamedSet] = [],
    chains: [Chain] = [], policy: Verdict = .accept, kernel: KernelBehaviour = .linux6_18
  ) throws -> Outcome {
    let chain = Chain(
      name: "output", hook: HookBinding(hook: .output, priority: 0, policy: policy),
      rules: [Rule(expressions)])
    let table = Table(family: .inet, name: "t", sets: sets, chains: [chain] + chains)
    return try Interpreter(ruleset: Ruleset(tables: [table]), kernel: kernel)
      .outcome(hook: .output, packet: packet)
  }
}
