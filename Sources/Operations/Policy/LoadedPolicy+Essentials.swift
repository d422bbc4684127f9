import PolicyLanguage

extension LoadedPolicy {
  /// The policy with essentials of the command line before its own.
  ///
  /// - Parameter arguments: `dhcp`, `ssh=192.0.2.0/24`.
  /// - Returns: the policy.
  /// - Throws: ``OperationFailure`` (64) for one that is none, or whose protocol the policy does not
  ///   list.
  public func adding(essentials arguments: [String]) throws(OperationFailure) -> LoadedPolicy {
    guard !arguments.isEmpty else { return self }
    var policy = policy
    var added: [EssentialException] = []
    for argument in arguments {
      let (essential, problem) = EssentialException.parse(argument: argument)
      guard let essential else { throw OperationFailure(.usage, "--essential: \(problem)") }
      for ipProtocol in essential.flows.compactMap(\.ipProtocol)
      where !policy.protocols.value.contains(ipProtocol) {
        throw OperationFailure(
          .usage, "--essential \(argument): the policy does not list \(ipProtocol)")
      }
      added.append(essential)
    }
    policy.essentials = added + policy.essentials
    return LoadedPolicy(policy: policy, warnings: warnings, files: files)
  }
}

extension EssentialException {
  /// What it lets through, for people.
  var summary: String {
    let ends = items.isEmpty ? "" : " \(items.joined(separator: ", "))"
    return switch kind {
    case .loopback: "what stays on this host: 127.0.0.0/8, ::1"
    case .resolver: "questions to the DNS servers\(ends)"
    case .dhcp: "DHCP renewal and its answers"
    case .ntp: "questions to \(ends.isEmpty ? "any time server" : "the time servers\(ends)")"
    case .ssh: "SSH to port \(sshPort) of this host from\(ends)"
    }
  }
}
