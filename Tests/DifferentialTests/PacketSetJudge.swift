import Bytecode
import KernelTrials
import NetworkTypes
import PacketSets
import SymbolicAnalysis

/// The sets of packets that a ruleset lets out, by analysis: a third opinion beside the kernel and
/// the interpreter.
struct PacketSetJudge: ~Copyable {
  private var analyzer: SymbolicAnalyzer
  private let analysis: WayAnalysis
  /// Whether the budget is spent, so that there are no more answers.
  private var isSpent = false

  /// Analyses a ruleset; nil when it is too complex for a run of thousands.
  init?(_ ruleset: Ruleset, link: Link) {
    analyzer = SymbolicAnalyzer(
      ruleset, AnalysisFacts(links: [.loopback, link]),
      budget: DiagramBudget(intervals: 2_000_000))
    do {
      analysis = try analyzer.analyze(.egress)
    } catch {
      return nil
    }
  }

  /// Whether the sets allow what became of a packet, whatever its bytes do not tell; nil when it is
  /// a packet whose fields are not its bytes', or was stopped where the analysis did not look.
  ///
  /// One that passed must be among those that may. One that did not must not be among those that do
  /// whatever else is true of it.
  mutating func agrees(_ packet: TrialPacket, passed: Bool) -> Bool? {
    if isSpent { return nil }
    do throws(PacketSetError) {
      return try answer(packet, passed: passed)
    } catch {
      isSpent = true
      return nil
    }
  }

  private mutating func answer(
    _ packet: TrialPacket, passed: Bool
  ) throws(PacketSetError) -> Bool? {
    guard let fields = packet.fields else { return nil }
    var packets = Diagram.everything
    for (field, value) in fields.sorted(by: { $0.key > $1.key }) {
      packets = try analyzer.diagrams.intersection(
        analyzer.diagrams.set(field, value), packets)
    }
    packets = try analyzer.diagrams.intersection(packets, analysis.possible)
    if !passed, !analysis.notModelled.isEmpty { return nil }
    if passed { return try analyzer.diagrams.intersection(packets, analysis.mayPass) != .nothing }
    return try analyzer.diagrams.difference(packets, analysis.mustPass) != .nothing
  }
}

extension TrialPacket {
  /// The fields that the bytes of an outgoing packet tell; nil where reassembly may change them, or
  /// where the IPv6 headers are more than options and a routing header.
  fileprivate var fields: [PacketField: UInt32]? {
    var found: [PacketField: UInt32] = [
      .inputInterface: 0, .socket: 1, .socketUser: 0, .socketGroup: 0, .packetType: 0,
    ]
    for field in PacketField.mark { found[field] = 0 }
    let start = family == .ipv4 ? addFour(&found) : addSix(&found)
    guard let start, start <= bytes.count else { return nil }
    let length = bytes.count - start
    found[.transportLength] = UInt32(min(length, 64))
    if length >= 2 { found[.sourcePort] = word(start) }
    if length >= 4 { found[.destinationPort] = word(start + 2) }
    if length >= 14 { found[.tcpFlags] = UInt32(bytes[start + 13]) }
    return found
  }

  /// Where the transport header begins.
  private func addFour(_ found: inout [PacketField: UInt32]) -> Int? {
    let fragment = word(6)
    guard isExempt || fragment & 0x3fff == 0 else { return nil }
    found[.family] = 0
    found[.fragment] = fragment & 0x7fff
    found[.transportProtocol] = UInt32(bytes[9])
    found[.hopLimit] = UInt32(bytes[8])
    found[.trafficClass] = UInt32(bytes[1])
    found[.source3] = word(12) << 16 | word(14)
    found[.destination3] = word(16) << 16 | word(18)
    return Int(bytes[0] & 15) * 4
  }

  private func addSix(_ found: inout [PacketField: UInt32]) -> Int? {
    found[.family] = 1
    found[.fragment] = 0
    found[.firstNextHeader] = UInt32(bytes[6])
    found[.hopLimit] = UInt32(bytes[7])
    found[.trafficClass] = word(0) >> 4 & 0xff
    found[.flowLabel] = (word(0) & 15) << 16 | word(2)
    for index in 0..<4 {
      found[PacketField.source[index]] = word(8 + 4 * index) << 16 | word(10 + 4 * index)
      found[PacketField.destination[index]] = word(24 + 4 * index) << 16 | word(26 + 4 * index)
    }
    var next = bytes[6]
    var start = 40
    found[.routingHeader] = 0
    while [0, 43, 60].contains(next) {
      guard start + 8 <= bytes.count else { return nil }
      if next == 43 { found[.routingHeader] = 1 }
      next = bytes[start]
      start += (Int(bytes[start + 1]) + 1) * 8
    }
    if next == 44 || next == 51 { return nil }
    found[.transportProtocol] = UInt32(next)
    return start
  }

  private func word(_ offset: Int) -> UInt32 {
    UInt32(bytes[offset]) << 8 | UInt32(bytes[offset + 1])
  }
}
