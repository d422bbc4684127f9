import NetworkTypes
import PolicyLanguage
import PolicyMeaning

/// What the names of both sides' policies stand for.
struct NameMeanings {
  let a: NameAnswers
  let b: NameAnswers
  let remarks: [String]

  /// As pinned, or as the other side's table has it; two policies share what is made up.
  init(_ a: DiffOrigin, _ b: DiffOrigin, _ request: DiffRequest) {
    var remarks: [String] = []
    func answers(_ policy: Policy, _ other: DiffOrigin, _ pins: NamePins) -> NameAnswers {
      guard let snapshot = other.snapshot else {
        let names = policy.answersForVerification(pins: pins)
        if names.addresses.keys.contains(where: { request.pins.addresses[$0] == nil }) {
          remarks.append("names that --resolve does not give have made-up addresses on both sides")
        }
        return names
      }
      let (names, origin) = policy.answersForAudit(pins, snapshot.ruleset, request.target.table)
      if let origin { remarks.append(origin) }
      return names
    }
    self.a = a.policy.map { answers($0, b, request.pins) } ?? NameAnswers()
    let shared = self.a.addresses.mapValues { $0.sorted() }
    let pins = NamePins(shared.merging(request.pins.addresses) { _, pinned in pinned })
    self.b = b.policy.map { answers($0, a, pins) } ?? NameAnswers()
    self.remarks = remarks
  }
}
