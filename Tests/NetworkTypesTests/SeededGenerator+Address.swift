import NetworkTypes
import SeededRandom

extension SeededGenerator {
  /// An address of either family, with runs of zero groups as often as not.
  mutating func address() -> IPAddress {
    if Bool.random(using: &self) { return .v4(UInt32.random(in: 0 ... .max, using: &self)) }
    var bits: UInt128 = 0
    for _ in 0..<8 {
      let group = Bool.random(using: &self) ? 0 : UInt16.random(in: 0 ... .max, using: &self)
      bits = bits << 16 | UInt128(group)
    }
    return .v6(bits)
  }
}
