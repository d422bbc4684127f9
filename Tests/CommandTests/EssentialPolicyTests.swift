import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// `essentials:` of a policy and `--essential`, from the text to the kernel.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct EssentialPolicyTests {
  private let folder: TemporaryFolder
  private let policy: String

  private static let shut = """
    policy: shut
    inbound: deny
    source-ports: ephemeral
    default: deny
    """

  init() throws {
    folder = try TemporaryFolder()
    policy = try folder.file(
      "server.yaml",
      Self.shut + """

        essentials:
          - loopback
          - dhcp
          - ntp
          - {resolver: [192.0.2.53, "2001:db8::53"]}
          - {ssh: [198.51.100.0/24, "2001:db8:1::/48"], port: 2222}
        tests:
          - {allow: "tcp 127.0.0.1:80", clause: essential-loopback}
          - {allow: "udp [::1]:9", clause: essential-loopback}
          - {allow: "udp from :68 to 192.0.2.1:67", clause: essential-dhcp}
          - {allow: "udp from :546 to [2001:db8::1]:547", clause: essential-dhcp}
          - {allow: "udp 9.9.9.9:123", clause: essential-ntp}
          - {allow: "tcp [2001:db8::53]:53", clause: essential-resolver}
          - {deny: "udp 192.0.2.54:53", clause: default}
          - {allow: "in tcp from 198.51.100.9:50000 to :2222", clause: essential-ssh}
          - {allow: "in tcp from [2001:db8:1::9]:50000 to :2222", clause: essential-ssh}
          - {deny: "in tcp from 198.51.100.9:50000 to :22", clause: listen}
          - {deny: "in tcp from 203.0.113.9:50000 to :2222", clause: listen}
          - {deny: "in udp from [2001:db8::1]:547 to :546", clause: listen}
        """)
  }

  @Test func `kernel: essentials hold in every reader of the rules, before ports and default`()
    throws
  {
    try ThrowAwayNamespace.run {
      let run = try Weir.run("verify", policy)
      #expect(run.ending == .exit(0), "\(run.output.suffix(3000))\(run.error)")
      for word in ["loopback", "dhcp", "ntp", "resolver", "ssh"] {
        #expect(run.output.contains("essential-\(word)"), "\(run.output)")
      }
    }
  }

  @Test func `kernel: an audit proves them for every packet, and one that is missing is a leak`()
    throws
  {
    try ThrowAwayNamespace.run {
      // Without a way out nothing can leak.
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up")
      #expect(try Weir.run("apply", "--no-diff", policy).ending == .exit(0))
      let good = try Weir.run("audit", policy)
      #expect(good.output.contains(/no-leak +holds/), "\(good.output)")
      #expect(good.output.contains(/as-installed +holds/), "\(good.output)")
      let strict = try folder.file("strict.yaml", Self.shut + "\n")
      let bad = try Weir.run("audit", strict)
      #expect(bad.ending == .exit(1))
      #expect(bad.output.contains(/no-leak +fails/), "\(bad.output)")
      // The command line says the same as the file.
      let words = [
        "loopback", "dhcp", "ntp", "resolver=192.0.2.53,2001:db8::53",
      ].flatMap { ["--essential", $0] }
      let named = try Weir.run(
        ["audit", strict] + words + ["--essential", "ssh:2222=198.51.100.0/24,2001:db8:1::/48"])
      #expect(named.output.contains(/no-leak +holds/), "\(named.output)")
    }
  }

  @Test func `kernel: apply cuts no loopback and no resolver that an essential names`() throws {
    try ThrowAwayNamespace.run {
      let server = try HostPlant.bound(.v4(0x7f00_0001), port: 53, SOCK_DGRAM.rawValue)
      defer { close(server) }
      let file = try folder.file("resolv.conf", "nameserver 127.0.0.1\n")
      let strict = try folder.file("strict.yaml", Self.shut + "\n")
      let refused = try Weir.run("apply", "--no-diff", strict, "--resolv-conf", file)
      #expect(refused.ending == .exit(1))
      #expect(refused.error.contains("or with --essential"), "\(refused.error)")
      let run = try Weir.run(
        "apply", "--no-diff", strict, "--resolv-conf", file, "--essential", "loopback")
      #expect(run.ending == .exit(0), "\(run.error)")
      #expect(try Nft.ruleset().contains("comment \"allow essential-loopback\""))
    }
  }

  @Test func `an essential that is none is refused with what there is`() throws {
    for (word, reason) in [
      ("dns", "`dns` is no essential; there are loopback, resolver, dhcp, ntp, ssh"),
      ("ssh", "`ssh` needs addresses: ssh=192.0.2.0/24"), ("dhcp=1.2.3.4", "takes no addresses"),
      ("ssh=192.0.2.1/24", "bits set beyond its length"), ("ssh=", "is not an IP address"),
    ] {
      let run = try Weir.run("print", policy, "--essential", word)
      #expect(run.ending == .exit(64))
      #expect(run.error.contains(reason), "\(run.error)")
    }
  }
}
