import Bytecode

/// A rule of iptables and what its matches and its target must read as.
struct ExtensionCase: Sendable {
  var table: String
  var rule: String
  var matches: [MatchValue]
  var target: TargetValue?

  init(
    _ rule: String, _ matches: MatchValue..., target: TargetValue? = nil, table: String = "filter"
  ) {
    self.rule = rule
    self.matches = matches
    self.target = target
    self.table = table
  }

  /// The input of `iptables-restore` that makes one rule a case, in order.
  static func saveFile(_ cases: [ExtensionCase]) -> String {
    var text = ""
    for table in ["filter", "mangle", "raw", "nat"] {
      let rules = cases.filter { $0.table == table }.map { "-A \($0.rule)\n" }
      if !rules.isEmpty { text += "*\(table)\n\(rules.joined())COMMIT\n" }
    }
    return text
  }
}

/// Short spellings.
private func v4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> [UInt8] { [a, b, c, d] }
private func v6(_ first: UInt8, _ second: UInt8, _ last: UInt8) -> [UInt8] {
  [first, second] + [UInt8](repeating: 0, count: 13) + [last]
}
private let exact4 = v4(255, 255, 255, 255)

extension ExtensionCase {
  /// Rules of IPv4.
  ///
  /// They need the sets `bl` and `pp` of ipset, in that order.
  static let ipv4: [ExtensionCase] =
    conntrack + ports + identities + addresses + numbers
    + answers + marks + untracked + translations

  private static let conntrack: [ExtensionCase] = [
    ExtensionCase("OUTPUT -m comment --comment \"hello world\" -j ACCEPT", .comment("hello world")),
    ExtensionCase(
      "OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
      .conntrack(ConntrackMatch(states: 2 | 4))),
    ExtensionCase(
      "OUTPUT -m conntrack ! --ctstate INVALID,UNTRACKED -j ACCEPT",
      .conntrack(ConntrackMatch(states: 1 | 64, inverted: .states))),
    ExtensionCase(
      "OUTPUT -m conntrack --ctstate SNAT,DNAT --ctproto tcp --ctorigsrc 10.0.0.0/8 "
        + "! --ctorigdst 1.2.3.4 --ctreplsrc 5.6.7.8 --ctrepldst 9.9.9.9 --ctorigsrcport 1:2 "
        + "--ctorigdstport 80 --ctreplsrcport 443 ! --ctrepldstport 22 "
        + "--ctstatus ASSURED,CONFIRMED --ctexpire 10:20 --ctdir REPLY -j DROP",
      .conntrack(
        ConntrackMatch(
          states: 128 | 256, protocolNumber: 6,
          originalSource: MaskedAddress(v4(10, 0, 0, 0), mask: v4(255, 0, 0, 0)),
          originalDestination: MaskedAddress(v4(1, 2, 3, 4), mask: exact4),
          replySource: MaskedAddress(v4(5, 6, 7, 8), mask: exact4),
          replyDestination: MaskedAddress(v4(9, 9, 9, 9), mask: exact4),
          originalSourcePorts: 1...2, originalDestinationPorts: 80...80,
          replySourcePorts: 443...443, replyDestinationPorts: 22...22, status: 4 | 8,
          expirySeconds: 10...20, isReply: true,
          inverted: [.originalDestination, .replyDestinationPorts]))),
    ExtensionCase(
      "OUTPUT -m conntrack --ctdir ORIGINAL -j DROP", .conntrack(ConntrackMatch(isReply: false))),
    ExtensionCase(
      "OUTPUT -m state --state NEW,INVALID -j DROP", .conntrack(ConntrackMatch(states: 8 | 1))),
  ]

  private static let ports: [ExtensionCase] = [
    ExtensionCase(
      "OUTPUT -p tcp -m multiport --dports 22,80:90,443 -j ACCEPT",
      .multiport(MultiportMatch(end: .destination, ports: [22...22, 80...90, 443...443]))),
    ExtensionCase(
      "OUTPUT -p udp -m multiport ! --sports 53,123 -j DROP",
      .multiport(MultiportMatch(end: .source, ports: [53...53, 123...123], isInverted: true))),
    ExtensionCase(
      "OUTPUT -p tcp -m multiport --ports 1,2 -j DROP",
      .multiport(MultiportMatch(end: .either, ports: [1...1, 2...2]))),
    ExtensionCase(
      "OUTPUT -p tcp -m tcp --sport 7 ! --dport 8:9 ! --tcp-option 5 --tcp-flags SYN,ACK SYN -j DROP",
      .tcp(
        TransportMatch(
          sourcePorts: 7...7, destinationPorts: 8...9, isDestinationInverted: true, option: 5,
          isOptionInverted: true, flagMask: 18, flags: 2))),
    ExtensionCase(
      "OUTPUT -p icmp -m icmp --icmp-type echo-request -j ACCEPT",
      .icmp(ICMPMatch(type: 8, codes: 0...255))),
    ExtensionCase(
      "OUTPUT -p icmp -m icmp ! --icmp-type 3/4 -j ACCEPT",
      .icmp(ICMPMatch(type: 3, codes: 4...4, isInverted: true))),
    ExtensionCase(
      "OUTPUT -p icmp -m icmp --icmp-type any -j ACCEPT",
      .icmp(ICMPMatch(type: 255, codes: 0...255))),
  ]

  private static let identities: [ExtensionCase] = [
    ExtensionCase(
      "OUTPUT -m owner --uid-owner 1000 -j ACCEPT", .owner(OwnerMatch(users: 1000...1000))),
    ExtensionCase(
      "OUTPUT -m owner ! --uid-owner 1000-2000 --gid-owner 5 --suppl-groups -j ACCEPT",
      .owner(
        OwnerMatch(
          users: 1000...2000, areUsersInverted: true, groups: 5...5, includesSupplementary: true))),
    ExtensionCase(
      "OUTPUT -m owner --socket-exists -j ACCEPT", .owner(OwnerMatch(socketExists: true))),
    ExtensionCase(
      "OUTPUT -m owner ! --socket-exists -j ACCEPT", .owner(OwnerMatch(socketExists: false))),
    ExtensionCase(
      "OUTPUT -m connmark --mark 0x7/0xf7 -j ACCEPT", .connmark(MaskedMark(7, mask: 0xf7))),
    ExtensionCase(
      "OUTPUT -m connmark ! --mark 0x7 -j ACCEPT",
      .connmark(MaskedMark(7, mask: .max, isInverted: true))),
    ExtensionCase(
      "OUTPUT -m set --match-set bl dst -j DROP",
      .addressSet(AddressSetMatch(index: 0, dimensions: 1, sources: 0))),
    ExtensionCase(
      "OUTPUT -m set ! --match-set pp dst,src --packets-gt 5 -j DROP",
      .addressSet(
        AddressSetMatch(
          index: 1, dimensions: 2, sources: 4, isInverted: true,
          counters: [CounterCondition(isBytes: false, operation: 4, value: 5)]))),
    ExtensionCase(
      "OUTPUT -m cgroup --cgroup 5 -j DROP", .cgroup(.classID(5, isInverted: false))),
    ExtensionCase("OUTPUT -m cgroup ! --path \"/\" -j DROP", .cgroup(.path("/", isInverted: true))),
  ]

  private static let addresses: [ExtensionCase] = [
    ExtensionCase(
      "OUTPUT -m addrtype --dst-type LOCAL,BROADCAST -j ACCEPT",
      .addressType(AddressTypeMatch(destination: 4 | 8))),
    ExtensionCase(
      "OUTPUT -m addrtype ! --src-type UNICAST --dst-type MULTICAST --limit-iface-out -j ACCEPT",
      .addressType(
        AddressTypeMatch(
          source: 2, isSourceInverted: true, destination: 32, limitsToOutput: true))),
    ExtensionCase(
      "OUTPUT -m iprange --src-range 10.0.0.1-10.0.0.9 ! --dst-range 1.1.1.1-2.2.2.2 -j ACCEPT",
      .addressRange(
        AddressRangeMatch(
          source: AddressRange(v4(10, 0, 0, 1), v4(10, 0, 0, 9)),
          destination: AddressRange(v4(1, 1, 1, 1), v4(2, 2, 2, 2)), isDestinationInverted: true))),
    ExtensionCase(
      "INPUT -m mac --mac-source 00:11:22:33:44:55 -j ACCEPT",
      .hardwareAddress(HardwareAddressMatch(address: [0, 0x11, 0x22, 0x33, 0x44, 0x55]))),
    ExtensionCase(
      "INPUT -m mac ! --mac-source 00:11:22:33:44:66 -j ACCEPT",
      .hardwareAddress(
        HardwareAddressMatch(address: [0, 0x11, 0x22, 0x33, 0x44, 0x66], isInverted: true))),
    ExtensionCase(
      "FORWARD -m physdev --physdev-in eth0 ! --physdev-out br+ --physdev-is-bridged -j ACCEPT",
      .bridgePort(
        BridgePortMatch(
          input: Array("eth0".utf8) + [UInt8](repeating: 0, count: 12),
          inputMask: [UInt8](repeating: 255, count: 5) + [UInt8](repeating: 0, count: 11),
          output: Array("br+".utf8) + [UInt8](repeating: 0, count: 13),
          outputMask: [255, 255] + [UInt8](repeating: 0, count: 14), asked: 1 | 2 | 4,
          inverted: 2))),
    ExtensionCase(
      "INPUT -m devgroup --src-group 0x5/0xff -j DROP",
      .deviceGroup(DeviceGroupMatch(input: MaskedMark(5, mask: 255)))),
    ExtensionCase(
      "OUTPUT -m devgroup ! --dst-group 1 -j DROP",
      .deviceGroup(DeviceGroupMatch(output: MaskedMark(1, mask: .max, isInverted: true)))),
  ]

  private static let numbers: [ExtensionCase] = [
    ExtensionCase(
      "OUTPUT -m length --length 100:200 -j ACCEPT", .length(100...200, isInverted: false)),
    ExtensionCase(
      "OUTPUT -m length ! --length 1500 -j ACCEPT", .length(1500...1500, isInverted: true)),
    ExtensionCase(
      "OUTPUT -m pkttype --pkt-type broadcast -j DROP", .packetType(1, isInverted: false)),
    ExtensionCase(
      "OUTPUT -m pkttype ! --pkt-type unicast -j DROP", .packetType(0, isInverted: true)),
    ExtensionCase("OUTPUT -m ttl --ttl-lt 5 -j DROP", .hopLimit(5, comparison: 2)),
    ExtensionCase("OUTPUT -m ttl --ttl-gt 6 -j DROP", .hopLimit(6, comparison: 3)),
    ExtensionCase("OUTPUT -m ttl ! --ttl-eq 7 -j DROP", .hopLimit(7, comparison: 1)),
    ExtensionCase(
      "OUTPUT -m statistic --mode random --probability 0.5 -j DROP",
      .random(probability: 0x4000_0000, isInverted: false)),
    ExtensionCase(
      "OUTPUT -m statistic --mode nth --every 3 --packet 1 -j DROP",
      .everyNth(every: 3, packet: 1, isInverted: false)),
    ExtensionCase(
      "OUTPUT -m statistic --mode nth ! --every 4 --packet 0 -j DROP",
      .everyNth(every: 4, packet: 0, isInverted: true)),
  ]

  private static let answers: [ExtensionCase] = [
    ExtensionCase("OUTPUT -j REJECT", target: .reject(.icmp(type: 3, code: 3))),
    ExtensionCase(
      "OUTPUT -j REJECT --reject-with icmp-net-unreachable",
      target: .reject(.icmp(type: 3, code: 0))),
    ExtensionCase(
      "OUTPUT -j REJECT --reject-with icmp-host-prohibited",
      target: .reject(.icmp(type: 3, code: 10))),
    ExtensionCase(
      "OUTPUT -j REJECT --reject-with icmp-net-prohibited",
      target: .reject(.icmp(type: 3, code: 9))),
    ExtensionCase(
      "OUTPUT -j REJECT --reject-with icmp-admin-prohibited",
      target: .reject(.icmp(type: 3, code: 13))),
    ExtensionCase(
      "OUTPUT -p tcp -j REJECT --reject-with tcp-reset", target: .reject(.tcpReset)),
    ExtensionCase(
      "OUTPUT -j LOG --log-prefix \"[UFW BLOCK] \" --log-level 6 --log-uid --log-ip-options",
      target: .log(level: 6, flags: 8 | 4, prefix: "[UFW BLOCK] ")),
    ExtensionCase(
      "OUTPUT -j NFQUEUE --queue-balance 1:4 --queue-bypass --queue-cpu-fanout",
      target: .queue(number: 1, total: 4, flags: 3)),
    ExtensionCase("OUTPUT -j NFQUEUE --queue-num 3", target: .queue(number: 3, total: 1, flags: 0)),
  ]

  private static let marks: [ExtensionCase] = [
    ExtensionCase(
      "OUTPUT -j MARK --set-xmark 0x5/0xff", target: .mark(value: 5, mask: 255), table: "mangle"),
    ExtensionCase(
      "OUTPUT -j MARK --and-mark 0xf", target: .mark(value: 0, mask: 0xffff_fff0),
      table: "mangle"),
    ExtensionCase(
      "OUTPUT -j CONNMARK --save-mark",
      target: .connmark(ConnmarkTarget(mode: 1, value: 0, flowMask: .max, packetMask: .max)),
      table: "mangle"),
    ExtensionCase(
      "OUTPUT -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xf0",
      target: .connmark(ConnmarkTarget(mode: 2, value: 0, flowMask: 0xf0, packetMask: 0xff)),
      table: "mangle"),
    ExtensionCase(
      "OUTPUT -j CONNMARK --set-xmark 0x5/0xff",
      target: .connmark(ConnmarkTarget(mode: 0, value: 5, flowMask: 255, packetMask: .max)),
      table: "mangle"),
    ExtensionCase(
      "OUTPUT -j CLASSIFY --set-class 1:5", target: .classify(priority: 0x10005), table: "mangle"),
    ExtensionCase(
      "POSTROUTING -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
      target: .tcpMSS(nil), table: "mangle"),
    ExtensionCase(
      "POSTROUTING -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1200",
      target: .tcpMSS(1200), table: "mangle"),
    ExtensionCase(
      "POSTROUTING -p udp -j CHECKSUM --checksum-fill", target: .checksum, table: "mangle"),
  ]

  private static let untracked: [ExtensionCase] = [
    ExtensionCase(
      "OUTPUT -j CT --notrack", target: .ct(ConntrackTarget(isNotrack: true)), table: "raw"),
    ExtensionCase(
      "OUTPUT -j CT --zone 5", target: .ct(ConntrackTarget(isNotrack: false, zone: 5)),
      table: "raw"),
    ExtensionCase(
      "OUTPUT -j CT --zone-orig mark",
      target: .ct(ConntrackTarget(isNotrack: false, zoneFlags: 16 | 4)), table: "raw"),
    ExtensionCase(
      "OUTPUT -p tcp --dport 21 -j CT --helper ftp",
      target: .ct(ConntrackTarget(isNotrack: false, helper: "ftp")), table: "raw"),
  ]

  private static let translations: [ExtensionCase] = [
    nat(
      "PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:8080",
      .destinationNAT(
        TranslationTarget(addresses: one(v4(10, 0, 0, 1)), ports: 8080...8080))),
    nat(
      "PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:1000-2000 --random --persistent",
      .destinationNAT(
        TranslationTarget(
          addresses: AddressRange(v4(10, 0, 0, 1), v4(10, 0, 0, 9)), ports: 1000...2000,
          flags: [.random, .persistent]))),
    nat(
      "PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:1000-2000/500",
      .destinationNAT(
        TranslationTarget(addresses: one(v4(10, 0, 0, 1)), ports: 1000...2000, basePort: 500))),
    nat(
      "PREROUTING -p tcp -j DNAT --to-destination :99",
      .destinationNAT(TranslationTarget(ports: 99...99))),
    nat(
      "PREROUTING -p tcp -j REDIRECT --to-ports 8080-8090 --random",
      .redirect(TranslationTarget(ports: 8080...8090, flags: .random))),
    nat("PREROUTING -j REDIRECT", .redirect(TranslationTarget())),
    nat(
      "PREROUTING -d 10.1.0.0/16 -j NETMAP --to 10.2.0.0/16",
      .netmap(TranslationTarget(addresses: AddressRange(v4(10, 2, 0, 0), v4(10, 2, 255, 255))))),
    nat(
      "POSTROUTING -j SNAT --to-source 10.0.0.1",
      .sourceNAT(TranslationTarget(addresses: one(v4(10, 0, 0, 1))))),
    nat(
      "POSTROUTING -p tcp -j SNAT --to-source 10.0.0.1-10.0.0.3:1024-65535 --random-fully",
      .sourceNAT(
        TranslationTarget(
          addresses: AddressRange(v4(10, 0, 0, 1), v4(10, 0, 0, 3)), ports: 1024...65535,
          flags: .fullyRandom))),
    nat("POSTROUTING -j MASQUERADE", .masquerade(TranslationTarget())),
    nat(
      "POSTROUTING -p tcp -j MASQUERADE --to-ports 1000-2000 --random",
      .masquerade(TranslationTarget(ports: 1000...2000, flags: .random))),
    nat(
      "POSTROUTING -j MASQUERADE --random-fully",
      .masquerade(TranslationTarget(flags: .fullyRandom))),
  ]

  private static func nat(_ rule: String, _ target: TargetValue) -> ExtensionCase {
    ExtensionCase(rule, target: target, table: "nat")
  }

  private static func one(_ address: [UInt8]) -> AddressRange { AddressRange(address, address) }

  /// Rules of IPv6.
  static let ipv6: [ExtensionCase] = [
    ExtensionCase(
      "OUTPUT -m conntrack --ctorigsrc fe80::/10 --ctstate NEW -j ACCEPT",
      .conntrack(
        ConntrackMatch(
          states: 8,
          originalSource: MaskedAddress(v6(0xfe, 0x80, 0), mask: v6(0xff, 0xc0, 0))))),
    ExtensionCase(
      "OUTPUT -p icmpv6 -m icmp6 --icmpv6-type neighbour-solicitation -j ACCEPT",
      .icmpv6(ICMPMatch(type: 135, codes: 0...255))),
    ExtensionCase(
      "OUTPUT -p icmpv6 -m icmp6 ! --icmpv6-type 1/4 -j ACCEPT",
      .icmpv6(ICMPMatch(type: 1, codes: 4...4, isInverted: true))),
    ExtensionCase(
      "OUTPUT -m iprange --dst-range fe80::1-fe80::ff -j ACCEPT",
      .addressRange(
        AddressRangeMatch(destination: AddressRange(v6(0xfe, 0x80, 1), v6(0xfe, 0x80, 0xff))))),
    ExtensionCase("OUTPUT -m hl --hl-eq 255 -j ACCEPT", .hopLimit(255, comparison: 0)),
    ExtensionCase("OUTPUT -m hl --hl-lt 5 -j ACCEPT", .hopLimit(5, comparison: 2)),
    ExtensionCase("OUTPUT -m rt -j DROP", .routingHeader(isAny: true)),
    ExtensionCase("OUTPUT -m rt --rt-type 0 -j DROP", .routingHeader(isAny: false)),
    ExtensionCase(
      "OUTPUT -j REJECT --reject-with icmp6-adm-prohibited",
      target: .reject(.icmp(type: 1, code: 1))),
    ExtensionCase("OUTPUT -j REJECT", target: .reject(.icmp(type: 1, code: 4))),
    ExtensionCase(
      "OUTPUT -j REJECT --reject-with icmp6-reject-route", target: .reject(.icmp(type: 1, code: 6))),
    ExtensionCase("OUTPUT -p tcp -j REJECT --reject-with tcp-reset", target: .reject(.tcpReset)),
    ExtensionCase(
      "OUTPUT -j LOG --log-prefix \"six \"", target: .log(level: 4, flags: 0, prefix: "six ")),
    nat(
      "PREROUTING -p tcp -j DNAT --to-destination [fe80::1]:8080",
      .destinationNAT(
        TranslationTarget(addresses: one(v6(0xfe, 0x80, 1)), ports: 8080...8080))),
    nat(
      "PREROUTING -p tcp -j REDIRECT --to-ports 99",
      .redirect(TranslationTarget(ports: 99...99))),
    nat(
      "POSTROUTING -j SNAT --to-source fe80::1-fe80::9",
      .sourceNAT(
        TranslationTarget(addresses: AddressRange(v6(0xfe, 0x80, 1), v6(0xfe, 0x80, 9))))),
    nat("POSTROUTING -j MASQUERADE", .masquerade(TranslationTarget())),
    nat(
      "POSTROUTING -p tcp -j MASQUERADE --to-ports 5-6",
      .masquerade(TranslationTarget(ports: 5...6))
    ),
  ]
}
