import ConnectionReplay
import LinuxSystem
import RuleCompiler

/// Whose packets a policy is for, on a host with many.
public enum Scope: Hashable, Sendable {
  /// Sockets made in a cgroup or below it, by its path under the hierarchy's root.
  case cgroup(String)
  /// Sockets made by a user, by name or number.
  case user(String)
  /// Packets forwarded from and to a link, and those that it sends to this host.
  case interface(String)

  /// `cgroup a/b`, `user ci`, `interface tap0`.
  var text: String { "\(kind) \(name)" }

  /// `cgroup`, `user` or `interface`.
  var kind: String {
    switch self {
    case .cgroup: "cgroup"
    case .user: "user"
    case .interface: "interface"
    }
  }

  /// Whether it is told by the socket.
  var isOfSockets: Bool {
    if case .interface = self { return false }
    return true
  }

  var name: String {
    switch self {
    case .cgroup(let name), .user(let name), .interface(let name): name
    }
  }

  init?(kind: String, name: String) {
    switch kind {
    case "cgroup": self = .cgroup(name)
    case "user": self = .user(name)
    case "interface": self = .interface(name)
    default: return nil
    }
  }
}

/// A scope as the kernel tells it from others.
struct FoundScope: Hashable {
  var dimension: ScopeDimension
  var key: [UInt8]
  /// The scope with the path or name that it is kept under.
  var scope: Scope
}

extension Scope {
  /// A comment in the kernel holds so many bytes.
  private static let commentBytes = 127

  /// Finds what it names in the calling thread's namespace.
  ///
  /// - Parameter root: where the hierarchy of cgroups is mounted.
  /// - Returns: its key, and the name it is kept under.
  /// - Throws: ``OperationFailure`` (66): there is no such thing, so nothing is sent.
  func find(
    _ root: String? = ControlGroup.root()
  ) throws(OperationFailure) -> FoundScope {
    do {
      switch self {
      case .cgroup(let path):
        let group = try ControlGroup(path, under: root)
        return FoundScope(
          dimension: .cgroup(level: group.level), key: hostOrder(group.id),
          scope: .cgroup(group.path))
      case .user(let name):
        return FoundScope(
          dimension: .user, key: hostOrder(try UserAccount.id(of: name)), scope: self)
      case .interface(let name):
        guard try NetworkLink.isHere(name) else {
          throw OperationFailure(
            .notFound, "there is no link '\(name)' in this namespace; nothing was changed")
        }
        return FoundScope(
          dimension: .interface, key: Scope.key(ofInterface: name) ?? [], scope: self)
      }
    } catch let failure as OperationFailure {
      throw failure
    } catch let error as LinuxError {
      let problem =
        switch error {
        case .refused(_, .noSuchFile): "there is no \(kind) '\(name)'"
        case .refused(_, .invalidArgument): "'\(name)' is no \(kind) below the root"
        default: "\(text): \(error)"
        }
      throw OperationFailure(.notFound, "\(problem); nothing was changed")
    } catch {
      throw OperationFailure(.internalError, "\(error)")
    }
  }

  /// A link's name as the kernel compares it, 16 bytes; nil for one that no link can have.
  static func key(ofInterface name: String) -> [UInt8]? {
    let bytes = Array(name.utf8)
    guard bytes.count < 16 else { return nil }
    return bytes + [UInt8](repeating: 0, count: 16 - bytes.count)
  }

  /// What is kept beside the element: a path that is too long without its beginning.
  var comment: String {
    let name = name
    let room = Self.commentBytes - kind.utf8.count - 1
    if name.utf8.count <= room { return text }
    return "\(kind) …\(String(decoding: name.utf8.suffix(room - 3), as: UTF8.self))"
  }

  /// Reads ``comment`` again; nil for a text that is none.
  init?(comment: String) {
    let parts = comment.split(separator: " ", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return nil }
    self.init(kind: parts[0], name: parts[1])
  }
}

/// A number's bytes as this machine stores them.
func hostOrder<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  let little = (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  return UInt32(littleEndian: 1) == 1 ? little : little.reversed()
}

extension [UInt8] {
  /// The number in four bytes as this machine stores them.
  var hostNumber: UInt32 {
    let little = UInt32(littleEndian: 1) == 1 ? self : reversed()
    return little.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}
