import Bytecode
import LinuxSystem
import NetfilterLink
import NetworkTypes
import PolicyLanguage
import RuleCompiler

/// Which policies are for which scopes, and where.
public struct ScopeRequest: Sendable {
  /// Where; the table of the scopes is named after weir's.
  public var target = InstallTarget()
  /// Addresses of names that are not asked for.
  public var pins = NamePins()
  /// DNS servers to ask instead of the system's.
  public var servers: [String] = []
  /// Each scope with the number of its policy.
  var scopes: [(scope: Scope, policy: Int)]
  /// The policies.
  let policies: [LoadedPolicy]
  /// Whether scopes that are not named are taken out.
  let isWhole: Bool
  /// Whether scopes that do not exist are left out; else they are an error.
  var leavesOutMissing = false

  /// One policy for one scope; the others stay as they are.
  public init(_ scope: Scope, policy: LoadedPolicy) {
    scopes = [(scope, 0)]
    policies = [policy]
    isWhole = false
  }

  /// The scopes of a site file, and no others.
  ///
  /// - Parameter path: the file's path.
  /// - Throws: ``OperationFailure`` with every diagnostic of the site or of a policy.
  public init(site path: String) throws(OperationFailure) {
    let (site, diagnostics) = SiteParser.parse(path: path, source: PolicyFiles())
    guard let site else {
      let isMissing = diagnostics.contains { $0.code == .fileMissing }
      throw OperationFailure(isMissing ? .notFound : .badData, diagnostics.render())
    }
    var numbers: [String: Int] = [:]
    var loaded: [LoadedPolicy] = []
    var scopes: [(scope: Scope, policy: Int)] = []
    for entry in site.scopes {
      if numbers[entry.policy] == nil {
        numbers[entry.policy] = loaded.count
        loaded.append(try loadPolicy(entry.policy))
      }
      guard let scope = Scope(kind: entry.kind, name: entry.scope),
        let number = numbers[entry.policy]
      else { continue }
      scopes.append((scope, number))
    }
    self.scopes = scopes
    policies = loaded
    isWhole = true
  }

  /// Where each scope is now, or why it is nowhere, in their order.
  func places() throws(OperationFailure) -> [Result<FoundScope, OperationFailure>] {
    try target.withSession { _ in
      let root = ControlGroup.root()
      return scopes.map { one in
        Result { () throws(OperationFailure) in try one.scope.find(root) }
      }
    }
  }

  /// Warnings about the policies.
  public var warnings: [String] { policies.flatMap(\.warnings) }
}

/// Puts policies in force for scopes; what judges the others is not touched.
///
/// - Parameter request: which, and where.
/// - Returns: all scopes as they were read back.
/// - Throws: ``OperationFailure``: a scope does not exist, before anything is sent; a name has no
///   usable address; the kernel refused, or holds something else than was sent.
public func bind(_ request: ScopeRequest) throws(OperationFailure) -> ScopeReport {
  let table = request.target.scopes
  let compiled = request.policies.map { compile($0.policy, tableName: table.name) }
  // A wrong place, right or scope is told before names are asked for.
  let places = try request.places()
  if !request.leavesOutMissing {
    for place in places { if case .failure(let failure) = place { throw failure } }
  }
  let found = places.compactMap { try? $0.get() }
  let numbers = zip(places, request.scopes).compactMap { place, wanted in
    (try? place.get()).map { _ in wanted.policy }
  }
  var first: [String: Scope] = [:]
  for one in found {
    let key = "\(one.dimension.mapName) \(one.key)"
    if let other = first.updateValue(one.scope, forKey: key) {
      throw OperationFailure(
        .badData, "\(other.text) and \(one.scope.text) are the same scope; nothing was changed")
    }
  }
  var names: [NameReport] = []
  var policies: [ScopePolicy] = []
  for policy in compiled {
    let (reports, answers) = try fillNames(
      policy.names, pins: request.pins, servers: request.servers)
    if let empty = reports.first(where: \.isEmpty) {
      throw OperationFailure(.notFound, empty.refusal)
    }
    names += reports
    policies.append(
      ScopePolicy(digest: policy.digestInComment) {
        policy.judgement(generation: $0, answers: answers)
      })
  }
  let digests = compiled.map(\.digestInComment)
  let change = ScopeChange(policies: policies) { live, generations in
    var bindings = request.isWhole ? [] : live?.bindings ?? []
    let taken = Set(found.map { ScopePlace($0.dimension, $0.key) })
    // A cgroup made anew has another number; its old one leads nowhere.
    let comments = Set(found.map(\.scope.comment))
    bindings.removeAll {
      comments.contains($0.comment) || taken.contains(ScopePlace($0.dimension, $0.key))
    }
    for (one, number) in zip(found, numbers) {
      guard let generation = generations[digests[number]] else { continue }
      bindings.append(
        ScopeBinding(
          dimension: one.dimension, key: one.key, generation: generation,
          comment: one.scope.comment))
    }
    return bindings.isEmpty ? nil : scopeFrame(named: table.name, bindings)
  }
  return try request.target.withSession { session in
    ScopeReport(table, try session.change(change, in: table), names: names)
  }
}

/// Takes scopes out; their packets are judged by no policy of a scope then.
///
/// - Parameters:
///   - scopes: which, also such as exist no more; nil for all.
///   - target: where.
/// - Returns: those that remain.
/// - Throws: ``OperationFailure`` (66) when one is not bound; nothing is changed then.
public func unbind(
  _ scopes: [Scope]?, in target: InstallTarget
) throws(OperationFailure) -> ScopeReport {
  let table = target.scopes
  return try target.withSession { session in
    let known = try session.readTable(family: .inet, name: table.name)?.bindings ?? []
    var gone: Set<String> = []
    for scope in scopes ?? [] {
      let comments = [(try? scope.find())?.scope.comment, scope.comment].compactMap(\.self)
      guard let comment = comments.first(where: { text in known.contains { $0.comment == text } })
      else {
        throw OperationFailure(
          .notFound, "\(scope.text) is bound to no policy; nothing was changed")
      }
      gone.insert(comment)
    }
    let change = ScopeChange(policies: []) { live, _ in
      let rest = live?.bindings.filter { scopes != nil && !gone.contains($0.comment) } ?? []
      return rest.isEmpty ? nil : scopeFrame(named: table.name, rest)
    }
    return ScopeReport(table, try session.change(change, in: table), names: [])
  }
}

/// Lists the scopes, and tells which of them are not what they were.
///
/// - Parameter target: where.
/// - Returns: the scopes; none is an answer too.
/// - Throws: ``OperationFailure`` when the table is somebody else's, or cannot be read.
public func scopes(of target: InstallTarget) throws(OperationFailure) -> ScopeReport {
  let table = target.scopes
  return try target.withSession { session in
    let live = try session.readTable(family: .inet, name: table.name)
    if let live, live.comment != CompiledPolicy.tableComment {
      throw OperationFailure(.finding, "table \(table) is not weir's")
    }
    return ScopeReport(table, live, names: [])
  }
}

/// How the policies that scopes are led to differ from those of a request, as sentences.
///
/// The addresses of names are not compared.
func policyDifferences(from request: ScopeRequest) throws(OperationFailure) -> [String] {
  let table = request.target.scopes
  let compiled = request.policies.map { compile($0.policy, tableName: table.name) }
  return try request.target.withSession { session in
    guard let live = try session.readTable(family: .inet, name: table.name) else { return [] }
    return Set(live.bindings.map(\.generation)).sorted().flatMap { generation -> [String] in
      let comment = live.chains.first { $0.name == "g\(generation)/out" }?.comment ?? ""
      guard let policy = compiled.first(where: { comment.hasSuffix($0.digestInComment) }) else {
        return ["generation \(generation) is of no policy of the site"]
      }
      return live.policyProblems(generation) { policy.judgement(generation: $0) }
    }
  }
}

/// Where a scope's element is.
private struct ScopePlace: Hashable {
  let dimension: ScopeDimension
  let key: [UInt8]

  init(_ dimension: ScopeDimension, _ key: [UInt8]) {
    self.dimension = dimension
    self.key = key
  }
}

extension InstallTarget {
  /// The table of the scopes.
  var scopes: TableIdentifier { TableIdentifier(family: .inet, name: "\(table)-scopes") }
}

extension Table {
  /// The scopes that its maps hold.
  var bindings: [ScopeBinding] {
    sets.flatMap { set -> [ScopeBinding] in
      guard let dimension = ScopeDimension(outwardMap: set.name),
        case .elements(let elements) = set.content
      else { return [] }
      return elements.compactMap { element in
        guard let chain = element.verdict?.chain,
          let generation = Int(chain.dropFirst().prefix { $0 != "/" })
        else { return nil }
        return ScopeBinding(
          dimension: dimension, key: element.key, generation: generation,
          comment: element.comment ?? "")
      }
    }
  }
}

extension ScopeReport {
  /// Looks each scope of a table up in the calling thread's namespace.
  fileprivate init(_ identifier: TableIdentifier, _ live: Table?, names: [NameReport]) {
    let bindings = live?.bindings ?? []
    let root = ControlGroup.root()
    var policies: [Int: String] = [:]
    for generation in Set(bindings.map(\.generation)) {
      let entry = live?.chains.first { $0.name == "g\(generation)/out" }
      policies[generation] = entry?.comment ?? "unknown"
    }
    var differences: [String] = []
    if let live {
      differences =
        bindings.isEmpty
        ? ["the table leads no scope to a policy"]
        : live.frameProblems(from: scopeFrame(named: live.name, bindings))
    }
    self.init(
      table: "\(identifier)",
      scopes: bindings.map { binding in
        let scope = Scope(comment: binding.comment)
        return Row(
          kind: scope?.kind ?? "unknown", name: scope?.name ?? "\(binding.key)",
          policy: policies[binding.generation] ?? "unknown", generation: binding.generation,
          state: State(of: binding, scope, root))
      }.sorted { ($0.kind, $0.name) < ($1.kind, $1.name) },
      differences: differences, names: names)
  }
}

extension ScopeReport.State {
  fileprivate init(of binding: ScopeBinding, _ scope: Scope?, _ root: String?) {
    guard let scope, !scope.name.hasPrefix("…") else {
      self = .unknown
      return
    }
    guard let found = try? scope.find(root) else {
      self = .gone
      return
    }
    self = found.key == binding.key && found.dimension == binding.dimension ? .bound : .remade
  }
}
