import CLinux
import ConnectionReplay
import HostFacts

/// Which namespaces there are, and which user namespaces own the one that is read.
enum NamespaceReading {
  /// The user namespace that owns the calling thread's network namespace, then each parent.
  ///
  /// The list ends where the reader's own user namespace ends: who is above it is not visible.
  static func owners() throws(LinuxError) -> [NamespaceID] {
    var descriptor = try FileDescriptor.open("/proc/thread-self/ns/net")
    var next = try checkedShim(
      "find the owner of the namespace", linux_owning_user_namespace(descriptor.number))
    var found: [NamespaceID] = []
    while found.count < 64 {
      descriptor = FileDescriptor(owning: next)
      let identity = try NamespaceIdentity(of: descriptor)
      found.append(NamespaceID(device: identity.device, inode: identity.inode))
      let parent = linux_parent_namespace(descriptor.number)
      if parent < 0 { break }
      next = parent
    }
    return found
  }

  /// Every network namespace but the calling thread's own that can be seen: through processes, open
  /// descriptors, and mounts.
  static func others(_ walk: ProcessWalk, own: NamespaceID) throws -> [OtherNamespace] {
    var found: [NamespaceID: OtherNamespace] = [:]
    for (id, members) in walk.members {
      let sorted = members.sorted()
      found[id] = OtherNamespace(
        id: id, processes: Array(sorted.prefix(8)), processCount: sorted.count)
    }
    for (inode, holders) in walk.namespaceHolders {
      let id = NamespaceID(device: own.device, inode: inode)
      guard found[id] == nil else { continue }
      let sorted = holders.sorted()
      found[id] = OtherNamespace(
        id: id, processes: Array(sorted.prefix(8)), processCount: 0)
    }
    for path in try mountedPaths() {
      guard let identity = Folder.identity(path) else { continue }
      let id = NamespaceID(device: identity.device, inode: identity.inode)
      found[id, default: OtherNamespace(id: id)].names.append(name(path))
    }
    found[own] = nil
    let socket = try RouteSocket()
    return found.values.map { namespace in
      var namespace = namespace
      namespace.names.sort()
      namespace.number = number(of: namespace, socket)
      return namespace
    }.sorted { $0.id < $1.id }
  }

  /// Mount points of network namespaces.
  private static func mountedPaths() throws -> [String] {
    guard let bytes = try HostReading.file("/proc/thread-self/mountinfo") else { return [] }
    return try MountTable(procText: bytes).mounts
      .filter { $0.type == "nsfs" && $0.root.hasPrefix("net:[") }.map(\.path)
  }

  private static func name(_ path: String) -> String {
    for folder in ["/run/netns/", "/var/run/netns/"] where path.hasPrefix(folder) {
      return String(path.dropFirst(folder.count))
    }
    return path
  }

  /// The number that the calling thread's namespace has for another one; nil for none.
  ///
  /// Source: `rtnl_net_getid`, `net/core/net_namespace.c`: `NETNSA_PID` 2, `NETNSA_FD` 3.
  private static func number(of namespace: OtherNamespace, _ socket: RouteSocket) -> Int32? {
    func ask(_ build: (inout RouteMessage) -> Void) -> Int32? {
      let replies = try? socket.exchange("number a namespace", type: 90, flags: 0) {
        $0.append(UInt32(0))  // struct rtgenmsg, padded
        build(&$0)
      }
      let number = replies?.first?.attributes(after: 4)[1]?.number(Int32.self, at: 0)
      return number.flatMap { $0 < 0 ? nil : $0 }
    }
    let names = namespace.names.map { $0.hasPrefix("/") ? $0 : "/run/netns/\($0)" }
    let processes = namespace.processCount > 0 ? namespace.processes : []
    let paths = processes.map { "/proc/\($0.pid)/ns/net" } + names
    for path in paths {
      guard let descriptor = try? FileDescriptor.open(path),
        let identity = try? NamespaceIdentity(of: descriptor),
        identity.inode == namespace.id.inode, identity.device == namespace.id.device
      else { continue }
      return ask { $0.attribute(3, number: descriptor.number) }
    }
    return nil
  }
}
