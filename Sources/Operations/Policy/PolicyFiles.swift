import LinuxSystem
import NetworkTypes
public import PolicyLanguage

/// Policy and list files on disk, and the policies that weir carries.
public struct PolicyFiles: PolicySource, Sendable {
  /// Makes a source.
  public init() {}

  /// Reads `builtin:NAME` from the binary and everything else from disk.
  public func contents(of path: String, maximumBytes: Int) throws(PolicySourceError) -> [UInt8] {
    if BuiltIn.policyName(ofPath: path) != nil {
      return try BuiltIn.source.contents(of: path, maximumBytes: maximumBytes)
    }
    do {
      return try BoundedFile.read(path, limitBytes: maximumBytes)
    } catch {
      guard case .unreadableFile(_, let problem) = error else {
        throw .unreadable("\(error)")
      }
      throw PolicySourceError(problem)
    }
  }
}

extension PolicySourceError {
  fileprivate init(_ problem: FileProblem) {
    self =
      switch problem {
      case .missing: .missing
      case .directory: .isDirectory
      case .tooLarge: .tooLarge
      case .notRegular, .refused: .unreadable("\(problem)")
      }
  }
}

/// A policy that was read, with what the parser had to say about it.
public struct LoadedPolicy: Sendable {
  /// The policy.
  public let policy: Policy
  /// Warnings, rendered for people; errors refuse the policy.
  public let warnings: [String]
  /// The files on disk that it was read from, lists included, each once.
  public let files: [String]
}

/// Files on disk, with a list of those that were asked for.
private final class RecordedFiles: PolicySource {
  private let files = PolicyFiles()
  private(set) var paths: [String] = []

  func contents(of path: String, maximumBytes: Int) throws(PolicySourceError) -> [UInt8] {
    if BuiltIn.policyName(ofPath: path) == nil, !paths.contains(path) { paths.append(path) }
    return try files.contents(of: path, maximumBytes: maximumBytes)
  }
}

/// Reads a policy by path or by the name of a built-in one.
///
/// A name without a slash or a dot that no file has is looked for among the built-in policies.
///
/// - Parameter argument: `policy.yaml`, `app-engine-sockets` or `builtin:app-engine-sockets`.
/// - Returns: the policy and the warnings about it.
/// - Throws: ``OperationFailure`` with every diagnostic: 66 when there is no such file, else 65.
public func loadPolicy(_ argument: String) throws(OperationFailure) -> LoadedPolicy {
  let files = RecordedFiles()
  let path = policyPath(argument, PolicyFiles())
  let (policy, diagnostics) = PolicyParser.parse(path: path, source: files)
  guard let policy, !diagnostics.contains(where: { $0.severity == .error }) else {
    let isMissing = diagnostics.contains {
      $0.code == .fileMissing && $0.location.file == path && $0.location.line == 0
    }
    var message = diagnostics.render()
    if isMissing {
      let names = BuiltIn.policies.keys.sorted().joined(separator: ", ")
      message += "note: built-in policies are \(names)\n"
    }
    throw OperationFailure(isMissing ? .notFound : .badData, message)
  }
  return LoadedPolicy(
    policy: policy, warnings: diagnostics.map { $0.render() }, files: files.paths)
}

/// The path that a policy argument means: itself, or `builtin:NAME`.
func policyPath(_ argument: String, _ files: PolicyFiles) -> String {
  let isPlainName = !argument.contains("/") && !argument.contains(".")
  if isPlainName, BuiltIn.policies[argument] != nil,
    (try? files.contents(of: argument, maximumBytes: 1)) == nil
  {
    return "builtin:\(argument)"
  }
  return argument
}
