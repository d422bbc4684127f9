import CLinux
import ConnectionReplay
import Glibc

/// A network namespace, kept alive as long as this value is.
///
/// Example: `try NetworkNamespace.make().run { try RouteSocket().links() }` is one link, `lo`.
public final class NetworkNamespace: Sendable {
  /// How a person names a namespace.
  public enum Reference: Hashable, Sendable {
    /// A name under `/run/netns`, as `ip netns` makes them.
    case name(String)
    /// The namespace that a process is in.
    case process(Int32)
    /// A path to a namespace file.
    case path(String)

    /// Digits are a process, a slash makes a path, anything else is a name.
    public init(text: String) {
      if let number = Int32(text), number > 0 {
        self = .process(number)
      } else {
        self = text.contains("/") ? .path(text) : .name(text)
      }
    }

    var path: String {
      switch self {
      case .name(let name): "/run/netns/\(name)"
      case .process(let number): "/proc/\(number)/ns/net"
      case .path(let path): path
      }
    }
  }

  let descriptor: FileDescriptor

  /// Which namespace this is.
  public let identity: NamespaceIdentity

  private init(_ descriptor: consuming FileDescriptor) throws(LinuxError) {
    identity = try NamespaceIdentity(of: descriptor)
    self.descriptor = descriptor
  }

  /// The namespace of the calling thread.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)`` without /proc.
  public static func current() throws(LinuxError) -> NetworkNamespace {
    try NetworkNamespace(FileDescriptor.open("/proc/thread-self/ns/net"))
  }

  /// A fresh namespace with nothing in it but a `lo` that is down.
  ///
  /// Made on the calling thread, which is back where it was afterwards. About half a millisecond.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``, with EPERM when the thread lacks
  ///   ``Capabilities/systemAdministration``: see ``UserNamespace/enter()``.
  public static func make() throws(LinuxError) -> NetworkNamespace {
    _ = NamespaceIdentity.original
    let home = try current()
    _ = try checkedShim("make a network namespace", linux_unshare(newNetwork))
    defer { home.comeBack() }
    return try current()
  }

  /// Opens a namespace by name, process or path.
  ///
  /// - Throws: ``LinuxError/noSuchNamespace(_:)``, ``LinuxError/notANetworkNamespace(_:)``, or
  ///   ``LinuxError/refused(operation:errno:)``.
  public static func open(_ reference: Reference) throws(LinuxError) -> NetworkNamespace {
    let path = reference.path
    do throws(LinuxError) {
      let descriptor = try FileDescriptor.open(path)
      guard linux_namespace_type(descriptor.number) == newNetwork else {
        throw .notANetworkNamespace(path)
      }
      return try NetworkNamespace(descriptor)
    } catch .refused(_, .noSuchFile) {
      throw .noSuchNamespace(path)
    }
  }

  /// Runs a body on this thread inside the namespace, then comes back.
  ///
  /// The body is synchronous, so it cannot hop to another thread. Sockets opened in it belong to
  /// the namespace and may be used from any thread afterwards. Both ways cost about 12 µs.
  ///
  /// - Throws: what the body throws, or ``LinuxError/refused(operation:errno:)``.
  public func run<Value>(_ body: () throws -> Value) throws -> Value {
    let home = try enter()
    defer { home.comeBack() }
    return try body()
  }

  /// As ``run(_:)``, for bodies that throw this module's error only.
  func visit<Value: ~Copyable>(
    _ body: () throws(LinuxError) -> Value
  ) throws(LinuxError) -> Value {
    let home = try enter()
    defer { home.comeBack() }
    return try body()
  }

  private func enter() throws(LinuxError) -> NetworkNamespace {
    _ = NamespaceIdentity.original
    let home = try NetworkNamespace.current()
    _ = try checkedShim(
      "enter a network namespace", linux_setns(descriptor.number, newNetwork))
    return home
  }

  /// Going on in the wrong namespace could load rules into it, so a failure ends the process.
  private func comeBack() {
    let status = linux_setns(descriptor.number, newNetwork)
    precondition(status == 0, "cannot return to the network namespace this thread came from")
  }
}

private let newNetwork = Int32(linux_clone_newnet)
