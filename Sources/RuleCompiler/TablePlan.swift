import NetworkTypes
import PolicyLanguage

/// What the passes found out about a policy, before any chain is written.
struct TablePlan: Sendable {
  let policy: Policy
  let tableName: String
  let terms: [Term]
  let v4: FamilyPlan<UInt32>
  let v6: FamilyPlan<UInt128>

  init(policy: Policy, tableName: String) {
    self.policy = policy
    self.tableName = tableName
    let terms = policy.terms
    self.terms = terms
    let isTotal = terms.map(\.isTotal)
    v4 = FamilyPlan(
      classes: partition(supports: terms.map { $0.support.v4 }, isTotal: isTotal), terms: terms)
    v6 = FamilyPlan(
      classes: partition(
        supports: terms.map { $0.support.v6.subtracting(.nat64) }, isTotal: isTotal),
      terms: terms)
  }
}

/// The classes of one family: one for the catch-all element, small ones, and large ones.
struct FamilyPlan<Bound: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
  /// The class of every address that no other class holds.
  let fallback: [Int]
  /// Classes that go into the one verdict map.
  let small: [AddressClass<Bound>]
  /// Classes with so many intervals that they become sets, in pieces.
  let large: [AddressClass<Bound>]

  /// A class with more intervals than this becomes sets: their elements are cheaper to install
  /// than those of a map with verdicts, single addresses in a hash set most of all.
  static var largeThreshold: Int { Bound.bitWidth == 32 ? 256 : 128 }

  init(classes: [AddressClass<Bound>], terms: [Term]) {
    func fixedCount(_ candidate: AddressClass<Bound>) -> Int {
      candidate.terms.count { if case .fixed = terms[$0].addresses { true } else { false } }
    }
    let fallback = classes.filter { !$0.terms.isEmpty }.min {
      (fixedCount($0), -$0.intervals.count) < (fixedCount($1), -$1.intervals.count)
    }
    let rest = fallback?.terms ?? []
    self.fallback = rest
    // No term is active inside the NAT64 prefix: its packets are judged by the address inside.
    let others = classes.filter { $0.terms != rest && !$0.terms.isEmpty }
    small = others.filter { $0.intervals.count <= Self.largeThreshold }
    large = others.filter { $0.intervals.count > Self.largeThreshold }
  }
}

extension IntervalSet<UInt128> {
  /// 64:ff9b::/96, the well-known NAT64 prefix of RFC 6052.
  static var nat64: IntervalSet {
    let first = UInt128(0x64_ff9b) << 96
    return IntervalSet([Interval(first, first + 0xffff_ffff)])
  }
}
