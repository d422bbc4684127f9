import Bytecode
import NetworkTypes
import PacketSets

/// Targets of xtables.
///
/// Source: `nft_target_eval_xt`, `net/netfilter/nft_compat.c`, and each `net/netfilter/xt_*.c`.
extension SymbolicAnalyzer {
  mutating func step(
    _ target: ExtensionTarget, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    let family = ruleset.tables[run.tableIndex].family
    guard let value = target.value(in: family) else {
      end(path, anything(path, "the target \(target.name)"), &run)
      return
    }
    switch value {
    case .reject:
      end(path, Outcome(drops: true), &run)
    case .log, .nflog, .checksum, .trace, .classify:
      next.append(path)
    case .tcpMSS:
      // A segment that cannot be rewritten is dropped.
      var path = path
      path.pending = path.pending.union(
        Outcome(drops: true, causes: [cause("whether TCPMSS can write its option")]))
      next.append(path)
    case .mark(let mark, let mask):
      next.append(marked(path, PacketField.mark, keep: ~mask, flip: mark))
    case .connmark(let target):
      try step(target, path, &next, &run)
    case .notrack:
      try stepNotrack(path, &next, &run)
    case .ct(let template):
      if template.isNotrack {
        try stepNotrack(path, &next, &run)
      } else {
        next.append(path)
      }
    case .queue:
      endInQueue(path, &run)
    case .destinationNAT(let range):
      try translateDestination(
        path, range.addresses.map(\.numbers), range.ports.map(FieldChange.ports),
        isIPv4: family == .ip, &run)
    case .netmap(let range):
      let any: Interval<UInt128>? = nil
      if run.context.hook == .postrouting || run.context.hook == .input {
        try translateSource(path, any, nil, &run)
      } else {
        try translateDestination(
          path, .some(any), range.ports.map(FieldChange.ports), isIPv4: family == .ip, &run)
      }
    case .sourceNAT(let range):
      try translateSource(
        path, range.addresses.map(\.numbers), range.ports.map(FieldChange.ports), &run)
    case .masquerade(let range):
      try translateSource(path, nil, range.ports.map(FieldChange.ports), &run)
    case .redirect(let range):
      try stepRedirect(range.ports.map(FieldChange.ports), path, &run)
    }
  }

  /// A mark becomes `mark & keep ^ flip`, after what the rule did to it before.
  private func marked(
    _ path: RulePath, _ fields: [PacketField], keep: UInt32, flip: UInt32
  ) -> RulePath {
    var path = path
    var changes: [PacketField: FieldChange] = [:]
    for (index, field) in fields.enumerated() {
      let shift = UInt32(28 - 4 * index)
      let kept = keep >> shift & 15
      let flipped = flip >> shift & 15
      changes[field] = kept == 0 ? .constant(flipped) : .bits(keep: kept, flip: flipped)
    }
    path.change = path.change.then(Change(fields: FieldChanges(changes)))
    return path
  }

  /// Source: `connmark_tg_shift`, `net/netfilter/xt_connmark.c`.
  private mutating func step(
    _ target: ConnmarkTarget, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    let isTracked = run.context.isBeforeConntrack ? Diagram.nothing : try tracked()
    var plain = path
    plain.packets = try diagrams.difference(path.packets, isTracked)
    if plain.packets != .nothing { next.append(plain) }
    var flow = path
    flow.packets = try diagrams.intersection(path.packets, isTracked)
    guard flow.packets != .nothing else { return }
    if target.mode == 0 && target.shift == 0 {
      next.append(
        marked(flow, PacketField.conntrackMark, keep: ~target.flowMask, flip: target.value))
      return
    }
    // The masked bits of one mark go into the other.
    let isSave = target.mode != 2
    let fields = isSave ? PacketField.conntrackMark : PacketField.mark
    var changes: [PacketField: FieldChange] = [:]
    for field in fields { changes[field] = .any(field) }
    assign(changes, [cause("a mark copied between packet and flow")], &flow)
    next.append(flow)
  }
}

extension AddressRange {
  /// The addresses as numbers; nil when they are reversed.
  fileprivate var numbers: Interval<UInt128>? {
    func number(_ bytes: [UInt8]) -> UInt128 { bytes.reduce(0) { $0 << 8 | UInt128($1) } }
    let bounds = (number(first), number(last))
    return bounds.0 <= bounds.1 ? Interval(bounds.0, bounds.1) : nil
  }
}

extension FieldChange {
  /// Any of the ports.
  fileprivate static func ports(_ ports: ClosedRange<UInt16>) -> FieldChange {
    .among(Interval(UInt32(ports.lowerBound), UInt32(ports.upperBound)))
  }
}
