import Bytecode
import BytecodeInterpreter
import LinuxSystem
import NetworkTypes
import PacketSets
import RuleCompiler
import SymbolicAnalysis

/// Whose packets a policy is verified for.
public enum VerifiedScope: String, CaseIterable, Sendable, Encodable {
  /// All of a network namespace, as `weir apply` puts a policy in force.
  case host
  /// Those of sockets made in a cgroup.
  case cgroup
  /// Those of sockets made by a user.
  case user
  /// Those forwarded from and to a link.
  case interface
}

/// A scope of some kind, made for a verification, with everything that rungs need to be in it.
struct VerifyStage {
  let scope: VerifiedScope
  /// How a scope table tells its packets; nil for the whole namespace.
  let binding: ScopeBinding?
  /// Why no kernel can be asked about it.
  let obstacle: String?
  private let group: ScratchControlGroup?

  /// The user that sockets are made as, where there are several to choose from.
  private static let user: UInt32 = 65_533
  /// The user of everybody else's sockets.
  private static let otherUser: UInt32 = 65_532

  /// Makes one; a cgroup is made where that is allowed.
  init(_ scope: VerifiedScope) {
    var group: ScratchControlGroup?
    var obstacle: String?
    self.scope = scope
    switch scope {
    case .host: binding = nil
    case .cgroup:
      do {
        group = try ScratchControlGroup()
      } catch {
        obstacle = "a cgroup of its own is needed: \(error)"
      }
      // Models do without a cgroup: any number is one.
      binding = ScopeBinding(
        dimension: .cgroup(level: group?.group.level ?? 1),
        key: hostOrder(group?.group.id ?? 4711), generation: 1, comment: "cgroup under test")
    case .user:
      let user = VerifyStage.hasUsers ? VerifyStage.user : 0
      binding = ScopeBinding(
        dimension: .user, key: hostOrder(user), generation: 1, comment: "user under test")
    case .interface:
      let name = Array(SandboxTopology.tenantLinkName.utf8)
      binding = ScopeBinding(
        dimension: .interface, key: name + [UInt8](repeating: 0, count: 16 - name.count),
        generation: 1, comment: "link under test")
    }
    self.group = group
    self.obstacle = obstacle
  }

  /// Whether this process may make sockets of any user; as an ordinary one it is root of a user
  /// namespace with nobody else in it.
  private static var hasUsers: Bool { !UserNamespace.isNeeded && SocketUser.canBe(user) }

  /// Whether probes go through a router.
  var isRouted: Bool { scope == .interface }

  /// Whether packets are told by their socket.
  var isOfSockets: Bool { scope == .cgroup || scope == .user }

  /// The table that puts a policy in force for the scope.
  func table(_ compiled: CompiledPolicy, answers: [String: [IPAddress]]) -> Table {
    guard let binding else { return compiled.table(answers: answers) }
    var table = scopeFrame(named: "weir-scopes", [binding])
    let policy = compiled.judgement(generation: binding.generation, answers: answers)
    table.sets += policy.sets
    table.chains += policy.chains
    table.counters = policy.counters
    table.objects = policy.objects
    return table
  }

  /// Runs a body whose sockets are the scope's.
  func inhabit<Value>(_ body: () throws -> Value) throws -> Value {
    switch scope {
    case .host, .interface: return try body()
    case .user:
      return VerifyStage.hasUsers ? try SocketUser.run(as: VerifyStage.user, body) : try body()
    case .cgroup: return try group.map { try $0.run(body) } ?? body()
    }
  }

  /// Runs a body whose sockets are somebody else's; nil where there is nobody else.
  func standAside<Value>(_ body: () throws -> Value) throws -> Value? {
    switch scope {
    case .host, .interface: nil
    case .user:
      VerifyStage.hasUsers ? try SocketUser.run(as: VerifyStage.otherUser, body) : nil
    case .cgroup: try body()
    }
  }
}

extension VerifyStage {
  /// What of the host the analysis of every packet should know.
  var analysisFacts: AnalysisFacts {
    guard isRouted else { return AnalysisFacts() }
    let names = ["lo", SandboxTopology.tenantLinkName, SandboxTopology.linkName]
    return AnalysisFacts(
      links: names.enumerated().map { Link(index: UInt32($0.offset + 1), name: $0.element) })
  }

  /// The scope's packets of a direction, as a set.
  ///
  /// - Throws: ``PacketSetError/tooComplex``.
  func packets(
    _ direction: Direction, in analyzer: inout SymbolicAnalyzer
  ) throws(PacketSetError) -> Diagram {
    guard let binding else { return try analyzer.diagrams.complement(.nothing) }
    switch binding.dimension {
    case .user: return try analyzer.packets(ofUser: binding.key.hostNumber)
    case .cgroup(let level):
      return try analyzer.packets(ofCgroup: binding.key, level: level) ?? .nothing
    case .interface:
      let name = SandboxTopology.tenantLinkName
      let from = try analyzer.packets(ofLink: name, .inputInterface)
      let to = try analyzer.packets(ofLink: name, .outputInterface)
      // What goes back where it came from is judged both ways.
      return direction == .outbound
        ? try analyzer.diagrams.difference(from, to) : try analyzer.diagrams.difference(to, from)
    }
  }

  /// The ways that the scope's packets take, with what they are to the policy.
  ///
  /// Who is to get a packet that comes in for a user is not known before the answer.
  var ways: [(way: PacketWay, direction: Direction)] {
    switch scope {
    case .host, .cgroup: [(.egress, .outbound), (.ingress, .inbound)]
    case .user: [(.egress, .outbound)]
    case .interface: [(.forwarding, .outbound), (.forwarding, .inbound)]
    }
  }
}
