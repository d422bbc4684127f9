import Bytecode
import NetworkTypes
import PacketSets

/// Statements that change a packet or depend on state.
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
      path.change = path.change.then(
        Change(
          fields: FieldChanges([.packetType: .any(.packetType)]),
          causes: [cause("the packet type that a rule sets")]))
    default: break
    }
    return path
  }

  /// Assigns a register's bits, as a number, to fields of four bits each.
  func assign(_ fields: [PacketField], _ value: [Bit], _ reason: String, _ path: inout RulePath) {
    guard value.count == fields.count * 4 else { return }
    var changes: [PacketField: FieldChange] = [:]
    var causes: [Int32] = []
    for (index, field) in fields.enumerated() {
      var keep: UInt32 = 0
      var flip: UInt32 = 0
      var isKnown = true
      for (offset, bit) in value[index * 4..<index * 4 + 4].enumerated() {
        let place = UInt8(3 - offset)
        switch bit {
        case .zero: break
        case .one: flip |= 1 << UInt32(place)
        case .field(field, place, let isFlipped):
          keep |= 1 << UInt32(place)
          if isFlipped { flip |= 1 << UInt32(place) }
        default: isKnown = false
        }
      }
      if !isKnown {
        changes[field] = .any(field)
        causes = [cause(reason)]
      } else {
        changes[field] = keep == 0 ? .constant(flip) : .bits(keep: keep, flip: flip)
      }
    }
    // The bits are those of the packet at the start of the rule, so they replace, not follow.
    var all = path.change.fields.changes
    for (field, change) in changes { all[field] = change }
    path.change.fields = FieldChanges(all)
    path.change.causes = Outcome.merged(path.change.causes, causes)
  }

  /// `redirect`: the flow goes to an address of this host.
  ///
  /// Source: `nf_nat_redirect_ipv4`, `nf_nat_redirect_ipv6`, `net/netfilter/nf_nat_redirect.c`.
  mutating func step(
    _ redirect: Redirect, _ path: RulePath, _ run: inout RuleRun
  ) throws(PacketSetError) {
    let isOutput = run.context.hook == .output
    for (family, loopback) in [
      (0 as UInt32, [0, 0, 0, 0x7f00_0001] as [UInt32]), (1, [0, 0, 0, 1]),
    ] {
      var part = path
      part.packets = try diagrams.intersection(path.packets, diagrams.set(.family, family))
      guard part.packets != .nothing else { continue }
      var fields: [PacketField: FieldChange] = [.destinationType: .constant(2)]
      for (word, value) in zip(PacketField.destination, loopback) {
        if isOutput {
          fields[word] = .constant(value)
        } else if family == 1 || word == .destination3 {
          fields[word] = .any(word)
        }
      }
      var causes = isOutput ? [] : [cause("the address that redirect picks")]
      if let port = redirect.port {
        let value = path.registers.load(port.word, lengthBytes: 2).bytes
        if let value {
          fields[.destinationPort] = .constant(UInt32(value[0]) << 8 | UInt32(value[1]))
        } else {
          fields[.destinationPort] = .any(.destinationPort)
          causes.append(cause("the port that redirect picks"))
        }
      }
      part.change = part.change.then(
        Change(
          fields: FieldChanges(fields), isRerouted: true, isTranslated: true, causes: causes))
      let change = table.number(part.change)
      // Without an address to redirect to, the packet is dropped.
      end(
        part,
        Outcome(
          drops: true, accepts: [change], causes: [cause("whether redirect finds an address")]),
        &run)
    }
  }

  /// A named object: a counter decides nothing, others may break the rule.
  ///
  /// Source: `net/netfilter/nft_objref.c`; `NFT_OBJECT_*`.
  mutating func step(
    _ reference: ObjectReference, _ path: RulePath, _ next: inout [RulePath],
    _ run: inout RuleRun
  ) throws(PacketSetError) {
    switch reference.type {
    case 1: next.append(path)
    case 2, 4:
      next.append(
        doubt(
          path,
          [
            cause(
              reference.type == 2 ? "the quota \(reference.name)" : "the limit \(reference.name)")
          ]))
    default:
      end(path, anything(path, "the object \(reference.name)"), &run)
    }
  }
}
