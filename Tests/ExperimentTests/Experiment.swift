import Bytecode
import BytecodeInterpreter
import KernelTrials
import NetworkTypes
import Testing

/// One ruleset, a few packets, and what they meet, by the kernel and by the interpreter.
struct Experiment {
  /// What became of one packet.
  struct Outcome: Equatable {
    /// The comments of the rules whose every expression held, in order.
    var matched: [String]
    /// Whether it was seen on the wire.
    var left: Bool
  }

  struct Refused: Error {
    var text: String
  }

  private let trial: KernelTrial

  /// Loads a ruleset that nft(8) must take whole.
  init(_ text: String) throws {
    trial = try KernelTrial()
    switch try trial.load(text) {
    case .success(let loaded): guard loaded == text else { throw Refused(text: loaded) }
    case .failure(let complaint): throw Refused(text: complaint.text)
    }
  }

  /// Sends a packet; the interpreter must tell the same trace and the same end.
  func send(_ packet: [UInt8], isExempt: Bool = false) throws -> Outcome {
    let packet = TrialPacket(packet, isExempt: isExempt)
    guard let interpreter = trial.interpreter else { throw Refused(text: "nothing loaded") }
    let passage = interpreter.passage(
      of: trial.context(packet), path: .output, in: trial.surroundings)
    var leaves = false
    if case .passes(let passed) = passage.fate, case .known(let device) = passed.outputInterface {
      leaves = device.name != "lo"
    }
    let sighting = try trial.send(packet, expects: leaves)
    #expect(sighting.steps == KernelTrial.steps(passage.trace), "\(passage.fate)")
    var left = false
    if case .passes(let passed) = passage.fate {
      left = sighting.departures.contains(passed.bytes)
    } else {
      left = sighting.departures.contains(packet.bytes)
    }
    #expect(left == leaves, "\(passage.fate)")
    let matched = passage.trace.filter { visited in
      switch visited.result {
      case .broke, .policy: false
      default: true
      }
    }
    return Outcome(matched: matched.compactMap(\.comment), left: left)
  }
}

/// Packets by their fields; UDP without a checksum.
enum Frame {
  static let own4: [UInt8] = [198, 18, 77, 2]
  static let own6 = IPAddress.v6(0x2001_0db8_0077 << 80 | 2).networkOrderBytes
  static let far4: [UInt8] = [203, 0, 113, 1]
  static let far6 = IPAddress.v6(0x2001_4860 << 96 | 1).networkOrderBytes

  static func ipv4(
    _ ipProtocol: UInt8, _ payload: [UInt8], to destination: [UInt8] = far4, fragment: UInt16 = 0,
    id: UInt8 = 1
  ) -> [UInt8] {
    let length = UInt8(20 + payload.count)
    var header: [UInt8] =
      [
        0x45, 0, 0, length, 0, id, UInt8(fragment >> 8), UInt8(fragment & 0xff), 64, ipProtocol, 0,
        0,
      ] + own4 + destination
    var sum: UInt32 = 0
    for index in stride(from: 0, to: 20, by: 2) {
      sum += UInt32(header[index]) << 8 | UInt32(header[index + 1])
    }
    while sum > 0xffff { sum = (sum >> 16) + (sum & 0xffff) }
    header[10] = UInt8(~sum >> 8 & 0xff)
    header[11] = UInt8(~sum & 0xff)
    return header + payload
  }

  static func ipv6(
    _ next: UInt8, _ payload: [UInt8], to destination: [UInt8] = far6, flowLabel: UInt8 = 0
  ) -> [UInt8] {
    [0x60, 0, 0, flowLabel, 0, UInt8(payload.count), next, 64] + own6 + destination + payload
  }

  static func udp(_ source: UInt16, _ destination: UInt16, _ data: [UInt8] = [1]) -> [UInt8] {
    [
      UInt8(source >> 8), UInt8(source & 0xff), UInt8(destination >> 8),
      UInt8(destination & 0xff), 0, UInt8(8 + data.count), 0, 0,
    ] + data
  }

  static func tcp(_ source: UInt16, _ destination: UInt16, flags: UInt8 = 2) -> [UInt8] {
    [
      UInt8(source >> 8), UInt8(source & 0xff), UInt8(destination >> 8),
      UInt8(destination & 0xff), 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 1, 0, 0, 0, 0, 0,
    ]
  }
}
