import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// `weir apply` does not cut what the host cannot do without, unless it is told to.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct EssentialTests {
  private let folder: TemporaryFolder
  private let policy: String
  private let resolvers: String

  init() throws {
    folder = try TemporaryFolder()
    policy = try folder.file(
      "closed.yaml",
      """
      policy: closed
      default: allow
      deny:
        - {clause: loopback, to: [127.0.0.0/8, "::1"]}
      """)
    resolvers = try folder.file(
      "resolv.conf", "# by hand\nnameserver 127.0.0.53\nnameserver ::1\noptions edns0\n")
  }

  /// Runs with a resolver on the loopback of each family.
  private func withResolvers(_ body: () throws -> Void) throws {
    try ThrowAwayNamespace.run {
      let sockets = try [IPAddress.v4(0x7f00_0035), .v6(1)].map {
        try HostPlant.bound($0, port: 53, SOCK_DGRAM.rawValue)
      }
      defer { for socket in sockets { close(socket) } }
      try body()
    }
  }

  @Test func `kernel: a resolver that would be cut refuses an apply, and nothing is changed`()
    throws
  {
    try withResolvers {
      let outcome = try Weir.run("apply", policy, "--resolv-conf", resolvers)
      #expect(outcome.ending == .exit(1))
      #expect(outcome.error.contains("a resolver of this host, udp 127.0.0.53:53, would be cut"))
      #expect(outcome.error.contains("udp [::1]:53, would be cut: clause loopback denies it"))
      #expect(outcome.error.contains("--without"))
      #expect(try Nft.ruleset().isEmpty)
      let dry = try Weir.run("apply", policy, "--resolv-conf", resolvers, "--dry-run")
      #expect(dry.ending == .exit(0))
      #expect(dry.output.contains("  resolver udp 127.0.0.53:53: deny, clause loopback\n"))
      #expect(try Nft.ruleset().isEmpty)
    }
  }

  @Test func `kernel: the machine's own resolvers are a warning in another namespace`() throws {
    let strict = try folder.file("strict.yaml", "policy: strict\ndefault: deny\n")
    let known = try ResolverFile.servers("/etc/resolv.conf").contains {
      $0.family == .ipv4 && $0 < .v4(0x7f00_0000)
    }
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up")
      try HostPlant.run("ip route add default via 192.0.2.1 dev eth0")
      let outcome = try Weir.run("apply", "--no-diff", strict)
      #expect(outcome.ending == .exit(0))
      if known { #expect(outcome.error.contains("weir: warning: a resolver of this host, udp ")) }
    }
  }

  @Test func `kernel: a trial, a host that does without, and force go on`() throws {
    for words in [["--confirm", "1m"], ["--without", "resolver"], ["--force"]] {
      try withResolvers {
        let outcome = try Weir.run(["apply", policy, "--resolv-conf", resolvers] + words)
        #expect(outcome.ending == .exit(0))
        #expect(outcome.error.contains("would be cut") == (words[0] != "--without"))
      }
    }
    try withResolvers {
      let outcome = try Weir.run("apply", policy, "--without", "dns")
      #expect(outcome.ending == .exit(64))
      #expect(outcome.error.contains("--without takes resolver, dhcp, ntp, not `dns`"))
    }
  }
}
