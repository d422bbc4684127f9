import LinuxSystem
import Testing

/// Whether this process may make network namespaces, and if not, the sentence to skip with.
enum KernelAccess {
  static let isThere: Bool = (try? NetworkNamespace.make()) != nil
  static let reason: Comment =
    "needs network namespaces: run as root, or the test binary under unshare -Urn"
}
