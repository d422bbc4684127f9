import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// `weir scope`: many policies in one namespace, both families.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct ScopeTests {
  /// A cgroup of the test's own; gone with it.
  final class Group {
    let name = "weir-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    static let root = ControlGroup.root() ?? ""
    /// Whether this process may make any.
    static let isThere: Bool = (try? Group()) != nil

    init() throws { try make() }
    deinit { remove() }

    func make() throws {
      guard !Group.root.isEmpty, unsafe mkdir("\(Group.root)/\(name)", 0o755) == 0 else {
        throw HostPlant.Failed(what: "make a cgroup: errno \(errno)")
      }
    }

    /// What another test starts while this process is inside ends sooner or later.
    func remove() {
      for _ in 0..<500 where unsafe rmdir("\(Group.root)/\(name)") != 0 { usleep(20_000) }
    }

    /// Makes a socket while this process is in the cgroup.
    func socket(_ family: Int32) throws -> Int32 {
      try run { try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0) }
    }

    /// Runs a body while this process is in the cgroup.
    func run<Value>(_ body: () throws -> Value) throws -> Value {
      try enter("\(Group.root)/\(name)")
      defer { try? enter(Group.root) }
      return try body()
    }

    private func enter(_ folder: String) throws {
      try Data("\(getpid())".utf8).write(to: URL(filePath: "\(folder)/cgroup.procs"))
    }
  }

  private static let far = [IPAddress.v4(0xc000_0209), .v6(0x2001_0db8 << 96 | 9)]

  private struct Row: Decodable {
    var kind: String
    var name: String
    var policy: String
    var state: String
  }

  private struct Report: Decodable { var scopes: [Row] }

  private func list() throws -> [Row] {
    let text = try Weir.run("scope", "list", "--format", "json").output
    return try JSONDecoder().decode(Report.self, from: Data(text.utf8)).scopes
  }

  private func plant() throws {
    try HostPlant.run("ip link add eth0 type veth peer name eth1")
    try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth1 up")
    try HostPlant.run("ip addr add 2001:db8::2/64 dev eth0 nodad && ip link set eth0 up")
    for address in Self.far {
      try HostPlant.run("ip neigh add \(address) lladdr 02:00:00:00:00:09 dev eth0")
    }
  }

  private func policy(_ folder: TemporaryFolder, _ name: String, denies port: Int) throws -> String
  {
    try folder.file(
      "\(name).yaml",
      "policy: \(name)\ndefault: allow\ndeny:\n  - {clause: shut, port: \(port)}\n")
  }

  /// Whether a command of bash succeeds, after some words that say who it is.
  private func succeeds(_ script: String, as words: [String] = []) throws -> Bool {
    try NetworkNamespace.assertThrowAway()
    return try Program.run(words + ["bash", "-c", script]).ending == .exit(0)
  }

  /// Whether a connection is answered within two seconds.
  ///
  /// `timeout(1)` is of no use: its alarm is blocked in what this process starts.
  private func isAnswered(_ place: String) throws -> Bool {
    try succeeds(
      "(echo x > /dev/tcp/\(place)) & one=$!; for turn in {1..20}; do sleep 0.1;"
        + " kill -0 $one || { wait $one; exit $?; }; done; kill -9 $one; exit 1")
  }

  /// Which of both families' datagrams to a port leave, and whether TCP gets an answer.
  private func reach(_ port: Int, inside group: Group? = nil, user: Int? = nil) throws -> [Bool] {
    let enter = group.map { "echo $$ > \(Group.root)/\($0.name)/cgroup.procs; " } ?? ""
    let words = user.map { ["setpriv", "--reuid=\($0)", "--clear-groups"] } ?? []
    return try ["udp/192.0.2.9", "udp/2001:db8::9", "tcp/192.0.2.2", "tcp/2001:db8::2"].map {
      try succeeds("\(enter)echo x > /dev/\($0)/\(port)", as: words)
    }
  }

  private func listeners(_ ports: [UInt16]) throws -> [Int32] {
    try ports.flatMap { port in
      let four = try HostPlant.listener(.v4(0xc000_0202), port: port)
      let six = try HostPlant.listener(.v6(0x2001_0db8 << 96 | 2), port: port)
      // Nobody accepts: many may wait.
      [four, six].forEach { listen($0, 64) }
      return [four, six]
    }
  }

  private let all = [true, true, true, true]
  private let none = [false, false, false, false]

  @Test(.enabled(if: Group.isThere, "needs a cgroup2 that may be written"))
  func `kernel: each cgroup has its own policy, and changing one leaves the others as they are`()
    throws
  {
    let folder = try TemporaryFolder()
    let seven = try policy(folder, "seven", denies: 7)
    let nine = try policy(folder, "nine", denies: 9)
    let (a, b) = (try Group(), try Group())
    try ThrowAwayNamespace.run {
      try plant()
      let open = try listeners([7, 9])
      defer { open.forEach { close($0) } }
      #expect(try reach(7, inside: a) == all)
      #expect(try Weir.run("scope", "add", "--cgroup", a.name, seven).ending == .exit(0))
      #expect(try Weir.run("scope", "add", "--cgroup", b.name, nine).ending == .exit(0))
      #expect(try reach(7, inside: a) == none)
      #expect(try reach(9, inside: a) == all)
      #expect(try reach(7, inside: b) == all)
      #expect(try reach(9, inside: b) == none)
      #expect(try reach(7) == all)
      // The same policy for both, then none for one.
      #expect(try Weir.run("scope", "add", "--cgroup", b.name, seven).ending == .exit(0))
      #expect(try reach(7, inside: b) == none)
      #expect(try reach(9, inside: b) == all)
      #expect(try Nft.run("list", "chains").contains("g2/out") == false)
      #expect(try Weir.run("scope", "remove", "--cgroup", a.name).ending == .exit(0))
      #expect(try reach(7, inside: a) == all)
      #expect(try reach(7, inside: b) == none)
      #expect(try Weir.run("scope", "remove", "--cgroup", a.name).ending == .exit(66))
      #expect(try Weir.run("scope", "remove", "--all").ending == .exit(0))
      #expect(try Nft.run("list", "tables").isEmpty)
    }
  }

  @Test(.enabled(if: Group.isThere, "needs a cgroup2 that may be written"))
  func `kernel: a socket belongs to the cgroup that made it, also after it was passed on`() throws {
    let folder = try TemporaryFolder()
    let seven = try policy(folder, "seven", denies: 7)
    let group = try Group()
    try ThrowAwayNamespace.run {
      try plant()
      #expect(try Weir.run("scope", "add", "--cgroup", group.name, seven).ending == .exit(0))
      for address in Self.far {
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        let made = try group.socket(family)
        defer { close(made) }
        let passed = try Descriptors.passed(made)
        defer { close(passed) }
        let own = try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0)
        defer { close(own) }
        #expect(throws: HostPlant.Failed.self) { try HostPlant.send(passed, to: address, port: 7) }
        try HostPlant.send(passed, to: address, port: 9)
        try HostPlant.send(own, to: address, port: 7)
        let ownPassed = try Descriptors.passed(own)
        defer { close(ownPassed) }
        try HostPlant.send(ownPassed, to: address, port: 7)
      }
    }
  }

  @Test(.enabled(if: Group.isThere, "needs a cgroup2 that may be written"))
  func `kernel: a cgroup made anew is in no scope, and that is said`() throws {
    let folder = try TemporaryFolder()
    let seven = try policy(folder, "seven", denies: 7)
    let group = try Group()
    try ThrowAwayNamespace.run {
      try plant()
      #expect(try Weir.run("scope", "add", "--cgroup", group.name, seven).ending == .exit(0))
      #expect(try list().map(\.state) == ["bound"])
      #expect(try Weir.run("scope", "list").ending == .exit(0))
      group.remove()
      #expect(try list().map(\.state) == ["gone"])
      try group.make()
      #expect(try list().map(\.state) == ["remade"])
      #expect(try Weir.run("scope", "list").ending == .exit(1))
      #expect(try reach(7, inside: group).prefix(2) == [true, true])
      #expect(try Weir.run("scope", "add", "--cgroup", group.name, seven).ending == .exit(0))
      #expect(try list().map(\.state) == ["bound"])
      #expect(try reach(7, inside: group) == none)
    }
  }

  @Test(.enabled(if: Group.isThere, "needs a cgroup2 that may be written"))
  func `kernel: a watch binds what comes and what is made anew, and tells what others change`()
    throws
  {
    let folder = try TemporaryFolder()
    _ = try policy(folder, "seven", denies: 7)
    let (group, late) = (try Group(), try Group())
    late.remove()
    let site = try folder.file(
      "site.yaml",
      "site: s\nscopes:\n  - {cgroup: \(group.name), policy: seven.yaml}\n"
        + "  - {cgroup: \(late.name), policy: seven.yaml}\n")
    try ThrowAwayNamespace.run {
      try plant()
      let watch = try LoggedChild(
        [Weir.path, "scope", "watch", site, "--restore"], in: folder)
      #expect(watch.says("started: 1 of 2 scopes are bound", within: 60), "\(watch.text)")
      #expect(watch.text.contains("cgroup \(late.name) is not there"))
      #expect(try reach(7, inside: group).prefix(2) == [false, false])
      try late.make()
      #expect(watch.says("cgroup \(late.name) is there; 2 of 2", within: 60), "\(watch.text)")
      #expect(try reach(7, inside: late).prefix(2) == [false, false])
      group.remove()
      try group.make()
      #expect(watch.says("cgroup \(group.name) ", within: 60), "\(watch.text)")
      #expect(watch.says("2 of 2 scopes are bound\n", within: 60))
      let deadline = Date(timeIntervalSinceNow: 60)
      while try reach(7, inside: group)[0], Date() < deadline {}
      #expect(try reach(7, inside: group).prefix(2) == [false, false])
      try Nft.run("flush", "ruleset")
      #expect(watch.says("drift, by nft (pid ", within: 60), "\(watch.text)")
      #expect(watch.says("restored, by nft (pid ", within: 60), "\(watch.text)")
      #expect(try reach(7, inside: group).prefix(2) == [false, false])
      // A way through the policy itself, which no scope map shows.
      try Nft.run("insert", "rule", "inet", "weir-scopes", "g1/out", "accept")
      let limit = Date(timeIntervalSinceNow: 60)
      while try reach(7, inside: group)[0], Date() < limit {}
      #expect(try reach(7, inside: group).prefix(2) == [false, false], "\(watch.text)")
      _ = try folder.file(
        "site.yaml", "site: s\nscopes:\n  - {cgroup: \(late.name), policy: seven.yaml}\n")
      watch.signal(SIGHUP)
      #expect(watch.says("reloaded: 1 of 1 scopes are bound", within: 60), "\(watch.text)")
      #expect(try reach(7, inside: group).prefix(2) == [true, true])
      _ = try folder.file("site.yaml", "site: s\n")
      watch.signal(SIGHUP)
      #expect(watch.says("failed: reload: ", within: 60), "\(watch.text)")
      #expect(watch.end() == 0)
      #expect(try reach(7, inside: late).prefix(2) == [false, false])
    }
  }

  @Test func `kernel: a user's sockets have a policy, and answer nobody who comes from outside`()
    throws
  {
    let folder = try TemporaryFolder()
    let seven = try policy(folder, "seven", denies: 7)
    let peer = try NetworkNamespace.make()
    try ThrowAwayNamespace.run {
      try HostPlant.pair("eth0", "eth1", in: peer)
      try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up")
      try HostPlant.run("ip addr add 2001:db8::2/64 dev eth0 nodad")
      try peer.run {
        try HostPlant.run("ip addr add 192.0.2.9/24 dev eth1 && ip link set eth1 up")
        try HostPlant.run("ip addr add 2001:db8::9/64 dev eth1 nodad")
      }
      #expect(try Weir.run("scope", "add", "--user", "65534", seven).ending == .exit(0))
      #expect(try reach(7, user: 65534).prefix(2) == [false, false])
      #expect(try reach(9, user: 65534).prefix(2) == [true, true])
      #expect(try reach(7, user: 65533).prefix(2) == [true, true])
      // A socket of the user that listens: made by root, in the user's name.
      for user in [uid_t(65533), 65534] {
        let open = try Descriptors.owned(by: user) { try listeners([80]) }
        defer { open.forEach { close($0) } }
        for address in ["192.0.2.2", "2001:db8::2"] {
          let hasAnswer = try peer.run {
            try isAnswered("\(address)/80")
          }
          #expect(hasAnswer == (user == 65533), "\(user) \(address)")
        }
      }
    }
  }

  @Test func `kernel: what is forwarded from a link has the link's policy`() throws {
    let folder = try TemporaryFolder()
    let seven = try policy(folder, "seven", denies: 7)
    let (one, two) = (try NetworkNamespace.make(), try NetworkNamespace.make())
    try ThrowAwayNamespace.run {
      try plant()
      try HostPlant.run("echo 1 > /proc/sys/net/ipv4/ip_forward")
      try HostPlant.run("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
      for (number, machine) in [(1, one), (2, two)] {
        try HostPlant.pair("tap\(number)", "eth0", in: machine)
        try HostPlant.run(
          "ip addr add 198.51.100.\(number * 16 + 1)/28 dev tap\(number);"
            + " ip addr add 2001:db8:\(number)::1/64 dev tap\(number) nodad;"
            + " ip link set tap\(number) up")
        try machine.run {
          try HostPlant.run(
            "ip addr add 198.51.100.\(number * 16 + 2)/28 dev eth0;"
              + " ip addr add 2001:db8:\(number)::2/64 dev eth0 nodad; ip link set eth0 up;"
              + " ip route add default via 198.51.100.\(number * 16 + 1);"
              + " ip -6 route add default via 2001:db8:\(number)::1")
        }
      }
      try Nft.run("add", "table", "inet", "count")
      try Nft.run(
        "add", "chain", "inet", "count", "c",
        "{ type filter hook postrouting priority 300; }")
      for port in ["7", "9"] {
        try Nft.run(
          "add", "rule", "inet", "count", "c", "oifname", "eth0", "udp", "dport", port, "counter")
      }
      #expect(try Weir.run("scope", "add", "--interface", "tap1", seven).ending == .exit(0))
      func sent(from machine: NetworkNamespace, _ port: Int) throws -> Int {
        let before = try count(port)
        try machine.run {
          for address in ["192.0.2.9", "2001:db8::9"] {
            _ = try succeeds("echo x > /dev/udp/\(address)/\(port)")
          }
        }
        return try count(port) - before
      }
      #expect(try sent(from: one, 7) == 0)
      #expect(try sent(from: one, 9) == 2)
      #expect(try sent(from: two, 7) == 2)
      // Nothing unsolicited enters it, while it reaches the other machine, and this host by policy.
      let open = try two.run { try [7, 80].map { try HostPlant.listener(.v6(0), port: $0) } }
      let inside = try one.run { try HostPlant.listener(.v6(0), port: 80) }
      let here = try [7, 80].map { try HostPlant.listener(.v6(0), port: $0) }
      defer { (open + here + [inside]).forEach { close($0) } }
      func reaches(_ address: String, _ port: Int, from machine: NetworkNamespace) throws -> Bool {
        try machine.run {
          try isAnswered("\(address)/\(port)")
        }
      }
      for (first, second, host) in [
        ("198.51.100.18", "198.51.100.34", "198.51.100.17"),
        ("2001:db8:1::2", "2001:db8:2::2", "2001:db8:1::1"),
      ] {
        #expect(try reaches(second, 80, from: one))
        #expect(try reaches(second, 7, from: one) == false)
        #expect(try reaches(first, 80, from: two) == false)
        #expect(try reaches(host, 80, from: one))
        #expect(try reaches(host, 7, from: one) == false)
      }
    }
  }

  /// Packets to a port that have left by eth0.
  private func count(_ port: Int) throws -> Int {
    let text = try Nft.run("list", "table", "inet", "count")
    let line = text.split(separator: "\n").first { $0.contains("udp dport \(port) ") }
    let words = (line ?? "").split(separator: " ")
    guard let place = words.firstIndex(of: "packets"), let number = Int(words[place + 1]) else {
      throw HostPlant.Failed(what: "count packets to port \(port)")
    }
    return number
  }

  @Test func `kernel: a site's scopes are those of its file, or nothing is changed`() throws {
    let folder = try TemporaryFolder()
    _ = try policy(folder, "seven", denies: 7)
    _ = try policy(folder, "nine", denies: 9)
    let site = try folder.file(
      "site.yaml",
      "site: s\nscopes:\n  - {user: 65533, policy: seven.yaml}\n"
        + "  - {user: 65534, policy: nine.yaml}\n  - {interface: eth0, policy: app-engine-sockets}\n"
    )
    let smaller = try folder.file(
      "smaller.yaml", "site: s\nscopes:\n  - {user: 65534, policy: seven.yaml}\n")
    let missing = try folder.file(
      "missing.yaml",
      "site: s\nscopes:\n  - {user: 65532, policy: seven.yaml}\n"
        + "  - {cgroup: no/such, policy: seven.yaml}\n")
    try ThrowAwayNamespace.run {
      try plant()
      let pins = ["smtp", "pop", "imap"].flatMap {
        ["--resolve", "\($0).gmail.com=142.250.1.109"]
      }
      #expect(try Weir.run(["scope", "apply", site] + pins).ending == .exit(0))
      #expect(try list().map(\.name) == ["eth0", "65533", "65534"])
      #expect(try list()[0].policy.hasPrefix("policy app-engine-sockets "))
      #expect(try reach(7, user: 65533).prefix(2) == [false, false])
      #expect(try reach(9, user: 65534).prefix(2) == [false, false])
      let before = try Nft.run("list", "ruleset")
      let outcome = try Weir.run("scope", "apply", missing)
      #expect(outcome.ending == .exit(66))
      #expect(outcome.error.contains("no/such"))
      #expect(try Nft.run("list", "ruleset") == before)
      #expect(try Weir.run("scope", "apply", smaller).ending == .exit(0))
      #expect(try list().map(\.name) == ["65534"])
      #expect(try reach(7, user: 65534).prefix(2) == [false, false])
      #expect(try reach(7, user: 65533).prefix(2) == [true, true])
      // Somebody opens the way for everyone.
      try Nft.run("insert", "rule", "inet", "weir-scopes", "out/user", "accept")
      let drift = try Weir.run("scope", "list")
      #expect(drift.ending == .exit(1))
      #expect(drift.output.contains("changed by somebody: "))
      #expect(try Weir.run("scope", "apply", smaller).ending == .exit(0))
      #expect(try Weir.run("scope", "list").ending == .exit(0))
      #expect(try reach(7, user: 65534).prefix(2) == [false, false])
    }
  }

  @Test func `kernel: add and remove tell of their own scopes, and list of all`() throws {
    let folder = try TemporaryFolder()
    let seven = try policy(folder, "seven", denies: 7)
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add tap0 type veth peer name tap1")
      #expect(try Weir.run("scope", "add", "--user", "65533", seven).ending == .exit(0))
      #expect(try Weir.run("scope", "add", "--interface", "tap0", seven).ending == .exit(0))
      let added = try Weir.run("scope", "add", "--user", "65534", seven).output
      #expect(added.contains("\n  user 65534: policy seven "))
      #expect(added.split(separator: "\n").count == 2, "\(added)")
      let json = try Weir.run("scope", "add", "--user", "65534", seven, "--format", "json").output
      #expect(json.contains("\"isComplete\" : false"), "\(json)")
      #expect(try list().map(\.name) == ["tap0", "65533", "65534"])
      // What is gone is found by its name.
      try HostPlant.run("ip link del tap0")
      #expect(try list().map(\.state) == ["gone", "bound", "bound"])
      let removed = try Weir.run("scope", "remove", "--interface", "tap0", "--user", "65533")
      #expect(removed.ending == .exit(0))
      #expect(removed.output.contains("\n  user 65533: policy seven "))
      #expect(removed.output.split(separator: "\n").count { $0.hasSuffix(", taken out") } == 2)
      #expect(try list().map(\.name) == ["65534"])
      #expect(try Weir.run("scope", "list").ending == .exit(0))
      #expect(try Weir.run("scope", "remove", "--user", "65533").ending == .exit(66))
      #expect(try list().map(\.name) == ["65534"])
    }
  }

  @Test func `a scope that is not there is named, and nothing is sent`() throws {
    for (option, name, reason) in [
      ("--user", "no-such-user", "there is no user 'no-such-user'; nothing was changed"),
      ("--interface", "nolink", "there is no link 'nolink' in this namespace"),
      ("--cgroup", "no/such", "nothing was changed"),
      ("--cgroup", "/", "nothing was changed"),
    ] {
      try ThrowAwayNamespace.run {
        let outcome = try Weir.run("scope", "add", option, name, "public-internet-only")
        #expect(outcome.ending == .exit(66))
        #expect(outcome.error.contains(reason), "\(outcome.error)")
        #expect(try Nft.run("list", "tables").isEmpty)
      }
    }
  }

  @Test func `a site file is refused whole, with the place and the reason`() throws {
    let folder = try TemporaryFolder()
    _ = try policy(folder, "seven", denies: 7)
    for (text, reason) in [
      ("site: s\nscopes:\n  - {user: a, cgroup: b, policy: seven.yaml}\n", ":3:5"),
      ("site: s\nscopes:\n  - {user: a}\n", "a scope has one of `cgroup`, `user` and `interface`"),
      (
        "site: s\nscopes:\n  - {user: 1, policy: seven.yaml}\n  - {user: 1, policy: seven.yaml}\n",
        "user `1` is written twice"
      ),
      ("site: s\nscopes: []\n", "an empty list of scopes"),
      ("scopes:\n  - {user: 1, policy: seven.yaml}\n", "there is no `site:`"),
      ("site: s\nscopes:\n  - {user: 1, polcy: seven.yaml}\n", "did you mean `policy`"),
      ("site: s\nscopes:\n  - {user: 1, policy: none.yaml}\n", "none.yaml"),
    ] {
      let site = try folder.file("site.yaml", text)
      try ThrowAwayNamespace.run {
        let outcome = try Weir.run("scope", "apply", site)
        #expect([.exit(65), .exit(66)].contains(outcome.ending))
        #expect(outcome.error.contains(reason), "\(outcome.error)")
        #expect(try Nft.run("list", "tables").isEmpty)
      }
    }
  }
}
