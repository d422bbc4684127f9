import NetworkTypes

/// One parsed file of a policy.
struct PolicyFile {
  let path: String
  let fields: Fields<PolicyKey>
  /// Whether the file is a policy (the one asked for, or one that it extends), not an include.
  let isPolicy: Bool
}

/// Reads a policy and every file that it extends or includes, strongest first.
///
/// Order: the policy, its includes in order and depth first, then the policy it extends with its
/// includes, and so on. Entries are tried and settings are taken in this order.
struct PolicyLoader {
  let reader: FileReader
  let log: DiagnosticLog
  let root: String
  private(set) var files: [PolicyFile] = []

  init(path: String, reader: FileReader) {
    self.reader = reader
    log = reader.log
    root = PolicyPath.directory(of: path)
    load(path, isPolicy: true, chain: [], reference: nil)
  }

  private mutating func load(
    _ path: String, isPolicy: Bool, chain: [String], reference: SyntaxNode?
  ) {
    if let reference, let start = chain.firstIndex(of: path) {
      let circle = (chain[start...] + [path]).joined(separator: " → ")
      log.error(
        .circularInclude, "`\(path)` includes itself", at: reference,
        .init("the circle is \(circle)"))
      return
    }
    if let reference, files.count >= reader.limits.files {
      log.error(
        .fileTooLarge, "a policy has at most \(reader.limits.files) files", at: reference)
      return
    }
    if let reference, files.contains(where: { $0.path == path }) {
      log.error(
        .circularInclude, "`\(path)` is read twice", at: reference,
        .init("include it once, from one place"))
      return
    }
    let node: SyntaxNode?
    if let name = BuiltIn.policyName(ofPath: path) {
      let embedded = FileReader(source: BuiltIn.source, log: log, limits: reader.limits)
      if BuiltIn.policies[name] == nil, let reference {
        log.error(
          .fileMissing, "there is no built-in policy `\(name)`", at: reference,
          didYouMean(name, among: BuiltIn.policies.keys.sorted())
            ?? .init("there are \(log.list(BuiltIn.policies.keys.sorted()))"))
        return
      }
      node = embedded.policy(at: path, reference: reference)
    } else {
      node = reader.policy(at: path, reference: reference)
    }
    guard let node,
      let fields = log.fields(
        of: node, PolicyKey.self, of: isPolicy ? "a policy" : "an included file")
    else { return }
    let file = PolicyFile(path: path, fields: fields, isPolicy: isPolicy)
    if !isPolicy { refuseSettings(of: file) }
    files.append(file)
    follow(file, chain: chain + [path])
  }

  private mutating func follow(_ file: PolicyFile, chain: [String]) {
    if let field = file.fields[.include] {
      for item in log.items(field.value, "file", orOne: true) ?? [] {
        guard let path = resolved(item, in: file) else { continue }
        load(path, isPolicy: false, chain: chain, reference: item)
      }
    }
    if file.isPolicy, let field = file.fields[.extends],
      let path = resolved(field.value, in: file)
    {
      load(path, isPolicy: true, chain: chain, reference: field.value)
    }
  }

  private func resolved(_ node: SyntaxNode, in file: PolicyFile) -> String? {
    guard let text = log.text(node, "a file name") else { return nil }
    if BuiltIn.policyName(ofPath: text) != nil { return text }
    return log.resolved(text, at: node, from: file.path, under: root)
  }

  private func refuseSettings(of file: PolicyFile) {
    for key in PolicyKey.allCases where !key.isAllowedInInclude {
      guard let node = file.fields.mentioned[key] else { continue }
      log.error(
        .misplacedKey, "an included file has no `\(key.rawValue)`", at: node,
        .init(
          "an include adds groups, entries, sources and tests; use `extends:` for a whole policy"))
    }
  }
}

extension DiagnosticLog {
  /// The path of a file named in `file`; nil, with an error logged, outside the policy's directory.
  func resolved(
    _ text: String, at node: SyntaxNode, from file: String, under root: String
  ) -> String? {
    let isBuiltIn = BuiltIn.policyName(ofPath: file) != nil
    let directory = isBuiltIn ? root : PolicyPath.directory(of: file)
    if let path = PolicyPath.resolve(text, from: directory, under: root) { return path }
    error(
      .outsideDirectory, "`\(text)` lies outside the policy's directory", at: node,
      .init("name a file in \(root.isEmpty ? "the current directory" : "`\(root)`") or below it"))
    return nil
  }
}
