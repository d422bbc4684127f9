import ConnectionReplay
import HostFacts
import NetworkTypes

extension HostState {
  /// Reads the sockets of the calling thread's namespace, without their owners.
  mutating func readSockets() {
    socketCounts = HostReading.fact {
      guard let bytes = try HostReading.netFile("protocols") else {
        throw LinuxError.unreadableFile(path: "/proc/net/protocols", problem: .missing)
      }
      return try SocketCount.all(procText: bytes)
    }
    readSocketTables(SocketTable.Kind.allCases)
    packetSockets = HostReading.fact {
      if let found = try PacketSocket.diagnosed() { return found }
      guard let bytes = try HostReading.netFile("packet") else { return [] }
      return try PacketSocket.all(procText: bytes)
    }.map { $0.sorted { $0.inode < $1.inode } }
    xdpSockets = readXDPSockets()
    unixListeners = HostReading.fact {
      try HostReading.netFile("unix").map { try UnixListener.all(procText: $0) } ?? []
    }
  }

  /// Reads the sockets of some protocols; the other tables are left out.
  mutating func readSocketTables(_ kinds: [SocketTable.Kind]) {
    sockets = kinds.map { kind in
      SocketTable(kind: kind, sockets: HostReading.fact { try kind.read() })
    }
  }

  /// Without a diagnosis the count alone can say that there are none.
  private func readXDPSockets() -> Fact<[XDPSocket]> {
    HostReading.fact {
      if let found = try XDPSocket.diagnosed() { return found.sorted { $0.inode < $1.inode } }
      switch socketCounts {
      case .unknown: throw LinuxError.refused(operation: "list XDP sockets", errno: .noSuchFile)
      case .known(let counts):
        let count = counts.first { $0.name == "XDP" }?.count ?? 0
        if count == 0 { return [] }
        throw LinuxError.refused(operation: "list \(count) XDP sockets", errno: .noSuchFile)
      }
    }
  }
}

extension SocketTable.Kind {
  fileprivate func read() throws -> [HostSocket] {
    let found = try [Family.ipv4, .ipv6].flatMap { family in
      let suffix = family == .ipv4 ? "" : "6"
      switch self {
      case .tcp: return try diagnosed(6, as: .tcp, family, orListed: "tcp\(suffix)")
      case .udp: return try diagnosed(17, as: .udp, family, orListed: "udp\(suffix)")
      case .udplite:
        return try diagnosed(136, as: .udplite, family, orListed: "udplite\(suffix)")
      case .sctp: return try diagnosed(132, as: .sctp, family, orNone: "SCTP")
      case .mptcp: return try diagnosed(262, as: .tcp, family, orNone: "MPTCP")
      case .raw: return try listed("raw\(suffix)", family, nil)
      case .icmp:
        return try listed("icmp\(suffix)", family, family == .ipv4 ? .icmp : .icmpv6)
      }
    }
    return found.sorted(by: HostSocket.isBefore)
  }

  private func diagnosed(
    _ number: UInt32, as ipProtocol: IPProtocol, _ family: Family, orListed file: String
  ) throws -> [HostSocket] {
    try HostSocket.diagnosed(number, as: ipProtocol, family) ?? listed(file, family, ipProtocol)
  }

  /// A protocol without a diagnosis may still have sockets, and not every kernel counts them: only
  /// one that does not know the protocol has none.
  private func diagnosed(
    _ number: UInt32, as ipProtocol: IPProtocol, _ family: Family, orNone name: String
  ) throws -> [HostSocket] {
    if let found = try HostSocket.diagnosed(number, as: ipProtocol, family) { return found }
    guard let bytes = try HostReading.netFile("protocols") else {
      throw LinuxError.unreadableFile(path: "/proc/net/protocols", problem: .missing)
    }
    let isThere = try SocketCount.all(procText: bytes).contains { $0.name.hasPrefix(name) }
    if !isThere { return [] }
    throw LinuxError.refused(operation: "list \(name) sockets", errno: .noSuchFile)
  }

  /// The sockets of a /proc file; none where the kernel has no such file.
  private func listed(
    _ file: String, _ family: Family, _ ipProtocol: IPProtocol?
  ) throws -> [HostSocket] {
    guard let bytes = try HostReading.netFile(file) else { return [] }
    return try HostSocket.all(procText: bytes, family, ipProtocol)
  }
}
