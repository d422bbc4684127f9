import KernelTrials
import TestSupport
import Testing

/// Conntrack, address translation, routing, and the order in which they come.
@Suite(.serialized, .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct FlowExperimentTests {
  @Test func `kernel: a nat chain of priority 200 runs before a filter chain of 0`() throws {
    let experiment = try Experiment(
      """
      table ip n {
        chain o { type nat hook output priority 200; policy accept;
          ip daddr 203.0.113.1 udp dport 5353 dnat to 203.0.113.2:53 comment "dnat"
        }
      }
      table ip t {
        chain before { type filter hook output priority -150; policy accept;
          ip daddr 203.0.113.1 udp dport 5353 counter comment "before: old"
        }
        chain after { type filter hook output priority 0; policy accept;
          ip daddr 203.0.113.1 counter comment "after: old"
          ip daddr 203.0.113.2 udp dport 53 counter comment "after: new"
          ct original ip daddr 203.0.113.1 counter comment "original"
          ct reply ip saddr 203.0.113.2 counter comment "reply"
          ct status dnat counter comment "status"
        }
      }
      """)
    #expect(
      try experiment.send(Frame.ipv4(17, Frame.udp(4000, 5353)))
        == Experiment.Outcome(
          matched: ["before: old", "dnat", "after: new", "original", "reply", "status"],
          left: true))
  }

  @Test func `kernel: after a redirection the device is stale in output, fresh in postrouting`()
    throws
  {
    let experiment = try Experiment(
      """
      table ip t {
        chain n { type nat hook output priority -100; policy accept;
          udp dport 5353 redirect to :53 comment "redirect"
        }
        chain o { type filter hook output priority 0; policy accept;
          oifname "eth0" counter comment "output eth0"
          oifname "lo" counter comment "output lo"
        }
        chain p { type filter hook postrouting priority 0; policy accept;
          oifname "eth0" counter comment "postrouting eth0"
          oifname "lo" counter comment "postrouting lo"
        }
      }
      """)
    #expect(
      try experiment.send(Frame.ipv4(17, Frame.udp(4001, 5353)))
        == Experiment.Outcome(
          matched: ["redirect", "output eth0", "postrouting lo"], left: false))
  }

  @Test func `kernel: before -200 every packet is invalid, and notrack is neither new nor old`()
    throws
  {
    let experiment = try Experiment(
      """
      table ip t {
        chain raw { type filter hook output priority -300; policy accept;
          ct state invalid counter comment "raw invalid"
          ct mark != 5 counter comment "raw mark"
          udp dport 99 notrack comment "notrack"
        }
        chain n { type nat hook output priority 0; policy accept;
          udp dport 99 drop comment "nat"
        }
        chain o { type filter hook output priority 0; policy accept;
          ct state new counter comment "new"
          ct state untracked counter comment "untracked"
          ct state established,related,invalid counter comment "other"
          ct mark != 5 counter comment "mark"
        }
      }
      """)
    #expect(
      try experiment.send(Frame.ipv4(17, Frame.udp(4002, 98))).matched
        == ["raw invalid", "new", "mark"])
    #expect(
      try experiment.send(Frame.ipv4(17, Frame.udp(4003, 99)))
        == Experiment.Outcome(matched: ["raw invalid", "notrack", "untracked"], left: true))
  }

  @Test func `kernel: without a ct expression a nat chain's drop does nothing`() throws {
    let chain = """
      table ip n {
        chain o { type nat hook output priority -100; policy accept; drop comment "drop"; }
      }

      """
    let packet = Frame.ipv4(17, Frame.udp(4004, 53))
    #expect(
      try Experiment(chain).send(packet) == Experiment.Outcome(matched: [], left: true))
    let tracking = """
      table ip c {
        chain o { type filter hook output priority 0; policy accept; ct state new counter; }
      }
      """
    #expect(
      try Experiment(chain + tracking).send(packet)
        == Experiment.Outcome(matched: ["drop"], left: false))
  }

  @Test func `kernel: neighbour discovery is never tracked`() throws {
    let experiment = try Experiment(
      """
      table ip6 t {
        chain o { type filter hook output priority 0; policy accept;
          ct state untracked counter comment "untracked"
          ct state new counter comment "new"
        }
      }
      """)
    let solicitation: [UInt8] = [135, 0, 0, 0, 0, 0, 0, 0] + Frame.far6
    #expect(try experiment.send(Frame.ipv6(58, solicitation)).matched == ["untracked"])
    #expect(
      try experiment.send(Frame.ipv6(58, [128, 0, 0, 0, 0, 9, 0, 1])).matched == ["new"])
  }

  @Test func `kernel: a fragment past reassembly is invalid, its port is read all the same`() throws
  {
    let experiment = try Experiment(
      """
      table ip t {
        chain o { type filter hook output priority 0; policy accept;
          ct state invalid counter comment "invalid"
          udp dport 53 counter comment "dport 53"
        }
      }
      """)
    let later = Frame.ipv4(17, Frame.udp(1, 53), fragment: 185)
    #expect(
      try experiment.send(later, isExempt: true)
        == Experiment.Outcome(matched: ["invalid", "dport 53"], left: true))
    #expect(
      try experiment.send(later)
        == Experiment.Outcome(matched: [], left: false), "it waits for the rest")
  }

  @Test func `kernel: a whole fragment loses its header, one that cannot be whole passes`() throws {
    let experiment = try Experiment(
      """
      table ip6 t {
        chain o { type filter hook output priority 0; policy accept;
          ct state new counter comment "new"
          exthdr frag exists counter comment "fragment"
        }
      }
      """)
    let whole = Frame.ipv6(44, [17, 0, 0, 0, 0, 0, 0, 1] + Frame.udp(4005, 53))
    #expect(try experiment.send(whole) == Experiment.Outcome(matched: ["new"], left: true))
    // More to come, but 9 bytes are no multiple of 8.
    let odd = Frame.ipv6(44, [17, 0, 0, 1, 0, 0, 0, 2] + Frame.udp(4006, 53))
    #expect(
      try experiment.send(odd)
        == Experiment.Outcome(matched: ["new", "fragment"], left: true))
    let waiting = Frame.ipv6(
      44, [17, 0, 0, 1, 0, 0, 0, 3] + Frame.udp(4007, 53, [1, 2, 3, 4, 5, 6, 7, 8]))
    #expect(try experiment.send(waiting) == Experiment.Outcome(matched: [], left: false))
  }

  @Test(arguments: [[], [0]] as [[UInt8]])
  func `kernel: reassembly keeps no IPv6 fragment that is cut or uneven, or of payload length 0`(
    options: [UInt8]
  ) throws {
    let experiment = try Experiment(
      """
      table ip6 t {
        chain o { type filter hook output priority 0; policy accept;
          ct state new counter
          exthdr frag exists counter comment "fragment"
        }
      }
      """)
    // With hop-by-hop options before the fragment header, and without.
    func send(_ offset: [UInt8], _ bytes: Int, id: UInt8, payloadLength: UInt8? = nil) throws
      -> Experiment.Outcome
    {
      let udp = Frame.udp(4008, 53, Array(repeating: 0, count: 16)).prefix(bytes)
      let headers = options.flatMap { _ in [44, 0, 1, 4, 0, 0, 0, 0] as [UInt8] }
      var packet = Frame.ipv6(
        options.first ?? 44, headers + [17, 0] + offset + [0, 0, 0, id] + udp)
      if let payloadLength { packet[5] = payloadLength }
      return try experiment.send(packet)
    }
    let passes = Experiment.Outcome(matched: ["fragment"], left: true)
    let waits = Experiment.Outcome(matched: [], left: false)
    // First fragments of 6 bytes, whole and not, which have no UDP header.
    #expect(try send([0, 0], 6, id: 1) == passes)
    #expect(try send([0, 1], 6, id: 2) == passes)
    // Later ones, the last and not.
    #expect(try send([0, 40], 12, id: 3) == waits)
    #expect(try send([0, 41], 12, id: 4) == passes)
    #expect(try send([0, 41], 16, id: 5) == waits)
    // The header says that there is nothing, or a jumbogram: nothing is kept, nor stripped.
    #expect(try send([0, 41], 16, id: 6, payloadLength: 0) == passes)
    #expect(try send([0, 0], 24, id: 7, payloadLength: 0) == passes)
  }
}
