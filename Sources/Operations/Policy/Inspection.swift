import NetworkTypes
import PolicyLanguage

/// One of the policies that weir carries.
public struct BuiltInPolicy: Encodable, Sendable {
  /// Its name, good for every verb's policy argument.
  public let name: String
  /// What it is.
  public let about: String
}

/// The policies that weir carries, by name.
public func builtInPolicies() -> [BuiltInPolicy] {
  BuiltIn.policies.keys.sorted().map { name in
    let parsed = PolicyParser.parse(path: "builtin:\(name)", source: BuiltIn.source)
    return BuiltInPolicy(name: name, about: parsed.policy?.about ?? "")
  }
}

/// Everything that the parser has to say about a policy.
public struct PolicyCheck: Encodable, Sendable {
  /// One diagnostic.
  public struct Item: Encodable, Sendable {
    /// `error` or `warning`.
    public let severity: String
    /// The stable code.
    public let code: String
    /// What is wrong.
    public let message: String
    /// `file:line:column`.
    public let at: String
    /// How to fix it.
    public let notes: [String]
  }

  /// Version of this form.
  public let version = 1
  /// The diagnostics by file and line.
  public let diagnostics: [Item]
  /// The same as text for people.
  public let text: String
  /// 0 with warnings or nothing, 65 with errors, 66 when the file is missing.
  public let status: ExitStatus

  enum CodingKeys: String, CodingKey { case version, diagnostics }
}

/// Reads a policy for its diagnostics only.
///
/// - Parameter argument: a path or the name of a built-in policy.
/// - Returns: the diagnostics; a policy without any says so in its text.
public func checkPolicy(_ argument: String) -> PolicyCheck {
  let files = PolicyFiles()
  let path = policyPath(argument, files)
  let (policy, diagnostics) = PolicyParser.parse(path: path, source: files)
  let isMissing = diagnostics.contains {
    $0.code == .fileMissing && $0.location.file == path && $0.location.line == 0
  }
  let items = diagnostics.map {
    PolicyCheck.Item(
      severity: $0.severity.rawValue, code: $0.code.rawValue, message: $0.message,
      at: "\($0.location)", notes: $0.notes.map(\.message))
  }
  return PolicyCheck(
    diagnostics: items,
    text: diagnostics.isEmpty ? "\(path): nothing to complain about\n" : diagnostics.render(),
    status: policy != nil ? .good : isMissing ? .notFound : .badData)
}

/// The effective policy as text, each value with its origin.
public func effectiveText(of loaded: LoadedPolicy) -> String { loaded.policy.effectiveText }

/// One value of the effective policy.
public struct EffectiveRow: Encodable, Sendable {
  /// The key with its path.
  public let key: String
  /// The value in the policy language.
  public let value: String
  /// `file:line:column`, or `default`.
  public let origin: String
  /// The document that demands it.
  public let citation: String?
}

/// The effective policy, value by value.
public func effectiveValues(of loaded: LoadedPolicy) -> [EffectiveRow] {
  loaded.policy.effectiveValues.map {
    EffectiveRow(
      key: $0.key, value: $0.value, origin: $0.location.map { "\($0)" } ?? "default",
      citation: $0.citation)
  }
}
