import NetworkTypes

/// The policies and address groups that weir carries, made of the files in `rules/`.
public enum BuiltIn {
  /// Policy name → text: `app-engine-sockets`, `public-internet-only`, `allowlist`.
  public static let policies: [String: String] = {
    var policies: [String: String] = [:]
    for (path, text) in EmbeddedRules.files where path.hasSuffix(".yaml") {
      policies[String(path.dropLast(5))] = text
    }
    return policies
  }()

  /// The built-in policies as files: path `builtin:NAME`.
  public static let source = MemorySource(
    Dictionary(uniqueKeysWithValues: policies.map { (scheme + $0.key, $0.value) }))

  /// Group name → addresses.
  ///
  /// The blocks of the IANA special-purpose registries by name, `multicast`, `broadcast`,
  /// `private`, `global`, `metadata`, `google`, `google-cloud`, `goog`.
  public static let groups: [String: Destination] = RangeFiles.groups()

  /// The name in `builtin:NAME`; nil for any other path.
  public static func policyName(ofPath path: String) -> String? {
    path.hasPrefix(scheme) ? String(path.dropFirst(scheme.count)) : nil
  }

  private static let scheme = "builtin:"
}
