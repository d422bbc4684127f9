/// What a walk through every process showed.
public struct ProcessSurvey: Hashable, Sendable, Codable {
  /// Processes with a thread that holds a capability which goes past packet rules.
  public var privileged: [PrivilegedProcess]
  /// How many processes were looked at.
  public var processCount: Int
  /// How many of them would not show everything: open files, program, namespaces.
  public var unreadableCount: Int
  /// Why there may be processes that the reader cannot see at all; nil when it sees every one.
  public var blindness: String?

  /// Makes a survey.
  public init(
    privileged: [PrivilegedProcess] = [], processCount: Int = 0, unreadableCount: Int = 0,
    blindness: String? = nil
  ) {
    self.privileged = privileged
    self.processCount = processCount
    self.unreadableCount = unreadableCount
    self.blindness = blindness
  }
}

/// A process that holds CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN or CAP_BPF.
///
/// A capability counts over a network namespace only in the user namespace that owns it, or in an
/// ancestor of that one.
public struct PrivilegedProcess: Hashable, Sendable, Codable {
  /// Which process.
  public var process: HostProcess
  /// What its threads may do now, all together; bit n is capability n.
  public var effective: UInt64
  /// What its threads may give themselves.
  public var permitted: UInt64
  /// Its user namespace; nil where that is not readable.
  public var userNamespace: NamespaceID?
  /// Its network namespaces, one for each that a thread is in; empty where not readable.
  public var networkNamespaces: [NamespaceID]

  /// Makes a process.
  public init(
    process: HostProcess, effective: UInt64, permitted: UInt64,
    userNamespace: NamespaceID? = nil, networkNamespaces: [NamespaceID] = []
  ) {
    self.process = process
    self.effective = effective
    self.permitted = permitted
    self.userNamespace = userNamespace
    self.networkNamespaces = networkNamespaces
  }

  /// The capabilities that matter here, with the kernel's names, by number.
  public static let capabilities: [(number: UInt64, name: String)] = [
    (12, "CAP_NET_ADMIN"), (13, "CAP_NET_RAW"), (21, "CAP_SYS_ADMIN"), (39, "CAP_BPF"),
  ]

  /// The bits of ``capabilities``.
  public static let mask: UInt64 = capabilities.reduce(0) { $0 | 1 << $1.number }

  /// The names of what it holds or may take, in order of number.
  public var capabilityNames: [String] {
    PrivilegedProcess.capabilities.filter { (effective | permitted) & (1 << $0.number) != 0 }
      .map(\.name)
  }
}
