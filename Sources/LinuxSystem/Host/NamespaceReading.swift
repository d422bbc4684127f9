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
    var paths = walk.namespacePaths
    for (id, members) in walk.members {
      found[id] = OtherNamespace(
        id: id, processes: Array(members.sorted().prefix(8)), processCount: members.count)
    }
    for (inode, holders) in walk.namespaceHolders {
      let id = NamespaceID(device: own.device, inode: inode)
      guard found[id] == nil else { continue }
      found[id] = OtherNamespace(id: id, processes: Array(holders.sorted().prefix(8)))
    }
    for path in try mountedPaths() {
      guard let identity = Folder.identity(path) else { continue }
      let id = NamespaceID(device: identity.device, inode: identity.inode)
      found[id, default: OtherNamespace(id: id)].names.append(name(path))
      paths[id.inode] = paths[id.inode] ?? path
    }
    found[own] = nil
    let home = try NetworkNamespace.current()
    return found.values.map { namespace in
      var namespace = namespace
      namespace.names.sort()
      namespace.links = .unknown("nothing opens it")
      if let path = paths[namespace.id.inode] { namespace.look(path, from: home) }
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
}

extension OtherNamespace {
  /// Reads its links, and the numbers that the two namespaces have for each other.
  ///
  /// Reading links comes first: the kernel numbers a namespace when a link to it is shown.
  fileprivate mutating func look(_ path: String, from home: NetworkNamespace) {
    do throws(LinuxError) {
      let there = try NetworkNamespace.open(.path(path))
      guard there.identity.inode == id.inode, there.identity.device == id.device else {
        links = .unknown("'\(path)' leads elsewhere by now")
        return
      }
      number = try? RouteSocket().number(of: there)
      (links, ownNumber) = try there.visit { () throws(LinuxError) in
        let socket = try RouteSocket()
        return (RouteSocket.hostLinks(), try? socket.number(of: home))
      }
    } catch {
      links = .unknown(error.reason)
    }
  }
}

extension RouteSocket {
  /// The number that the calling thread's namespace has for another one; nil for none.
  ///
  /// Source: `rtnl_net_getid`, `net/core/net_namespace.c`: `NETNSA_NSID` 1, `NETNSA_FD` 3.
  fileprivate func number(of namespace: NetworkNamespace) throws(LinuxError) -> Int32? {
    let replies = try exchange("number a namespace", type: 90, flags: 0) {
      $0.append(UInt32(0))  // struct rtgenmsg, padded
      $0.attribute(3, number: namespace.descriptor.number)
    }
    let number = replies.first?.attributes(after: 4)[1]?.number(Int32.self, at: 0)
    return number.flatMap { $0 < 0 ? nil : $0 }
  }
}
