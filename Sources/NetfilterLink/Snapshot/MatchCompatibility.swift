import Bytecode
import CNetfilter

/// The protocol that a rule with xt matches is about, as `NFTA_RULE_COMPAT` says it.
///
/// Many xt extensions load only into a rule of their protocol. iptables-nft says it beside the rule,
/// and the kernel does not keep it; the rule's own first test of the protocol says the same.
/// Source: `nft_parse_compat`, `net/netfilter/nft_compat.c`.
struct MatchCompatibility {
  var number: UInt32
  var isInverted: Bool

  /// Appends the nest.
  func write(to buffer: inout MessageBuffer) {
    buffer.append(nested: UInt16(NFTA_RULE_COMPAT.rawValue)) { buffer in
      buffer.append(number: UInt16(NFTA_RULE_COMPAT_PROTO.rawValue), number)
      let inverted = UInt32(NFT_RULE_COMPAT_F_INV.rawValue)
      buffer.append(
        number: UInt16(NFTA_RULE_COMPAT_FLAGS.rawValue), isInverted ? inverted : 0)
    }
  }
}

extension [RecordedExpression] {
  /// What to say beside a rule with xt extensions; nil where it has none, or tests no protocol.
  func matchCompatibility(
    _ source: Span<UInt8>, family: TableFamily
  ) -> MatchCompatibility? {
    guard contains(where: { $0.name == "match" || $0.name == "target" }) else { return nil }
    var register: UInt32?
    for expression in self {
      guard let data = expression.data,
        let fields = try? AttributeFields(source, data, last: 8)
      else { continue }
      switch expression.name {
      case "meta" where source.uint32(fields[Int(NFTA_META_KEY.rawValue)]) == wanted(family):
        register = source.uint32(fields[Int(NFTA_META_DREG.rawValue)])
      case "payload" where isProtocolLoad(source, fields, family):
        register = source.uint32(fields[Int(NFTA_PAYLOAD_DREG.rawValue)])
      case "cmp" where source.uint32(fields[Int(NFTA_CMP_SREG.rawValue)]) == register:
        guard register != nil, let value = source.dataValue(fields[Int(NFTA_CMP_DATA.rawValue)])
        else { continue }
        let operation = source.uint32(fields[Int(NFTA_CMP_OP.rawValue)])
        // A link-layer protocol is a field in network order that the kernel takes as it is.
        let number = value.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return MatchCompatibility(
          number: number, isInverted: operation == UInt32(NFT_CMP_NEQ.rawValue))
      default: continue
      }
    }
    return nil
  }

  private func wanted(_ family: TableFamily) -> UInt32 {
    UInt32((family == .bridge ? NFT_META_PROTOCOL : NFT_META_L4PROTO).rawValue)
  }

  private func isProtocolLoad(
    _ source: Span<UInt8>, _ fields: AttributeFields, _ family: TableFamily
  ) -> Bool {
    let base = source.uint32(fields[Int(NFTA_PAYLOAD_BASE.rawValue)])
    let offset = source.uint32(fields[Int(NFTA_PAYLOAD_OFFSET.rawValue)])
    let length = source.uint32(fields[Int(NFTA_PAYLOAD_LEN.rawValue)])
    switch family {
    case .bridge:
      return base == UInt32(NFT_PAYLOAD_LL_HEADER.rawValue) && offset == 12 && length == 2
    case .ip, .ip6:
      return base == UInt32(NFT_PAYLOAD_NETWORK_HEADER.rawValue)
        && offset == (family == .ip ? 9 : 6) && length == 1
    default: return false
    }
  }
}
