import KernelTrials
import TestSupport
import Testing

/// What a load finds in odd packets.
@Suite(.serialized, .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct LoadExperimentTests {
  @Test func `kernel: a short load reads a later IPv4 fragment as a header, a long one does not`()
    throws
  {
    let experiment = try Experiment(
      """
      table ip t {
        chain o { type filter hook output priority 0; policy accept;
          meta l4proto udp counter comment "udp"
          udp dport 53 counter comment "dport 53"
          udp dport != 53 counter comment "dport not 53"
          @th,0,64 != 0 counter comment "8 bytes"
          ip frag-off & 0x1fff != 0 counter comment "later fragment"
        }
      }
      """)
    let fragment = Frame.ipv4(17, Frame.udp(1, 53), fragment: 5)
    #expect(
      try experiment.send(fragment)
        == Experiment.Outcome(matched: ["udp", "dport 53", "later fragment"], left: true))
  }

  @Test func `kernel: a short load takes a later IPv6 fragment's flow label for its port`() throws {
    let experiment = try Experiment(
      """
      table ip6 t {
        chain o { type filter hook output priority 0; policy accept;
          meta l4proto udp counter comment "udp"
          meta l4proto 44 counter comment "fragment"
          udp dport 53 counter comment "dport 53"
          udp dport 443 counter comment "dport 443"
          @th,0,64 != 0 counter comment "8 bytes"
          exthdr frag exists counter comment "fragment header"
          ip6 nexthdr 44 counter comment "first header"
        }
      }
      """)
    let fragment = Frame.ipv6(44, [17, 0, 0, 8, 0, 0, 0, 7] + Frame.udp(1, 443), flowLabel: 53)
    #expect(
      try experiment.send(fragment)
        == Experiment.Outcome(
          matched: ["udp", "dport 53", "fragment header", "first header"], left: true))
  }

  @Test func `kernel: what is not there breaks the rule, negated or not, catch-all or not`() throws
  {
    let experiment = try Experiment(
      """
      table ip t {
        chain o { type filter hook output priority 0; policy accept;
          meta l4proto tcp counter comment "tcp"
          tcp dport 443 counter comment "equal"
          tcp dport != 443 counter comment "not equal"
          tcp flags != syn counter comment "flags"
          tcp dport != { 443 } counter comment "not in the set"
          tcp dport vmap { 443 : continue, * : continue } counter comment "catch-all"
          iif 0 counter comment "iif 0"
          iifname != "foo" counter comment "iifname"
          iiftype != 1 counter comment "iiftype"
          iifgroup != 0 counter comment "iifgroup"
          tcp option maxseg missing counter comment "no option"
        }
      }
      """)
    #expect(
      try experiment.send(Frame.ipv4(6, [1]))
        == Experiment.Outcome(matched: ["tcp", "iif 0", "iifname", "no option"], left: true))
  }

  @Test func `kernel: extension headers hide the protocol from ip6 nexthdr, not from l4proto`()
    throws
  {
    let experiment = try Experiment(
      """
      table ip6 t {
        chain o { type filter hook output priority 0; policy accept;
          meta l4proto udp counter comment "udp"
          ip6 nexthdr udp counter comment "first udp"
          udp dport 53 counter comment "dport 53"
          meta l4proto 51 counter comment "ah"
          meta l4proto 59 counter comment "none"
          exthdr dst exists counter comment "destination options"
        }
      }
      """)
    let options: [UInt8] = [17, 0, 1, 4, 0, 0, 0, 0]
    #expect(
      try experiment.send(Frame.ipv6(60, options + Frame.udp(1, 53))).matched
        == ["udp", "dport 53", "destination options"])
    let authentication: [UInt8] = [17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    #expect(
      try experiment.send(Frame.ipv6(51, authentication + Frame.udp(1, 53))).matched == ["ah"])
    #expect(try experiment.send(Frame.ipv6(59, [])).matched == ["none"])
  }

  @Test func `kernel: iiftype is the type of the device that the packet is on`() throws {
    let experiment = try Experiment(
      """
      table inet t {
        chain o { type filter hook output priority 0; policy accept;
          meta iiftype ether counter comment "output iiftype"
        }
        chain p { type filter hook postrouting priority 0; policy accept;
          meta iiftype ether counter comment "postrouting iiftype"
          iif 0 counter comment "postrouting iif"
        }
      }
      """)
    #expect(
      try experiment.send(Frame.ipv4(17, Frame.udp(1, 53))).matched
        == ["postrouting iiftype", "postrouting iif"])
  }

  @Test func `kernel: at egress a later IPv6 fragment's port is read from the link-layer header`()
    throws
  {
    let experiment = try Experiment(
      """
      table netdev t {
        chain e { type filter hook egress device "eth0" priority 0; policy accept;
          @th,0,16 0x0200 counter comment "the link-layer header"
          meta length 69 counter comment "counted with it"
          meta l4proto udp counter comment "udp"
        }
      }
      """)
    let fragment = Frame.ipv6(44, [17, 0, 0, 8, 0, 0, 0, 7] + Frame.udp(1, 443, [1, 2, 3]))
    let packet = Array(fragment.prefix(40 + 8 + 7))
    var shortened = packet
    shortened[5] = 15
    #expect(
      try experiment.send(shortened).matched
        == ["the link-layer header", "counted with it", "udp"])
  }
}
