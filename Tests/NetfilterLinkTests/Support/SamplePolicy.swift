import Bytecode
import NetworkTypes

/// A small table in the shape that the compiler gives tables, for any generation.
///
///     output ─▶ generation/out ─▶ g/out ─▶ ports (anonymous set) ─▶ accept
///                                   └──▶ destinations (shared set) ─▶ g/deny ─▶ counter, drop
struct SamplePolicy {
  var name = "weir"
  /// The clause's name, in comments and counters.
  var clause = "private"
  /// What the shared set holds; its name follows from it.
  var denied: IntervalSet<UInt32> = IntervalSet([Interval(0x0a00_0000, 0x0aff_ffff)])
  var ports: [UInt16] = [80, 443]
  var answers: [UInt32] = []

  func table(_ generation: Int) -> Table {
    let shared = "addresses/4/\(denied.hashValueOfContents)"
    let word = Register(word: 0)
    func jump(_ suffix: String) -> Expression {
      .immediate(.verdict(.goto("g\(generation)/\(suffix)")))
    }
    let raw = PayloadLoad(.network, offsetBytes: 16, lengthBytes: 4, into: word)
    let sets = [
      NamedSet(
        name: "generation/out", flags: [.map, .timeout], key: [.nfproto], isVerdictMap: true,
        content: .elements([.catchAll(.goto("g\(generation)/out"))])),
      NamedSet(
        name: shared, flags: .interval, key: [.integer], typeof: raw, content: .ipv4(denied)),
      NamedSet(
        name: "g\(generation)/name4/example.org", key: [.ipv4Address], size: 128,
        isRuntimeState: true,
        content: .elements(answers.map { SetElement(key: IPAddress.v4($0).networkOrderBytes) })),
      NamedSet(
        name: "__set0", flags: [.anonymous, .constant], key: [.inetService],
        content: .elements(
          ports.map { SetElement(key: [UInt8($0 >> 8), UInt8($0 & 0xff)]) })),
    ]
    let chains = [
      Chain(
        name: "g\(generation)/out", comment: "policy sample \(clause)",
        rules: [
          Rule([.payload(raw), .lookup(Lookup(word, in: shared)), jump("deny")]),
          Rule([
            .meta(MetaLoad(.l4proto, into: word)), .compare(Compare(word, .equal, [6])),
            .payload(PayloadLoad(.transport, offsetBytes: 2, lengthBytes: 2, into: word)),
            .lookup(Lookup(word, in: "__set0")), .immediate(.verdict(.accept)),
          ]),
          Rule([
            .payload(raw), .lookup(Lookup(word, in: "g\(generation)/name4/example.org")),
            .immediate(.verdict(.accept)),
          ]),
          Rule([jump("deny")]),
        ]),
      Chain(
        name: "g\(generation)/deny",
        rules: [
          Rule(
            [.objectReference(.counter(clause)), .immediate(.verdict(.drop))], comment: clause,
            provenance: Provenance(
              clause: clause, location: SourceLocation(file: "rules/x.yaml", line: 31, column: 5)))
        ]),
      Chain(
        name: "output", hook: HookBinding(hook: .output, priority: 0, policy: .drop),
        rules: [
          Rule([
            .meta(MetaLoad(.nfproto, into: word)),
            .lookup(Lookup(word, in: "generation/out", destination: .verdict)),
          ]),
          Rule([.counter(Counter()), .immediate(.verdict(.drop))]),
        ]),
    ]
    return Table(
      family: .inet, name: name, comment: "managed by weir",
      counters: [NamedCounter(name: clause, comment: "deny \(clause)")], sets: sets,
      chains: chains)
  }
}

extension IntervalSet<UInt32> {
  /// A name for the contents: first and last address and how many ranges.
  fileprivate var hashValueOfContents: String {
    "\(intervals.first?.first ?? 0)-\(intervals.last?.last ?? 0)-\(intervals.count)"
  }
}
