import Bytecode
import NetworkTypes

/// What an address translation reads.
struct TranslationPlan {
  enum Kind {
    case source
    case destination
    case masquerade
    case redirect
  }

  var kind: Kind
  /// The family of its addresses; others pass by in inet tables.
  var family: Family?
  /// First words of registers; nil where nothing is given.
  var address: Int?
  var addressMax: Int?
  var port: Int?
  var portMax: Int?
  /// `NF_NAT_RANGE_*`.
  var flags: UInt32 = 0
}

extension ProgramCompiler {
  mutating func add(_ redirect: Redirect) throws(Refusal) {
    if let port = redirect.port { try read(port, 2) }
    if let port = redirect.portMax { try read(port, 2) }
    translate(
      TranslationPlan(
        kind: .redirect, port: redirect.port?.word, portMax: redirect.portMax?.word,
        flags: redirect.flags.rawValue))
  }

  mutating func add(_ masquerade: Masquerade) throws(Refusal) {
    for port in [masquerade.port, masquerade.portMax].compactMap(\.self) { try read(port, 2) }
    translate(
      TranslationPlan(
        kind: .masquerade, port: masquerade.port?.word, portMax: masquerade.portMax?.word,
        flags: masquerade.flags.rawValue))
  }

  mutating func add(_ nat: NAT) throws(Refusal) {
    let length = nat.family == .ip ? 4 : 16
    for address in [nat.address, nat.addressMax].compactMap(\.self) {
      try read(address, length)
    }
    for port in [nat.port, nat.portMax].compactMap(\.self) { try read(port, 2) }
    let family: Family? =
      switch nat.family {
      case .ip: .ipv4
      case .ip6: .ipv6
      default: nil
      }
    translate(
      TranslationPlan(
        kind: nat.kind == .source ? .source : .destination, family: family,
        address: nat.address?.word, addressMax: nat.addressMax?.word, port: nat.port?.word,
        portMax: nat.portMax?.word, flags: nat.flags.rawValue))
  }

  mutating func translate(_ plan: TranslationPlan) {
    program.translations.append(plan)
    emit(.translate, .verdict, index: UInt32(program.translations.count - 1))
  }
}

extension Program {
  /// Notes that an expression has the kernel track connections.
  ///
  /// Source: calls of `nf_ct_netns_get`, `net/netfilter/nft_*.c`.
  mutating func noteTracking(_ expression: Expression, in family: TableFamily) {
    switch expression {
    case .ct, .ctSet, .redirect, .masquerade, .connectionLimit, .synproxy, .flowOffload:
      track(family)
    case .nat(let nat): track(nat.family)
    case .dynamicSet(let dynamic):
      for inner in dynamic.expressions { noteTracking(inner, in: family) }
    case .objectReference(let reference):
      if [3, 5, 7, 9, 10].contains(reference.type) { track(family) }
    case .match(let match):
      if ["conntrack", "state", "connmark", "connlimit", "connbytes"].contains(match.name) {
        track(family)
      }
    case .target(let target):
      if target.name == "CT", case .ct(let ct)? = target.value(in: family) {
        // Exempting a packet from conntrack does not turn it on.
        if !ct.isNotrack { track(family) }
        break
      }
      let names = [
        "CT", "CONNMARK", "CONNSECMARK", "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP",
      ]
      if names.contains(target.name) { track(family) }
    default: break
    }
  }

  private mutating func track(_ family: TableFamily) {
    switch family {
    case .ip: trackedFamilies.insert(.ipv4)
    case .ip6: trackedFamilies.insert(.ipv6)
    case .inet: trackedFamilies.formUnion(Family.allCases)
    default: break
    }
  }
}
