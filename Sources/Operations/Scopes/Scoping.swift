import Bytecode
import HostFacts
import LinuxSystem
import NetfilterLink
import NetworkTypes
import PolicyLanguage
import PolicyMeaning
import RuleCompiler

/// Which policies are for which scopes, and where.
public struct ScopeRequest: Sendable {
  /// Where; the table of the scopes is named after weir's.
  public var target = InstallTarget()
  /// Addresses of names that are not asked for.
  public var pins = NamePins()
  /// DNS servers to ask instead of the system's.
  public var servers: [String] = []
  /// Whether open flows that a policy denies go on until they end.
  public var keepsExisting = false
  /// Whether to act although the connection that the caller works through would be cut.
  public var isForced = false
  /// For how long a watch lets an address stay after its last answer.
  public var graceSeconds: UInt32 = 60
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
/// Open flows of the scopes that their policies deny are ended, once the rules are in force.
///
/// - Returns: the scopes as they were read back: all for a site, else those of the request.
/// - Throws: ``OperationFailure``: a scope does not exist, before anything is sent; a name has no
///   usable address; the caller's own connection would be cut; the kernel refused, or holds something
///   else than was sent.
public func bind(_ request: ScopeRequest) throws(OperationFailure) -> ScopeReport {
  var memory: [String: NameMemory]?
  return try bind(request, remembering: &memory)
}

/// As ``bind(_:)``, and lets addresses that names had lately stay for a while.
///
/// - Parameters:
///   - request: which, and where.
///   - memory: of each policy, by its digest; nil for none.
/// - Returns: as ``bind(_:)``.
/// - Throws: as ``bind(_:)``.
func bind(
  _ request: ScopeRequest, remembering memory: inout [String: NameMemory]?
) throws(OperationFailure) -> ScopeReport {
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
  var first: [ScopePlace: Scope] = [:]
  for one in found {
    let place = ScopePlace(one.dimension, one.key)
    if let other = first.updateValue(one.scope, forKey: place) {
      throw OperationFailure(
        .badData, "\(other.text) and \(one.scope.text) are the same scope; nothing was changed")
    }
  }
  var names: [NameReport] = []
  var policies: [ScopePolicy] = []
  var judges: [(policy: Policy, names: NameAnswers)] = []
  for (loaded, policy) in zip(request.policies, compiled) {
    let (reports, asked) = try fillNames(
      policy.names, pins: request.pins, servers: request.servers)
    let answers =
      memory?[policy.digest, default: NameMemory(graceSeconds: request.graceSeconds)]
      .adding(asked, reports) ?? asked
    if let empty = reports.first(where: { answers[$0.name]?.isEmpty ?? true }) {
      throw OperationFailure(.notFound, empty.refusal)
    }
    names += reports
    judges.append((loaded.policy, NameAnswers(answers.mapValues(Set.init))))
    policies.append(
      ScopePolicy(digest: policy.digestInComment) {
        policy.judgement(generation: $0, answers: answers)
      })
  }
  let digests = compiled.map(\.digestInComment)
  let taken = Set(found.map { ScopePlace($0.dimension, $0.key) })
  let comments = Set(found.map(\.scope.comment))
  let lookup = request.isWhole ? nil : ScopeLookup(places: taken, comments: comments)
  let change = ScopeChange(policies: policies, lookup: lookup) { view, generations in
    var bindings = request.isWhole ? [] : view?.table.bindings ?? []
    // A cgroup made anew has another number; its old one leads nowhere.
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
    return view.goal(table.name, bindings, isWhole: request.isWhole)
  }
  return try request.target.withSession { session in
    let host = HostReader.readFlowsHere()
    var flows = judges.enumerated().map { number, judge in
      ExistingFlows(
        host, judge.policy, judge.names, treatment: request.keepsExisting ? .kept : .ended,
        of: zip(found, numbers).filter { $0.1 == number }.map(\.0))
    }
    if !request.isForced, let danger = flows.lazy.compactMap({ $0.lockOut() }).first {
      throw OperationFailure(
        .finding, danger + "; nothing was changed. " + ExistingFlows.adviceForScopes)
    }
    for index in flows.indices { flows[index].track() }
    let live = try session.change(change, in: table)
    for index in flows.indices { flows[index].end() }
    let ended = FlowsReport.joined(flows.map(\.report))
    if request.isWhole { return ScopeReport(table, live, names: names, flows: ended) }
    let bound = (live?.bindings ?? []).filter { taken.contains(ScopePlace($0.dimension, $0.key)) }
    return ScopeReport(table, live, of: bound, names: names, flows: ended)
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

extension InstallTarget {
  /// The table of the scopes.
  var scopes: TableIdentifier { TableIdentifier(family: .inet, name: "\(table)-scopes") }
}
