public import NetworkTypes

/// Which policy is for which scope, on a host with many.
public struct Site: Hashable, Sendable {
  /// One scope.
  public struct Entry: Hashable, Sendable {
    /// `cgroup`, `user` or `interface`.
    public let kind: String
    /// The cgroup's path, the user's name or number, the link's name.
    public let scope: String
    /// The policy's path, from where weir runs, or the name of a built-in policy.
    public let policy: String
    /// Where it stands.
    public let location: SourceLocation
  }

  /// The site's name.
  public let name: String
  /// The scopes in the order of the file; none twice by its text.
  public let scopes: [Entry]
}

/// The keys of a site file.
private enum SiteKey: String, CaseIterable { case site, about, scopes }

/// The keys of one of its scopes.
private enum ScopeKey: String, CaseIterable { case cgroup, user, interface, policy }

/// Site text → checked ``Site``; the policies that it names are not read.
public enum SiteParser {
  /// Reads a site file.
  ///
  /// - Parameters:
  ///   - path: as the user wrote it; locations repeat it, and policies are looked for beside it.
  ///   - source: where files come from.
  ///   - limits: how much a file may ask for.
  /// - Returns: the site, nil if any diagnostic is an error; diagnostics by line.
  ///
  /// Example: `scopes: [{cgroup: tenants.slice/a, policy: a.yaml}]`.
  public static func parse(
    path: String, source: some PolicySource, limits: ParserLimits = ParserLimits()
  ) -> (site: Site?, diagnostics: [Diagnostic]) {
    let log = DiagnosticLog(keeping: limits.diagnostics)
    let reader = FileReader(source: source, log: log, limits: limits)
    guard let node = reader.policy(at: path, reference: nil),
      let fields = log.fields(of: node, SiteKey.self, of: "a site")
    else { return (nil, log.finished()) }
    for key in [SiteKey.site, .scopes] where fields.mentioned[key] == nil {
      log.fileError(
        .missingKey, "there is no `\(key.rawValue):`", file: path,
        "a site has a name, `site:`, and a list, `scopes:`")
    }
    let name = fields[.site].flatMap { log.name($0.value, "site") }
    let directory = PolicyPath.directory(of: path)
    var first: [String: SyntaxNode] = [:]
    var entries: [Site.Entry] = []
    for item in fields[.scopes].flatMap({ log.items($0.value, "scope", orOne: false) }) ?? [] {
      guard let (entry, node) = entry(item, directory, log) else { continue }
      if let other = first.updateValue(node, forKey: "\(entry.kind) \(entry.scope)") {
        log.error(
          .duplicateKey, "\(entry.kind) `\(entry.scope)` is written twice", at: node,
          .init("the first one is here", at: other.location))
      }
      entries.append(entry)
    }
    guard let name, !log.hasErrors else { return (nil, log.finished()) }
    return (Site(name: name, scopes: entries), log.finished())
  }

  private static func entry(
    _ item: SyntaxNode, _ directory: String, _ log: DiagnosticLog
  ) -> (Site.Entry, SyntaxNode)? {
    guard let fields = log.fields(of: item, ScopeKey.self, of: "a scope") else { return nil }
    let named = [ScopeKey.cgroup, .user, .interface].filter { fields.mentioned[$0] != nil }
    guard named.count == 1, let kind = named.first, fields.mentioned[.policy] != nil else {
      log.error(
        .missingKey, "a scope has one of `cgroup`, `user` and `interface`, and a `policy`",
        at: item,
        .init("write it like `{cgroup: tenants.slice/a, policy: a.yaml}`"))
      return nil
    }
    guard let node = fields[kind]?.value, let scope = log.text(node, "a \(kind.rawValue)"),
      let policy = fields[.policy].flatMap({ log.text($0.value, "a policy") })
    else { return nil }
    let isInDirectory = !policy.hasPrefix("/") && policy.contains(where: { "/.".contains($0) })
    return (
      Site.Entry(
        kind: kind.rawValue, scope: scope,
        policy: isInDirectory && !policy.hasPrefix("builtin:") ? directory + policy : policy,
        location: item.location), node
    )
  }
}
