public import Bytecode
import Hashing
import NetworkTypes

/// What tells the packets of one scope from those of another: the key of its scope maps.
public enum ScopeDimension: Hashable, Sendable {
  /// The id of the cgroup that a socket was made in, or of its ancestor at a level from 1.
  case cgroup(level: UInt32)
  /// The user who made a socket.
  case user
  /// The link that a forwarded packet comes from or goes to.
  case interface

  /// What its maps' names begin with: `scope/cgroup/2`, `scope/user`, `scope/interface`.
  public var mapName: String {
    switch self {
    case .cgroup(let level): "scope/cgroup/\(level)"
    case .user: "scope/user"
    case .interface: "scope/interface"
    }
  }

  /// The dimension whose map of outward packets has that name; nil for any other name.
  public init?(outwardMap name: String) {
    let prefix = "scope/cgroup/"
    let end = "/out"
    if name == "scope/user/out" {
      self = .user
    } else if name == "scope/interface/out" {
      self = .interface
    } else if name.hasPrefix(prefix), name.hasSuffix(end),
      let level = UInt32(name.dropFirst(prefix.count).dropLast(end.count))
    {
      self = .cgroup(level: level)
    } else {
      return nil
    }
  }

  /// The map from what a person calls a scope to its key, so that a cgroup made anew and a user with
  /// another number are found without a look at all of them; nil where the name is the key.
  public var nameMap: String? {
    switch self {
    case .cgroup, .user: "\(mapName)/name"
    case .interface: nil
    }
  }

  /// The maps from its keys to the policies' chains.
  public var verdictMaps: [String] {
    switch self {
    case .cgroup: ["out", "reply", "in"].map { "\(mapName)/\($0)" }
    case .user: ["out", "reply"].map { "\(mapName)/\($0)" }
    case .interface: ["out", "in"].map { "\(mapName)/\($0)" }
    }
  }

  var keyType: KeyType {
    switch self {
    case .cgroup: .cgroupv2
    case .user: .userID
    case .interface: .interfaceName
    }
  }
}

/// One scope and the generation of the table that judges its packets.
public struct ScopeBinding: Hashable, Sendable {
  /// What the key is of.
  public var dimension: ScopeDimension
  /// The key's bytes as the kernel loads them: 8 for a cgroup and 4 for a user in host order, 16 for
  /// a link's name.
  public var key: [UInt8]
  /// The generation: names `g<N>/…`.
  public var generation: Int
  /// What a person calls the scope.
  public var comment: String

  /// Makes one.
  public init(dimension: ScopeDimension, key: [UInt8], generation: Int, comment: String) {
    self.dimension = dimension
    self.key = key
    self.generation = generation
    self.comment = comment
  }

  /// The key of a comment in a ``ScopeDimension/nameMap``: half of its SHA-256.
  public static func nameKey(of comment: String) -> [UInt8] {
    var hash = SHA256()
    hash.update(contentsOf: Array(comment.utf8).span)
    return Array(hash.digest().prefix(16))
  }
}

/// The part of a scope table that leads packets to the policy of their scope.
///
///     base chain ─▶ scope map: cgroup, user or link to g<N>/out, g<N>/in or g<N>/reply
///
/// One lookup for a new flow, whatever the number of scopes, and none for a known one. A packet that
/// is in several scopes must be let through by each: every dimension has base chains of its own, and
/// what is in no scope passes.
///
/// - Parameters:
///   - name: the table's name.
///   - bindings: the scopes, no key twice.
///   - dimensions: what has base chains and maps besides the dimensions of `bindings`.
/// - Returns: base chains and maps; nothing of any generation.
///
/// Complexity: O(n log n) in scopes.
public func scopeFrame(
  named name: String, _ bindings: [ScopeBinding], dimensions: Set<ScopeDimension> = []
) -> Table {
  let dimensions = dimensions.union(bindings.map(\.dimension))
    .sorted { $0.mapName < $1.mapName }
  var frame = ScopeFrame()
  for dimension in dimensions {
    frame.add(dimension, bindings.filter { $0.dimension == dimension })
  }
  return Table(
    family: .inet, name: name, comment: CompiledPolicy.tableComment, sets: frame.sets,
    chains: frame.chains)
}

private struct ScopeFrame {
  var sets: [NamedSet] = []
  var chains: [Chain] = []
  private var anonymousCount = 0

  /// After the table that judges a whole host, so that both must agree.
  private static let priority: Int32 = 1
  private static let loopback = Array("lo".utf8) + [UInt8](repeating: 0, count: 14)

  mutating func add(_ dimension: ScopeDimension, _ bindings: [ScopeBinding]) {
    let sorted = bindings.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    func addMap(_ direction: String, to chain: String) -> String {
      let name = "\(dimension.mapName)/\(direction)"
      let elements = sorted.map { binding in
        SetElement(
          key: binding.key, verdict: .goto("g\(binding.generation)/\(chain)"),
          comment: binding.comment)
      }
      sets.append(
        NamedSet(
          name: name, flags: .map, key: [dimension.keyType], isVerdictMap: true,
          content: .elements(elements)))
      return name
    }
    if let nameMap = dimension.nameMap { addNames(nameMap, of: dimension, sorted) }
    let out = addMap("out", to: "out")
    switch dimension {
    case .cgroup(let level):
      let load = Expression.socket(SocketLoad(.cgroupv2, level: level, into: Match.register))
      let answers = answers(load, addMap("reply", to: "reply"))
      addChain("out/cgroup/\(level)", .output, answers + knownFlows(), load, out)
      addChain("in/cgroup/\(level)", .input, [known], load, addMap("in", to: "in"))
    case .user:
      let load = Expression.meta(MetaLoad(.skuid, into: Match.register))
      let answers = answers(load, addMap("reply", to: "reply"))
      addChain("out/user", .output, answers + knownFlows(), load, out)
    case .interface:
      let from = Expression.meta(MetaLoad(.iifname, into: Match.register))
      let to = Expression.meta(MetaLoad(.oifname, into: Match.register))
      addChain("out/interface", .forward, knownFlows(), from, out)
      addChain("host/interface", .input, knownFlows(), from, out)
      addChain("in/interface", .forward, [known], to, addMap("in", to: "in"))
    }
  }

  private mutating func addNames(
    _ map: String, of dimension: ScopeDimension, _ bindings: [ScopeBinding]
  ) {
    let keys = Dictionary(
      bindings.map { (ScopeBinding.nameKey(of: $0.comment), $0.key) }, uniquingKeysWith: { $1 })
    let elements = keys.map { SetElement(key: $0.key, data: $0.value) }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    // nft has no type for digests: sixteen bytes are shown as an address.
    sets.append(
      NamedSet(
        name: map, flags: .map, key: [.ipv6Address], dataType: dimension.keyType,
        content: .elements(elements)))
  }

  private mutating func addChain(
    _ name: String, _ hook: Hook, _ first: [Rule], _ load: Expression, _ map: String
  ) {
    chains.append(
      Chain(
        name: name, hook: HookBinding(hook: hook, priority: Self.priority, policy: .accept),
        rules: first + [Rule([load, Match.verdictFrom(map)])]))
  }

  /// What a scope's socket answers belongs to a flow that came in; a user's sockets are not known
  /// when a packet enters, so it is here that nobody gets an answer.
  private func answers(_ load: Expression, _ map: String) -> [Rule] {
    [
      Rule(
        [
          .ct(ConntrackLoad(.direction, into: Match.register)),
          .compare(Compare(Match.register, .equal, [1])),
          .meta(MetaLoad(.oifname, into: Match.register)),
          .compare(Compare(Match.register, .notEqual, Self.loopback)),
        ] + Match.state(.established) + [load, Match.verdictFrom(map)])
    ]
  }

  private var known: Rule { Rule(Match.state(.established) + [Match.verdict(.accept)]) }

  /// Known flows; an IPv6 packet with an extension header takes the long way.
  private mutating func knownFlows() -> [Rule] {
    let plain = "__set\(anonymousCount)"
    anonymousCount += 1
    sets.append(
      NamedSet(
        name: plain, flags: [.anonymous, .constant], key: [.inetProtocol],
        content: .elements(
          [IPProtocol.tcp, .udp, .icmpv6].map { SetElement(key: [$0.rawValue]) })))
    return [
      Rule(Match.family(.ipv4) + Match.state(.established) + [Match.verdict(.accept)]),
      Rule(
        Match.state(.established) + Match.family(.ipv6)
          + [Match.load(.network, 6, 1), Match.isIn(plain), Match.verdict(.accept)]),
    ]
  }
}
