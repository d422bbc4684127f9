import TestSupport
import Testing

/// Exceptions by name, from a real dnsmasq to the sets in the kernel.
///
/// ```
///   weir ── lo 127.0.0.1, ::1 ── dnsmasq, port 5353
/// ```
/// Both in one throw-away namespace, so the policy lets its own questions through.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct NameTests {
  private static let name = "smtp.example.org"
  private static let first = "host-record=\(name),93.184.215.25,2606:2800:21f::25,300"
  private static let moved = "host-record=\(name),93.184.215.26,2606:2800:21f::26,60"
  /// dnsmasq answers for the zone by itself: there is no such name.
  private static let empty = "local=/example.org/"
  private static let lying = "host-record=\(name),10.0.0.25,64:ff9b::a00:19,300"

  private let folder: TemporaryFolder
  private let policy: String

  init() throws {
    folder = try TemporaryFolder()
    policy = try folder.file(
      "policy.yaml",
      """
      policy: mail
      inbound: allow
      default: deny
      allow:
        - {clause: dns, to: [127.0.0.1, "::1"], port: [udp/5353, tcp/5353]}
        - {clause: mail, to: {name: \(Self.name), within: global}, port: tcp/587}
      """)
  }

  private func weir(_ verb: String, _ more: String...) throws -> ProgramOutcome {
    try Weir.run([verb, policy, "--resolver", "127.0.0.1:5353"] + more)
  }

  /// The addresses in the kernel, IPv4 and IPv6.
  private func addresses() throws -> [String] {
    try ["4", "6"].compactMap { family in
      let text = try Nft.run("list", "set", "inet", "weir", "g1/name\(family)/\(Self.name)")
      return text.firstMatch(of: #/elements = \{ (.*) \}/#).map { String($0.1) }
    }
  }

  /// Everything but the addresses, with handles.
  private func frame() throws -> String {
    try Nft.ruleset().replacing(#/\t\telements = \{ (93\.|2606:).*\n/#, with: "")
  }

  private func applied(_ lines: String) throws -> NameServer {
    let server = try NameServer([lines])
    let outcome = try weir("apply")
    #expect(outcome.ending == .exit(0))
    #expect(outcome.error == "")
    #expect(
      outcome.output.hasSuffix(
        "  \(Self.name): 93.184.215.25, 2606:2800:21f::25, for 300 s\n"))
    #expect(try addresses() == ["93.184.215.25", "2606:2800:21f::25"])
    return server
  }

  @Test func `kernel: refresh follows an address that moves, and nothing else changes`() throws {
    try ThrowAwayNamespace.run {
      let old = try applied(Self.first)
      let frame = try frame()
      let generation = try Nft.generation()
      let same = try weir("refresh")
      #expect(same.ending == .exit(0))
      #expect(same.output.hasPrefix("no address changed\n"))
      #expect(try Nft.generation() == generation)
      old.stop()

      let new = try NameServer([Self.moved])
      let outcome = try weir("refresh")
      new.stop()
      #expect(outcome.ending == .exit(0))
      #expect(
        outcome.output == """
          changed: \(Self.name)
            \(Self.name): 93.184.215.26, 2606:2800:21f::26, for 60 s

          """)
      #expect(try addresses() == ["93.184.215.26", "2606:2800:21f::26"])
      #expect(try self.frame() == frame)
      #expect(try Nft.generation() == generation + 1)
    }
  }

  @Test(arguments: [empty, lying])
  func `kernel: an answer without a usable address refuses an apply`(answer: String) throws {
    try ThrowAwayNamespace.run {
      let server = try NameServer([answer])
      let generation = try Nft.generation()
      let outcome = try weir("apply")
      #expect(outcome.ending == .exit(66))
      #expect(outcome.output == "")
      let why =
        answer == Self.lying
        ? "10.0.0.25, outside global; 64:ff9b::a00:19, outside global"
        : "A: the name does not exist; AAAA: the name does not exist"
      #expect(
        outcome.error
          == "weir: \(Self.name) has no usable address (\(why)); nothing was changed. Pin it with"
          + " --resolve \(Self.name)=ADDRESS, or leave its exception shut with"
          + " --allow-unresolved\n")
      #expect(try Nft.ruleset() == "")
      #expect(try Nft.generation() == generation)

      let shut = try weir("apply", "--allow-unresolved")
      server.stop()
      #expect(shut.ending == .exit(0))
      #expect(
        shut.error
          == "weir: warning: \(Self.name) has no usable address: its exception stays shut\n")
      #expect(try addresses() == [])
    }
  }

  @Test(arguments: [empty, lying])
  func `kernel: an answer without a usable address leaves the old ones at a refresh`(
    answer: String
  ) throws {
    try ThrowAwayNamespace.run {
      try applied(Self.first).stop()
      let before = try Nft.ruleset()
      let generation = try Nft.generation()
      let server = try NameServer([answer])
      let outcome = try weir("refresh")
      server.stop()
      #expect(outcome.ending == .exit(1))
      #expect(outcome.output.hasPrefix("no address changed\n"))
      #expect(outcome.output.hasSuffix("  \(Self.name) keeps its old addresses\n"))
      #expect(outcome.output.contains("refused 10.0.0.25") == (answer == Self.lying))
      #expect(try Nft.ruleset() == before)
      #expect(try Nft.generation() == generation)
    }
  }

  @Test func `kernel: a lie among good answers is refused, the good ones are used`() throws {
    try ThrowAwayNamespace.run {
      let server = try NameServer([
        Self.first, "host-record=\(Self.name),169.254.169.254,fd00:ec2::254",
      ])
      let outcome = try weir("apply", "--format", "json")
      server.stop()
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.contains(#""169.254.169.254, outside global""#))
      #expect(outcome.output.contains(#""fd00:ec2::254, outside global""#))
      #expect(try addresses() == ["93.184.215.25", "2606:2800:21f::25"])
    }
  }

  @Test(arguments: ["apply", "refresh"])
  func `kernel: a server that is silent refuses an apply and leaves a refresh the old addresses`(
    verb: String
  ) throws {
    try ThrowAwayNamespace.run {
      let server: NameServer
      if verb == "refresh" {
        server = try applied(Self.first)
      } else {
        server = try NameServer([Self.first])
      }
      let before = try Nft.ruleset()
      server.freeze()
      let outcome = try weir(verb)
      server.stop()
      #expect(outcome.ending == .exit(verb == "apply" ? 66 : 1))
      let silence = "no name server answered in time"
      #expect((outcome.output + outcome.error).contains("A: \(silence)"))
      #expect((outcome.output + outcome.error).contains("AAAA: \(silence)"))
      #expect(try Nft.ruleset() == before)
    }
  }

  @Test func `kernel: a pinned name asks nobody, at apply and at refresh`() throws {
    try ThrowAwayNamespace.run {
      let pin = "\(Self.name)=93.184.215.25,2606:2800:21f::25,10.0.0.1"
      let outcome = try Weir.run("apply", policy, "--resolve", pin)
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.hasSuffix("    refused 10.0.0.1, outside global\n"))
      #expect(try addresses() == ["93.184.215.25", "2606:2800:21f::25"])
      let frame = try frame()
      let other = try Weir.run("refresh", policy, "--resolve", "\(Self.name)=93.184.215.27")
      #expect(other.ending == .exit(0))
      #expect(try addresses() == ["93.184.215.27"])
      #expect(try self.frame() == frame)
    }
  }

  @Test func `kernel: servers are asked by either family, a dead one is passed over`() throws {
    try ThrowAwayNamespace.run {
      let server = try NameServer([Self.first])
      // Nobody listens on port 9, and the kernel says so at once.
      let outcome = try Weir.run(
        "apply", policy, "--resolver", "127.0.0.1:9", "--resolver", "[::1]:5353")
      server.stop()
      #expect(outcome.ending == .exit(0))
      #expect(try addresses() == ["93.184.215.25", "2606:2800:21f::25"])
    }
  }

  @Test func `kernel: a dry run says what would happen and changes nothing`() throws {
    try ThrowAwayNamespace.run {
      let server = try NameServer([Self.first])
      let generation = try Nft.generation()
      let outcome = try weir("apply", "--dry-run")
      server.stop()
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.contains("table inet weir: would install mail "))
      #expect(outcome.output.contains("; nothing is installed\n  \(Self.name): 93.184.215.25, "))
      #expect(try Nft.ruleset() == "")
      #expect(try Nft.generation() == generation)
    }
  }
}
