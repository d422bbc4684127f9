import KernelTrials
import TestSupport
import Testing

/// Chains, verdicts and sets: what runs first, and what wins.
@Suite(.serialized, .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct OrderExperimentTests {
  private static func udp(_ port: UInt16) -> [UInt8] { Frame.ipv4(17, Frame.udp(5000, port)) }

  @Test func `kernel: of equal priorities the chain made last runs first`() throws {
    let experiment = try Experiment(
      """
      table ip a {
        chain o { type filter hook output priority 0; policy accept;
          meta mark 0 meta mark set 1 comment "a first"
        }
      }
      table ip b {
        chain o { type filter hook output priority 0; policy accept;
          meta mark 0 meta mark set 2 comment "b first"
        }
      }
      """)
    #expect(try experiment.send(Self.udp(55)).matched == ["b first"])
  }

  @Test func `kernel: accept ends its chain, drop ends the packet`() throws {
    let tables = { (first: String, second: String) in
      """
      table ip a {
        chain o { type filter hook output priority -10; policy drop; \(first) comment "a"; }
      }
      table inet b {
        chain o { type filter hook output priority 0; policy accept; \(second) comment "b"; }
      }
      """
    }
    #expect(
      try Experiment(tables("accept", "drop")).send(Self.udp(55))
        == Experiment.Outcome(matched: ["a", "b"], left: false))
    #expect(
      try Experiment(tables("drop", "accept")).send(Self.udp(55))
        == Experiment.Outcome(matched: ["a"], left: false))
  }

  @Test func `kernel: goto does not come back, return in a base chain is its policy`() throws {
    let experiment = try Experiment(
      """
      table ip a {
        chain u1 {
          udp dport 55 return comment "u1 return"
          counter comment "u1 after"
        }
        chain u2 { udp dport 55 counter comment "u2"; }
        chain u3 { udp dport 57 goto u2 comment "u3 goto"; counter comment "u3 after"; }
        chain o { type filter hook output priority 0; policy drop;
          udp dport 55 jump u1 comment "jump"
          udp dport 56 return comment "return"
          udp dport 55 goto u2 comment "goto"
          udp dport 57 jump u3 comment "jump u3"
          counter accept comment "after"
        }
      }
      """)
    #expect(
      try experiment.send(Self.udp(55))
        == Experiment.Outcome(matched: ["jump", "u1 return", "goto", "u2"], left: false))
    #expect(
      try experiment.send(Self.udp(56)) == Experiment.Outcome(matched: ["return"], left: false))
    #expect(
      try experiment.send(Self.udp(57))
        == Experiment.Outcome(matched: ["jump u3", "u3 goto", "after"], left: true))
  }

  @Test func `kernel: a dormant table does nothing`() throws {
    let experiment = try Experiment(
      """
      table ip a {
        flags dormant
        chain o { type filter hook output priority 0; policy drop; counter comment "dormant"; }
      }
      """)
    #expect(try experiment.send(Self.udp(55)) == Experiment.Outcome(matched: [], left: true))
  }

  @Test func `kernel: with a catch-all element an inverted lookup never holds`() throws {
    let experiment = try Experiment(
      """
      table ip t {
        set every { type ipv4_addr; flags interval; elements = { 11.0.0.0/8, * }; }
        set few { type ipv4_addr; flags interval; elements = { 11.0.0.0/8 }; }
        chain o { type filter hook output priority 0; policy accept;
          ip daddr @every counter comment "in every"
          ip daddr != @every counter comment "not in every"
          ip daddr @few counter comment "in few"
          ip daddr != @few counter comment "not in few"
        }
      }
      """)
    #expect(try experiment.send(Self.udp(55)).matched == ["in every", "not in few"])
  }

  @Test func `kernel: of overlapping concatenated ranges the one added first wins`() throws {
    let ranges = ["203.0.113.0/24 . 50-60 : drop", "200.0.0.0/6 . 1-100 : accept"]
    for (elements, left) in [
      (ranges, false), ([ranges[1], "203.0.113.1 . 0-200 : drop"], true),
    ] {
      let experiment = try Experiment(
        """
        table ip t {
          map m { type ipv4_addr . inet_service : verdict; flags interval; }
          chain o { type filter hook output priority 0; policy accept;
            ip daddr . udp dport vmap @m comment "map"
          }
        }
        \(elements.map { "add element ip t m { \($0) }" }.joined(separator: "\n"))
        """)
      #expect(
        try experiment.send(Self.udp(55))
          == Experiment.Outcome(matched: ["map"], left: left), "\(elements)")
    }
  }

  @Test func `kernel: a range ends where the next one starts`() throws {
    let experiment = try Experiment(
      """
      table ip t {
        chain o { type filter hook output priority 0; policy accept;
          ip daddr { 203.0.113.0-203.0.113.4, 203.0.113.5-203.0.113.9 } counter comment "in"
          ip daddr vmap { 203.0.113.0-203.0.113.4 : continue, 203.0.113.5 : drop } comment "map"
        }
      }
      """)
    for (last, matched, left) in [
      (4, ["in", "map"], true), (5, ["in", "map"], false), (9, ["in"], true), (10, [], true),
    ] as [(UInt8, [String], Bool)] {
      let packet = Frame.ipv4(17, Frame.udp(5001, 55), to: [203, 0, 113, last])
      #expect(
        try experiment.send(packet) == Experiment.Outcome(matched: matched, left: left), "\(last)")
    }
  }

  @Test func `kernel: a verdict ends the rule, but for continue`() throws {
    let experiment = try Experiment(
      """
      table ip t {
        map m { type inet_service : verdict; elements = { 56 : drop, 57 : continue }; }
        chain o { type filter hook output priority 0; policy accept;
          udp dport vmap @m counter meta mark set 1 comment "map"
          meta mark 1 counter comment "went on"
        }
      }
      """)
    #expect(try experiment.send(Self.udp(57)).matched == ["map", "went on"])
    #expect(
      try experiment.send(Self.udp(56)) == Experiment.Outcome(matched: ["map"], left: false))
    #expect(try experiment.send(Self.udp(58)).matched == [])
  }

  @Test func `kernel: an element added by a rule is there for the next rule`() throws {
    let experiment = try Experiment(
      """
      table ip t {
        set seen { type ipv4_addr; size 4; flags dynamic; }
        chain o { type filter hook output priority 0; policy accept;
          add @seen { ip daddr } comment "add"
          ip daddr @seen counter comment "seen"
        }
      }
      """)
    #expect(try experiment.send(Self.udp(55)).matched == ["add", "seen"])
  }
}
