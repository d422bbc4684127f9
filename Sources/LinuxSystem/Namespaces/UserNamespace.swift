import CLinux
public import ConnectionReplay
import Glibc

/// A user namespace, in which an ordinary user may make network namespaces.
public enum UserNamespace {
  /// Why there is none to be had, and what to do.
  public enum Obstacle: Hashable, Sendable {
    /// The process has a second thread already; the number of threads.
    case threads(Int)
    /// `/proc/sys/user/max_user_namespaces` is 0, or that many exist.
    case limit(String)
    /// `/proc/sys/kernel/unprivileged_userns_clone` is 0 (Debian).
    case switchedOff
    /// `/proc/sys/kernel/apparmor_restrict_unprivileged_userns` is 1 (Ubuntu).
    case appArmor
    /// Refused for another reason: a container's seccomp profile or a chroot.
    case refused(operation: String, errno: ErrorNumber)
  }

  /// Whether the calling thread may already make network namespaces and load rules.
  public static var isNeeded: Bool {
    !Capabilities.effective().isSuperset(of: [
      .networkAdministration, .rawSockets, .systemAdministration,
    ])
  }

  /// Moves this process into a user and a network namespace of its own, as root there.
  ///
  /// Must come before the process has a second thread. The user maps to root inside and stays
  /// the same user outside; there is no way back. Nothing happens where ``isNeeded`` is false.
  ///
  /// - Throws: ``LinuxError/userNamespacesUnavailable(_:)`` with the reason.
  public static func enter() throws(LinuxError) {
    _ = NamespaceIdentity.original
    guard isNeeded else { return }
    let threads = ProcessFacts.threadCount()
    guard threads == 1 else { throw .userNamespacesUnavailable(.threads(threads)) }
    let user = getuid()
    let group = getgid()
    let status = linux_unshare(Int32(linux_clone_newuser | linux_clone_newnet))
    if status < 0 {
      throw .userNamespacesUnavailable(
        obstacle(after: ErrorNumber(rawValue: -status), operation: "unshare"))
    }
    try write("deny", to: "/proc/self/setgroups")
    try write("0 \(user) 1", to: "/proc/self/uid_map")
    try write("0 \(group) 1", to: "/proc/self/gid_map")
    if isNeeded {
      throw .userNamespacesUnavailable(obstacle(after: .notPermitted, operation: "unshare"))
    }
  }

  private static func write(_ text: String, to path: String) throws(LinuxError) {
    do throws(LinuxError) {
      let file = FileDescriptor(
        owning: try checked("open \(path)") { unsafe open(path, O_WRONLY | O_CLOEXEC) })
      let number = file.number
      let bytes = Array(text.utf8)
      _ = try checked("write \(path)") { Int32(unsafe Glibc.write(number, bytes, bytes.count)) }
    } catch .refused(let operation, let errno) {
      throw .userNamespacesUnavailable(obstacle(after: errno, operation: operation))
    }
  }

  private static func obstacle(after errno: ErrorNumber, operation: String) -> Obstacle {
    let limit = ProcessFacts.kernelSetting("user/max_user_namespaces")
    if errno == .noSpace || limit == "0" { return .limit(limit ?? "unknown") }
    if ProcessFacts.kernelSetting("kernel/unprivileged_userns_clone") == "0" {
      return .switchedOff
    }
    if ProcessFacts.kernelSetting("kernel/apparmor_restrict_unprivileged_userns") == "1" {
      return .appArmor
    }
    return .refused(operation: operation, errno: errno)
  }
}

extension UserNamespace.Obstacle: CustomStringConvertible {
  /// One sentence with the way out.
  public var description: String {
    switch self {
    case .threads(let count):
      "a user namespace must be entered before the second thread, and there are \(count)"
    case .limit(let limit):
      "no more user namespaces (user.max_user_namespaces is \(limit)); "
        + "run as root, or raise it: sysctl user.max_user_namespaces=1000"
    case .switchedOff:
      "user namespaces are off for ordinary users (kernel.unprivileged_userns_clone is 0); "
        + "run as root, or: sysctl kernel.unprivileged_userns_clone=1"
    case .appArmor:
      "AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1); "
        + "run as root, or give weir a profile that allows userns"
    case .refused(let operation, let errno):
      "a user namespace is refused (\(operation): \(errno)), as in some containers and chroots; "
        + "run as root, or allow unshare in the container's seccomp profile"
    }
  }
}
