import HostFacts
import LinuxSystem
import NetfilterLink
import NetworkTypes
import RuleCompiler

/// A packet that was denied, and who sent it as far as that can be said.
public struct DenialReport: Encodable, Sendable {
  /// The clause.
  public let clause: String
  /// `out` or `in`.
  public let direction: String
  /// `tcp`, `udp`, or another protocol's name or number.
  public let ipProtocol: String
  /// Where it comes from, `192.0.2.2:40000`.
  public let source: String
  /// Where it goes, `8.8.8.8:25`.
  public let destination: String
  /// The user who made its socket; nil for a packet of no local socket.
  public let user: String?
  /// The cgroup that its socket was made in; nil where the socket was not found.
  public let cgroup: String?
  /// Processes that have its socket open, `curl (pid 4711)`; nil where none was found.
  public let process: String?

  enum CodingKeys: String, CodingKey {
    case clause, direction, source, destination, user, cgroup, process
    case ipProtocol = "protocol"
  }

  /// One line: `smtp: tcp from 192.0.2.2:40000 to 8.8.8.8:25, user ci, curl (pid 4711)`.
  var text: String {
    let parts = [user.map { "user \($0)" }, cgroup.map { "cgroup \($0)" }, process]
    let who = parts.compactMap(\.self).map { ", \($0)" }.joined()
    return "\(clause): \(direction == "in" ? "in " : "")\(ipProtocol) from \(source) to"
      + " \(destination)\(who)"
  }
}

/// Makes lines of denied packets, at a bounded rate.
struct DenialLogger {
  private let monitor: DenialMonitor
  private let target: InstallTarget
  private var lastSequence: UInt32?
  /// When sockets may be listed again.
  private var nextLook: UInt64 = 0
  private var second: UInt64 = 0
  private var linesThisSecond = 0
  private var cgroups: [UInt64: String] = [:]
  private var users: [UInt32: String] = [:]

  /// Packets that were told.
  private(set) var told = 0
  /// Packets that the kernel told of and that were no line: too many in a second.
  private(set) var withheld = 0
  /// Packets that the kernel wanted to tell of and could not.
  private(set) var lost = 0

  /// More lines a second are not written.
  private static let mostLines = 100
  private static let lookNanoseconds: UInt64 = 1_000_000_000

  /// Listens in the target's namespace.
  init(_ target: InstallTarget) throws(OperationFailure) {
    self.target = target
    monitor = try target.withSession { _ in try DenialMonitor(group: DenialLog.group) }
  }

  var number: Int32 { monitor.descriptor }

  /// The packets since the last call.
  mutating func take(at now: UInt64) -> [DenialReport] {
    var packets: [DeniedPacket] = []
    do throws(KernelError) {
      packets = try monitor.packets()
    } catch {
      // The next packet's number says how many are missing.
    }
    if now / Self.lookNanoseconds != second {
      second = now / Self.lookNanoseconds
      linesThisSecond = 0
    }
    for packet in packets {
      guard let sequence = packet.sequence else { continue }
      if let lastSequence { lost += Int(sequence &- lastSequence &- 1) }
      lastSequence = sequence
    }
    let shown = packets.prefix(Self.mostLines - linesThisSecond)
    linesThisSecond += shown.count
    withheld += packets.count - shown.count
    told += shown.count
    guard !shown.isEmpty else { return [] }
    let sockets = socketsByEnds(at: now)
    return shown.compactMap { report($0, sockets) }
  }

  /// The sockets by protocol and both ends; empty where they were listed a moment ago.
  private mutating func socketsByEnds(at now: UInt64) -> [SocketEnds: HostSocket] {
    guard now >= nextLook else { return [:] }
    nextLook = now + Self.lookNanoseconds
    let state = try? target.withSession { _ in HostReader.readSocketsHere() }
    var found: [SocketEnds: HostSocket] = [:]
    for socket in state?.sockets.flatMap({ $0.sockets.value ?? [] }) ?? [] {
      found[SocketEnds(socket)] = socket
    }
    return found
  }

  private mutating func report(
    _ packet: DeniedPacket, _ sockets: [SocketEnds: HostSocket]
  ) -> DenialReport? {
    guard packet.prefix.hasPrefix(DenialLog.prefix) else { return nil }
    let words = packet.prefix.dropFirst(DenialLog.prefix.count).split(separator: "/", maxSplits: 1)
    guard words.count == 2, let source = packet.source, let destination = packet.destination,
      let ipProtocol = packet.ipProtocol
    else { return nil }
    var socket: HostSocket?
    if let from = packet.sourcePort, let to = packet.destinationPort {
      let all = SocketEnds(ipProtocol, source, from, destination, to)
      // An unconnected socket has its port alone, on any address.
      let any: IPAddress = source.family == .ipv4 ? .v4(0) : .v6(0)
      let keys = [
        all, SocketEnds(ipProtocol, source, from, any, 0),
        SocketEnds(ipProtocol, any, from, any, 0),
        SocketEnds(ipProtocol, .v6(0), from, .v6(0), 0),
      ]
      socket = keys.lazy.compactMap { sockets[$0] }.first
    }
    // A process chooses its name, and might choose one that looks like another line.
    let owners = (socket?.owners.value ?? []).map {
      "\($0.name.filter { $0.isLetter || $0.isNumber || "._-+: ".contains($0) }) (pid \($0.pid))"
    }
    return DenialReport(
      clause: String(words[1]), direction: words[0] == "deny-in" ? "in" : "out",
      ipProtocol: "\(ipProtocol)", source: text(source, packet.sourcePort),
      destination: text(destination, packet.destinationPort),
      user: packet.user.map { name(ofUser: $0) },
      cgroup: socket?.cgroup.flatMap { path(ofCgroup: $0) },
      process: owners.isEmpty ? nil : owners.joined(separator: ", "))
  }

  private mutating func name(ofUser user: UInt32) -> String {
    if let known = users[user] { return known }
    let name = UserAccount.name(of: user) ?? "\(user)"
    if users.count > 1000 { users = [:] }
    users[user] = name
    return name
  }

  private mutating func path(ofCgroup id: UInt64) -> String? {
    if let known = cgroups[id] { return known }
    guard let path = ControlGroup.path(of: id) else { return nil }
    if cgroups.count > 1000 { cgroups = [:] }
    cgroups[id] = path.isEmpty ? "/" : path
    return cgroups[id]
  }

  private func text(_ address: IPAddress, _ port: UInt16?) -> String {
    guard let port else { return "\(address)" }
    return address.family == .ipv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }
}

/// What tells a socket of a protocol from the others.
private struct SocketEnds: Hashable {
  let ipProtocol: IPProtocol
  let local: IPAddress
  let localPort: UInt16
  let remote: IPAddress
  let remotePort: UInt16

  init(
    _ ipProtocol: IPProtocol, _ local: IPAddress, _ localPort: UInt16, _ remote: IPAddress,
    _ remotePort: UInt16
  ) {
    self.ipProtocol = ipProtocol
    self.local = local
    self.localPort = localPort
    self.remote = remote
    self.remotePort = remotePort
  }

  init(_ socket: HostSocket) {
    self.init(
      socket.ipProtocol, socket.localAddress, socket.localPort, socket.remoteAddress,
      socket.remotePort)
  }
}
