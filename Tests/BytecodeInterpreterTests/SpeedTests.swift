import Bytecode
import BytecodeInterpreter
import NetworkTypes
import RulesetExamples
import Testing

/// Measured in release builds only: `swift test -c release --filter SpeedTests`.
@Suite(.serialized) struct SpeedTests {
  #if DEBUG
    static let isRelease = false
  #else
    static let isRelease = true
  #endif

  /// The example table with a large address list.
  static func ruleset(addresses: UInt32) -> Ruleset {
    var table = EgressTable.table
    let intervals = (0..<addresses).map { Interval($0 << 9 | 1, $0 << 9 | 77) }
    if let index = table.sets.firstIndex(where: { $0.name.hasPrefix("addresses/4") }) {
      table.sets[index].content = .ipv4(IntervalSet(intervals))
    }
    return Ruleset(tables: [table])
  }

  static func rate(_ packets: [PacketContext], _ interpreter: Interpreter) -> Double {
    let rounds = isRelease ? 100_000 : 10
    var accepted = 0
    let clock = ContinuousClock()
    let time = clock.measure {
      for _ in 0..<rounds {
        for index in packets.indices {
          if interpreter.outcome(hook: .output, packet: packets[index]) == .accept { accepted += 1 }
        }
      }
    }
    #expect(accepted % rounds == 0)
    let seconds = Double(time.components.attoseconds) / 1e18 + Double(time.components.seconds)
    return Double(rounds * packets.count) / seconds
  }

  @Test func `a million packets a second`() throws {
    let interpreter = try Interpreter(ruleset: Self.ruleset(addresses: 125_000))
    var fresh = [
      Packets.ipv4(6, Packets.tcp(40000, 443)), Packets.ipv4(17, Packets.udp(40000, 53)),
      Packets.ipv4(17, Packets.udp(40000, 53), to: [8, 8, 8, 8]),
      Packets.ipv4(6, Packets.tcp(40000, 25)), Packets.ipv6(17, Packets.udp(40000, 443)),
      Packets.ipv4(6, Packets.tcp(40000, 443), to: [10, 1, 2, 3]),
    ]
    for index in fresh.indices { fresh[index].destinationType = .known(1) }
    let established = [
      Packets.ipv4(6, Packets.tcp(40000, 443), state: .established),
      Packets.ipv6(6, Packets.tcp(40000, 443), state: .established),
    ]
    let newRate = Self.rate(fresh, interpreter)
    let oldRate = Self.rate(established, interpreter)
    print("new flows: \(Int(newRate)) packets/s; established: \(Int(oldRate)) packets/s")
    if Self.isRelease {
      #expect(newRate > 1_000_000)
      #expect(oldRate > 1_000_000)
    }
  }

  @Test func `a large set is written at once`() throws {
    let ruleset = Self.ruleset(addresses: 125_000)
    let clock = ContinuousClock()
    var count = 0
    let time = clock.measure { count = (try? ruleset.nftText().utf8.count) ?? 0 }
    print("text of 125 000 ranges: \(count) bytes in \(time)")
    #expect(count > 2_000_000)
    if Self.isRelease { #expect(time < .milliseconds(200)) }
  }
}
