public import ConnectionReplay

/// What the system refused, in terms that say what to do.
public enum LinuxError: Error, Hashable, Sendable {
  /// A system call failed; `operation` says what was being done, in words.
  case refused(operation: String, errno: ErrorNumber)
  /// There is no network namespace of that name, process or path.
  case noSuchNamespace(String)
  /// The path is there and is not a network namespace.
  case notANetworkNamespace(String)
  /// The caller would have worked in the machine's own network namespace.
  case machinesOwnNamespace
  /// An ordinary user cannot make a namespace here, and why.
  case userNamespacesUnavailable(UserNamespace.Obstacle)
  /// The kernel's answer is cut short or not what was asked for.
  case malformedReply(operation: String)
  /// The link did not come up in time.
  case linkStaysDown(String)
  /// A file could not be read whole.
  case unreadableFile(path: String, problem: FileProblem)
}

/// Why a file could not be read whole.
public enum FileProblem: Hashable, Sendable {
  /// Nothing has that name.
  case missing
  /// It is a directory.
  case directory
  /// It is a device, socket or pipe without an end to read to.
  case notRegular
  /// It is larger than the caller's limit, in bytes.
  case tooLarge(limitBytes: Int)
  /// The system refuses to open or read it.
  case refused(ErrorNumber)
}

extension LinuxError: CustomStringConvertible {
  /// One sentence, with the way out where there is one.
  public var description: String {
    switch self {
    case .refused(let operation, .notPermitted):
      "\(operation): EPERM; run as root, or as a user who may make user namespaces"
    case .refused(let operation, let errno):
      "\(operation): \(errno)"
    case .noSuchNamespace(let name):
      "no network namespace '\(name)'; give a name from /run/netns, a process id or a path"
    case .notANetworkNamespace(let path):
      "'\(path)' is not a network namespace"
    case .machinesOwnNamespace:
      "refusing to work in the machine's own network namespace; make one of its own first"
    case .userNamespacesUnavailable(let obstacle):
      obstacle.description
    case .malformedReply(let operation):
      "\(operation): the kernel's answer is incomplete"
    case .linkStaysDown(let name):
      "link '\(name)' did not come up"
    case .unreadableFile(let path, let problem):
      "'\(path)': \(problem)"
    }
  }
}

extension FileProblem: CustomStringConvertible {
  /// What is wrong with the file, to be read after its name.
  public var description: String {
    switch self {
    case .missing: "no such file"
    case .directory: "is a directory, give a file"
    case .notRegular: "is not a regular file or pipe"
    case .tooLarge(let limit): "is larger than \(limit) bytes"
    case .refused(let errno): "cannot be read (\(errno))"
    }
  }
}
