import CLinux
import HostFacts

extension ProcessWalk {
  /// Whether the kernel lists the sockets of a protocol of that name, or they stay on the machine.
  static func isListed(_ name: String) -> Bool {
    let prefixes = ["TCP", "UDP", "RAW", "PING", "UNIX", "NETLINK", "PACKET", "MPTCP", "ALG"]
    return prefixes.contains { name.hasPrefix($0) }
  }

  /// The protocol of the socket that `/proc/PID/fd/N` is, such as `XDP`; nil when it cannot be seen.
  static func protocolName(_ path: String) -> String? {
    let room = 64
    var status: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, used in
      status = unsafe buffer.withMemoryRebound(to: CChar.self) {
        unsafe linux_socket_protocol(path, $0.baseAddress, room)
      }
      used = max(Int(status), 0)
    }
    return status > 0 ? bytes[...].text : nil
  }

  /// The network namespace of a process's socket; nil when it cannot be seen.
  static func namespace(ofSocket number: Int32, of pid: Int32) -> NamespaceID? {
    let status = linux_socket_namespace(pid, number)
    guard status >= 0 else { return nil }
    let descriptor = FileDescriptor(owning: status)
    return (try? NamespaceIdentity(of: descriptor)).map {
      NamespaceID(device: $0.device, inode: $0.inode)
    }
  }
}
