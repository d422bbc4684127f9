public import Bytecode
import NetworkTypes

/// How many bytes a scope, or a whole namespace, may send.
public struct QuotaBinding: Hashable, Sendable {
  /// What the key is of; nil for everything that leaves the namespace.
  public var dimension: ScopeDimension?
  /// The key's bytes as the kernel loads them; empty without a dimension.
  public var key: [UInt8]
  /// The object that counts; no other has its name.
  public var object: String
  /// The bytes that may leave, from the IP header on.
  public var bytes: UInt64
  /// The bytes that have left.
  public var consumed: UInt64
  /// What a person calls the scope.
  public var comment: String

  /// Makes one.
  public init(
    dimension: ScopeDimension?, key: [UInt8], object: String, bytes: UInt64, consumed: UInt64,
    comment: String
  ) {
    self.dimension = dimension
    self.key = key
    self.object = object
    self.bytes = bytes
    self.consumed = consumed
    self.comment = comment
  }

  /// The object as the kernel keeps it.
  public var namedObject: NamedObject {
    NamedObject(
      name: object, comment: comment,
      content: .quota(Quota(bytes, consumed: consumed, isInverted: true)))
  }

  /// The elements that lead packets of the scope to the object: one, or one for each family where
  /// every packet is meant.
  public var elements: [SetElement] {
    let keys = dimension == nil ? Family.allCases.map { [$0.rawValue] } : [key]
    return keys.map { SetElement(key: $0, object: object, comment: comment) }
  }
}

/// The map from scopes of a dimension to their quotas: `quota/user`; `quota/host` stands for none.
public func quotaMapName(_ dimension: ScopeDimension?) -> String {
  dimension.map { "quota/" + $0.mapName.dropFirst("scope/".count) } ?? "quota/host"
}

/// The table that denies packets of scopes whose quota is spent.
///
///     base chain ─▶ map from the scope to its quota ─▶ under it: pass; over it: reject or drop
///
/// The chains come after those that judge, so that what these deny is not counted; the loopback is not
/// either. A packet crosses one chain for each dimension, and so counts once for each scope that it is
/// in. Sockets' packets are counted where they leave the socket, before any translation; forwarded ones
/// where they are forwarded.
///
/// - Parameters:
///   - name: the table's name.
///   - bindings: the quotas, at least one, no key twice.
/// - Returns: the table.
///
/// Complexity: O(n log n) in quotas.
public func quotaTable(named name: String, _ bindings: [QuotaBinding]) -> Table {
  var table = Table(
    family: .inet, name: name, comment: CompiledPolicy.tableComment,
    objects: bindings.map(\.namedObject))
  table.chains.append(
    Chain(
      name: "spent",
      rules: [
        Rule(Match.layer4(.tcp) + [.reject(.tcpReset)]), Rule([.reject(.adminProhibited)]),
      ]))
  for dimension in Set(bindings.map(\.dimension)).sorted(by: {
    quotaMapName($0) < quotaMapName($1)
  }) {
    let own = bindings.filter { $0.dimension == dimension }
    let map = quotaMapName(dimension)
    var load: [Expression] = []
    var hook = Hook.output
    switch dimension {
    case .cgroup(let level)?:
      load = [.socket(SocketLoad(.cgroupv2, level: level, into: Match.register))]
    case .user?: load = [.meta(MetaLoad(.skuid, into: Match.register))]
    case .interface?:
      load = [.meta(MetaLoad(.iifname, into: Match.register))]
      hook = .forward
    case nil: load = [.meta(MetaLoad(.nfproto, into: Match.register))]
    }
    table.sets.append(
      NamedSet(
        name: map, flags: .object, key: [dimension?.keyType ?? .nfproto], objectType: 2,
        content: .elements(
          own.flatMap(\.elements).sorted { $0.key.lexicographicallyPrecedes($1.key) })))
    let loopback = Array("lo".utf8) + [UInt8](repeating: 0, count: 14)
    let rule = Rule(
      [
        .meta(MetaLoad(.oifname, into: Match.register)),
        .compare(Compare(Match.register, .notEqual, loopback)),
      ] + load
        + [.objectMap(ObjectMap(Match.register, in: map)), Match.verdict(.goto("spent"))])
    let hooks = dimension == nil ? [Hook.output, .forward] : [hook]
    for hook in hooks {
      table.chains.append(
        Chain(
          name: dimension == nil ? "\(map)/\(hook)" : map,
          hook: HookBinding(hook: hook, priority: quotaPriority, policy: .accept), rules: [rule]))
    }
  }
  return table
}

/// After the tables that judge.
private let quotaPriority: Int32 = 10
