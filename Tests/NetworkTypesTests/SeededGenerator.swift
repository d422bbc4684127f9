import NetworkTypes

/// SplitMix64: the same seed gives the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

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
