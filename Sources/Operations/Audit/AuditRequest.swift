/// What to audit, and how far.
public struct AuditRequest: Sendable {
  /// The policy that the host is held against.
  public var policy: LoadedPolicy
  /// The running kernel to read, and the name of weir's table there.
  public var target: InstallTarget
  /// A snapshot to judge in place of the running kernel.
  public var snapshotFile: String?
  /// The scope whose packets are judged; nil for all packets of the namespace.
  public var scope: Scope?
  /// Addresses of the policy's names; without any, those in weir's own table, if it is there.
  public var pins = NamePins()
  /// Whether packets that were found are replayed in a throw-away namespace.
  public var confirms = false
  /// Intervals of decision diagrams at most; beyond, a claim is unknown.
  public var intervalBudget = 64 << 20

  /// Audits the caller's own namespace.
  public init(policy: LoadedPolicy, target: InstallTarget = InstallTarget()) {
    self.policy = policy
    self.target = target
  }
}
