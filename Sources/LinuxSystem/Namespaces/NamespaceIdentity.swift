import ConnectionReplay
import Glibc

/// The device and inode numbers of a namespace: equal for two descriptors of the same one.
public struct NamespaceIdentity: Hashable, Sendable {
  /// The device of the kernel's namespace file system.
  public let device: UInt64
  /// The number that `ls -l /proc/self/ns/net` shows.
  public let inode: UInt64

  init(of descriptor: borrowing FileDescriptor) throws(LinuxError) {
    var status = stat()
    let number = descriptor.number
    _ = try checked("identify a namespace") { unsafe fstat(number, &status) }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }

  /// The network namespace that this process was first seen in by this module.
  static let original: NamespaceIdentity? = try? NetworkNamespace.current().identity

  /// The network namespace of process 1, nil when this user may not look.
  static let initProcess: NamespaceIdentity? =
    try? NetworkNamespace.open(.process(1)).identity

  /// Whether this is where the process began, or where process 1 is.
  ///
  /// Rules and probes have no business there unless an operator asked for it by name.
  public var isMachinesOwn: Bool {
    self == NamespaceIdentity.original || self == NamespaceIdentity.initProcess
  }
}

extension NetworkNamespace {
  /// Refuses when the calling thread is in the machine's own network namespace.
  ///
  /// Tests and probes call this before they load a rule or send a packet.
  ///
  /// - Throws: ``LinuxError/machinesOwnNamespace``.
  public static func assertThrowAway() throws(LinuxError) {
    guard let original = NamespaceIdentity.original else { throw .machinesOwnNamespace }
    let here = try current().identity
    if here == original || here.isMachinesOwn { throw .machinesOwnNamespace }
  }
}
