import Bytecode
import NetworkTypes
import PacketSets

/// Statements that change marks, bytes and tracking.
extension SymbolicAnalyzer {
  /// `meta … set`: the mark is followed, other keys decide nothing that is modelled.
  ///
  /// Source: `nft_meta_set_eval`, `net/netfilter/nft_meta.c`.
  func changed(_ path: RulePath, _ set: MetaSet) -> RulePath {
    var path = path
    switch set.key {
    case .mark:
      let value = path.registers.load(set.source.word, lengthBytes: 4).swapped
      assign(PacketField.mark, value, "the mark that a rule sets", &path)
    case .pkttype:
      assign([.packetType: .any(.packetType)], [cause("the packet type that a rule sets")], &path)
    default: break
    }
    return path
  }

  /// `ct … set`: without a flow nothing happens; keys but the mark decide nothing here.
  ///
  /// Source: `nft_ct_set_eval`, `net/netfilter/nft_ct.c`.
  mutating func step(
    _ set: ConntrackSet, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    guard set.key == .mark, !run.context.isBeforeConntrack else {
      next.append(path)
      return
    }
    let isTracked = try diagrams.set(.conntrackState, IntervalSet([Interval(1, 3)]))
    var plain = path
    plain.packets = try diagrams.difference(path.packets, isTracked)
    if plain.packets != .nothing { next.append(plain) }
    var marked = path
    marked.packets = try diagrams.intersection(path.packets, isTracked)
    guard marked.packets != .nothing else { return }
    let value = path.registers.load(set.source.word, lengthBytes: 4).swapped
    assign(PacketField.conntrackMark, value, "the ct mark that a rule sets", &marked)
    next.append(marked)
  }

  /// `notrack`: what has no flow yet gets none.
  ///
  /// Source: `nft_notrack_eval`, `net/netfilter/nft_ct.c`.
  mutating func stepNotrack(
    _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    var open = path
    if !run.context.isBeforeConntrack {
      let hasNone = try diagrams.set(.conntrackState, 0)
      open.packets = try diagrams.intersection(path.packets, hasNone)
      var rest = path
      rest.packets = try diagrams.difference(path.packets, hasNone)
      if rest.packets != .nothing { next.append(rest) }
    }
    guard open.packets != .nothing else { return }
    var fields: [PacketField: FieldChange] = [
      .conntrackState: .constant(4), .conntrackDirection: .constant(0),
    ]
    for field in PacketField.conntrackMark + PacketField.conntrackStatus {
      fields[field] = .constant(0)
    }
    assign(fields, [], &open)
    next.append(open)
  }

  /// `payload set`: bytes of the packet are written, or the rule breaks.
  ///
  /// Source: `nft_payload_set_eval`, `net/netfilter/nft_payload.c`.
  mutating func step(
    _ set: PayloadSet, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    let probe = PayloadLoad(
      set.base, offsetBytes: set.offsetBytes, lengthBytes: set.lengthBytes,
      into: set.destinationOfProbe)
    let value = path.registers.load(set.source.word, lengthBytes: Int(set.lengthBytes))
    // Which bytes are meant does not depend on what was written to them before.
    var bare = path
    bare.change = Change()
    for item in try loads(probe, bare, run.context) {
      var part = path
      part.packets = try diagrams.intersection(path.packets, item.packets)
      guard part.packets != .nothing else { continue }
      guard let target = item.bits else {
        try leave(part, &run)
        continue
      }
      part = doubt(part, [cause("whether packet bytes can be written")])
      write(value, over: target, &part)
      next.append(part)
    }
  }

  /// Writes bits over the fields that lie at the same place.
  private func write(_ value: [Bit], over target: [Bit], _ path: inout RulePath) {
    var written: [PacketField: Int] = [:]
    for case .field(let field, _, _) in target { written[field, default: 0] += 1 }
    var fields: [PacketField: FieldChange] = [:]
    for (field, count) in written {
      var number: UInt32 = 0
      var isKnown = UInt64(1) << UInt64(count) == UInt64(field.maximum) + 1
      for (index, bit) in target.enumerated() {
        guard case .field(field, let place, _) = bit, index < value.count else { continue }
        switch value[index] {
        case .zero: break
        case .one: number |= 1 << UInt32(place)
        default: isKnown = false
        }
      }
      fields[field] = isKnown ? .constant(number) : .any(field)
      if PacketField.destination.contains(field) {
        fields[.destinationType] = .any(.destinationType)
      }
      if PacketField.source.contains(field) { fields[.sourceType] = .any(.sourceType) }
    }
    assign(fields, [cause("bytes that a rule writes")], &path)
  }

  /// Replaces what fields become; the rest of the path's change stays.
  func assign(
    _ fields: [PacketField: FieldChange], _ causes: [Int32], _ path: inout RulePath
  ) {
    var all = path.change.fields.changes
    for (field, change) in fields { all[field] = change }
    path.change.fields = FieldChanges(all)
    path.change.causes = Outcome.merged(path.change.causes, causes.sorted())
  }

  /// Assigns a register's bits, as a number, to fields of four bits each.
  func assign(_ fields: [PacketField], _ value: [Bit], _ reason: String, _ path: inout RulePath) {
    var changes: [PacketField: FieldChange] = [:]
    var causes: [Int32] = []
    for (index, field) in fields.enumerated() {
      var keep: UInt32 = 0
      var flip: UInt32 = 0
      var isKnown = value.count == fields.count * 4
      for offset in 0..<4 where isKnown {
        let place = UInt8(3 - offset)
        switch value[index * 4 + offset] {
        case .zero: break
        case .one: flip |= 1 << UInt32(place)
        case .field(field, place, let isFlipped):
          keep |= 1 << UInt32(place)
          if isFlipped { flip |= 1 << UInt32(place) }
        default: isKnown = false
        }
      }
      if isKnown {
        changes[field] = keep == 0 ? .constant(flip) : .bits(keep: keep, flip: flip)
      } else {
        changes[field] = .any(field)
        causes = [cause(reason)]
      }
    }
    // The bits are those of the packet at the start of the rule, so they replace, not follow.
    assign(changes, causes, &path)
  }
}

extension PayloadSet {
  /// A register for a load that only asks which bytes are meant.
  fileprivate var destinationOfProbe: Register { Register(word: 0) }
}
