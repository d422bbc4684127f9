import Bytecode
public import PacketSets

/// What becomes of every packet on a way through a host, read off a symbolic analysis.
///
/// Sets are of packets as they begin their way, unless they say otherwise. ``mayPass`` is too large
/// where something is not known, ``mustPass`` too small; between them lies what cannot be decided.
public struct WayAnalysis: Sendable {
  /// The way.
  public let way: PacketWay
  /// The packets that can be on the way.
  public let possible: Diagram
  /// The packets that may get through: no packet outside does.
  public let mayPass: Diagram
  /// The packets that do get through, whatever is not known.
  public let mustPass: Diagram
  /// The packets of which it cannot be decided.
  public let undecided: Diagram
  /// The packets that may come out at the end, as they are then: after NAT and marks.
  public let mayLeave: Diagram
  /// What makes packets undecided.
  public let causes: [Cause]
  /// What the analysis did not look at, though it may send or stop packets.
  public let notModelled: [String]

  /// Outcomes by packet, for ``SymbolicAnalyzer/causes(of:in:)``.
  let function: Diagram
}

extension SymbolicAnalyzer {
  /// Decides a way for every packet at once.
  ///
  /// - Throws: ``PacketSetError/tooComplex``; the analyzer is then of no more use.
  ///
  /// Complexity: O(n log n) in the number of rules that differ in few fields.
  public mutating func analyze(_ way: PacketWay) throws(PacketSetError) -> WayAnalysis {
    let possible = try possiblePackets(way)
    let function = try function(of: way)
    let outcomes = table.outcomes
    let may = try diagrams.intersection(
      possible, diagrams.packets(of: function) { !outcomes[$0].next.isEmpty })
    let open = try keepableFragments()
    let must = try diagrams.difference(
      diagrams.intersection(
        possible, diagrams.packets(of: function) { !outcomes[$0].drops }), open)
    let undecided = try diagrams.difference(may, must)
    var leaving: [Diagram] = []
    var changes: Set<Int32> = []
    for value in diagrams.values(of: function) { changes.formUnion(outcomes[value].next) }
    for change in changes.sorted() {
      let before = try diagrams.intersection(
        possible, diagrams.packets(of: function) { outcomes[$0].next.contains(change) })
      leaving.append(try diagrams.after(table.changes[Int(change)].fields, before))
    }
    let all = try diagrams.intersection(diagrams.union(leaving), consistentPackets())
    var causes = try causes(of: undecided, function)
    if try diagrams.intersection(undecided, open) != .nothing {
      causes.append(Cause(place: nil, reason: Self.reassembly))
    }
    return WayAnalysis(
      way: way, possible: possible, mayPass: may, mustPass: must, undecided: undecided,
      mayLeave: all, causes: causes, notModelled: omissions,
      function: function)
  }

  /// What makes packets of a set undecided.
  ///
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func causes(
    of packets: Diagram, in analysis: WayAnalysis
  ) throws(PacketSetError) -> [Cause] {
    var found = try causes(of: packets, analysis.function)
    if try diagrams.intersection(packets, keepableFragments()) != .nothing {
      found.append(Cause(place: nil, reason: Self.reassembly))
    }
    return found
  }

  private static var reassembly: String { "whether reassembly keeps an IPv6 fragment" }

  private mutating func causes(
    of packets: Diagram, _ function: Diagram
  ) throws(PacketSetError) -> [Cause] {
    guard packets != .nothing else { return [] }
    let nowhere = table.number(Outcome())
    let inside = try diagrams.choose(packets, function, .constant(nowhere))
    var numbers: Set<Int32> = []
    for value in diagrams.values(of: inside) {
      numbers.formUnion(table.outcomes[value].causes)
    }
    return numbers.sorted().map { table.causes[Int($0)] }
  }

  /// What may send or stop packets and is not looked at.
  private var omissions: [String] {
    chainsBeforeReassembly
      + ruleset.tables.filter { !$0.isDormant }.flatMap { table -> [String] in
        var found = table.allUnknown.map { "\(table.label): \($0.kind)" }
        let isIP = [.inet, .ip, .ip6].contains(table.family)
        for chain in table.chains {
          if let hook = chain.hook?.hook, !isIP || [.ingress, .egress, .unknown].contains(hook) {
            found.append("\(table.label) \(chain.name): a chain at the hook \(hook)")
          }
          for (index, rule) in chain.rules.enumerated() {
            for expression in rule.expressions {
              guard let copy = expression.copies else { continue }
              found.append("\(table.label) \(chain.name) rule \(index + 1): \(copy)")
            }
          }
        }
        return found
      }
  }

  /// The link that an interface field's value stands for; nil for none or for any other.
  public func link(_ value: UInt32) -> Link? { links.link(value) }

  /// The value of interface fields that stands for the loopback link.
  public var loopbackValue: UInt32 { links.loopback }
}

extension Expression {
  /// How the expression sends packets past rules; nil when it does not.
  fileprivate var copies: String? {
    switch self {
    case .duplicate: "a copy of the packet is sent"
    case .target(let target) where target.name == "TEE": "a copy of the packet is sent"
    case .flowOffload: "later packets of the flow do not pass the forward hook"
    case .forward: "the packet is sent out of another device"
    default: nil
    }
  }
}
