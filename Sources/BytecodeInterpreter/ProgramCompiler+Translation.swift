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
    translate(TranslationPlan(kind: .redirect, port: redirect.port?.word))
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
    case .ct, .redirect: track(family)
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
