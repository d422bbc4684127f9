import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// What `weir guard` says of denied packets, and what it answers when it is asked.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct GuardLogTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func text(_ log: String) -> String {
    """
    policy: told
    log: \(log)
    inbound: deny
    default: allow
    deny:
      - {clause: shut, to: [192.0.2.0/24, "2001:db8::/32"]}
      - {clause: mail, port: tcp/25}
    """
  }

  private func guarded(
    log: String = "100/second", _ words: String..., body: (LoggedChild) throws -> Void
  ) throws {
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run(
        "ip addr add 198.51.100.2/24 dev eth0 && ip -6 addr add fd00::2/64 dev eth0 nodad")
      try HostPlant.run("ip link set eth0 up && ip link set eth1 up")
      try HostPlant.run(
        "ip route add default via 198.51.100.1 && ip -6 route add default via fd00::1")
      let policy = try folder.file("told.yaml", text(log))
      #expect(try Weir.run("apply", "--no-diff", policy).ending == .exit(0))
      let guardian = try LoggedChild([Weir.path, "guard", policy] + words, in: folder)
      #expect(guardian.says("started", within: 120), "\(guardian.text)")
      try body(guardian)
      #expect(guardian.end() == 0)
    }
  }

  /// A socket that tries to reach an address.
  private func attempt(
    _ address: IPAddress, _ port: UInt16, _ type: __socket_type
  ) throws -> Int32 {
    let family = address.family == .ipv4 ? AF_INET : AF_INET6
    let socket = try HostPlant.socket(family, type.rawValue, 0)
    try? HostPlant.connect(socket, to: address, port: port)
    if type == SOCK_DGRAM {
      var byte: UInt8 = 1
      _ = unsafe send(socket, &byte, 1, Int32(MSG_NOSIGNAL))
    }
    return socket
  }

  private static let v4 = IPAddress.v4(0xc000_0207)
  private static let v6 = IPAddress.v6(UInt128(0x2001_0db8) << 96 | 7)

  @Test func `kernel: a denied packet is a line with its clause, user and process`() throws {
    try guarded { guardian in
      for address in [Self.v4, Self.v6] {
        for type in [SOCK_DGRAM, SOCK_STREAM] {
          let socket = try attempt(address, 443, type)
          defer { close(socket) }
          let name = type == SOCK_STREAM ? "tcp" : "udp"
          let end = address.family == .ipv4 ? "\(address):443" : "[\(address)]:443"
          #expect(guardian.says("shut: \(name) from ", within: 60), "\(guardian.text)")
          #expect(guardian.says("to \(end), user root", within: 60), "\(guardian.text)")
          // Sockets are listed once a second.
          usleep(1_100_000)
        }
      }
      let socket = try attempt(Self.v4, 53, SOCK_DGRAM)
      defer { close(socket) }
      #expect(
        guardian.says("\(Self.v4):53, user root", within: 60)
          && guardian.text.contains("(pid \(getpid()))")
          && guardian.text.contains(", cgroup "), "\(guardian.text)")
    }
  }

  @Test func `kernel: as JSON a line has a field for everything`() throws {
    try guarded("--format", "json") { guardian in
      let socket = try attempt(.v4(0x0808_0808), 25, SOCK_STREAM)
      defer { close(socket) }
      #expect(guardian.says("\"clause\":\"mail\"", within: 60), "\(guardian.text)")
      #expect(guardian.text.contains("\"direction\":\"out\""))
      #expect(guardian.text.contains("\"destination\":\"8.8.8.8:25\""))
      #expect(guardian.text.contains("\"protocol\":\"tcp\""))
    }
  }

  @Test func `kernel: lines are few, counters are exact`() throws {
    try guarded(log: "1/minute", "--status", folder.url.path + "/socket") { guardian in
      let count = 5000
      for _ in 0..<count { close(try attempt(Self.v4, 9, SOCK_DGRAM)) }
      #expect(guardian.says("denied: shut", within: 60), "\(guardian.text)")
      let page = try ask("/metrics")
      #expect(page.contains("\nweir_denied_packets_total{clause=\"shut\"} \(count)\n"), "\(page)")
      let lines = guardian.text.components(separatedBy: "denied: shut").count - 1
      #expect((1...6).contains(lines), "\(lines)")
      #expect(page.contains("\nweir_log_packets_total{result=\"told\"} \(lines)\n"), "\(page)")
    }
  }

  @Test func `kernel: a policy that asks for no lines gets none, and another edition does`() throws
  {
    try guarded(log: "off") { guardian in
      close(try attempt(Self.v4, 9, SOCK_DGRAM))
      let policy = try folder.file("told.yaml", text("10/second") + "\nidle: 1h\n")
      #expect(guardian.says("reloaded", within: 60), "\(guardian.text)")
      #expect(!guardian.text.contains("denied"))
      #expect(try Nft.ruleset().contains("log prefix \"weir deny/shut\" group 30565"))
      let deadline = Date(timeIntervalSinceNow: 30)
      while !guardian.text.contains("denied: shut"), Date() < deadline {
        close(try attempt(Self.v4, 9, SOCK_DGRAM))
        usleep(100_000)
      }
      #expect(guardian.text.contains("denied: shut"), "\(guardian.text)")
      #expect(try Weir.run("apply", "--no-diff", policy).output.contains("was in force already"))
    }
  }

  @Test func `kernel: the guard answers metrics and its status, and nothing else`() throws {
    try guarded("--status", folder.url.path + "/socket") { guardian in
      let page = try ask("/metrics")
      for line in [
        "weir_in_force 1", "weir_held 0", "weir_events_total{event=\"started\"} 1",
        "weir_claim{answer=\"holds\",claim=\"as-installed\"} 1", "# TYPE weir_in_force gauge",
      ] {
        #expect(page.contains("\n\(line)\n"), "\(line): \(page)")
      }
      let status = try ask("/status")
      #expect(status.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(status.contains("\"policy\" : \"told\""), "\(status)")
      #expect(try ask("/other").hasPrefix("HTTP/1.1 404"))
      var mode = stat()
      unsafe stat(folder.url.path + "/socket", &mode)
      #expect(mode.st_mode & 0o777 == 0o600)
      // Somebody who says nothing, and many of them, keep nobody from anything.
      let silent = try (0..<40).map { _ in try connection() }
      defer { silent.forEach { close($0) } }
      #expect(try ask("/status").hasPrefix("HTTP/1.1 200 OK\r\n"))
      try Nft.run("flush", "ruleset")
      #expect(guardian.says("drift, by nft", within: 60))
      #expect(try ask("/metrics").contains("\nweir_in_force 0\n"))
    }
    #expect(!FileManager.default.fileExists(atPath: folder.url.path + "/socket"))
  }

  @Test func `the guard answers on this machine only`() throws {
    for place in ["0.0.0.0:9753", "192.0.2.1:80", "[::]:80", "127.0.0.1:0", "9753", "localhost:1"] {
      try ThrowAwayNamespace.run {
        let run = try Weir.run("guard", try folder.file("p.yaml", text("off")), "--status", place)
        #expect(run.ending == .exit(64), "\(place)")
        #expect(run.error.contains("--status takes a path, 127.0.0.1:PORT or [::1]:PORT"))
      }
    }
  }

  private func connection() throws -> Int32 {
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
      for (place, byte) in (folder.url.path + "/socket").utf8.enumerated() {
        unsafe room[place] = byte
      }
    }
    let connected = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(connected == 0)
    return socket
  }

  private func ask(_ path: String) throws -> String {
    let socket = try connection()
    defer { close(socket) }
    let question = Array("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
    #expect(unsafe send(socket, question, question.count, 0) == question.count)
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      answer += buffer.prefix(count)
    }
    return String(decoding: answer, as: UTF8.self)
  }
}
