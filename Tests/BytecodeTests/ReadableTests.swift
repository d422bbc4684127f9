import Bytecode
import Testing

@Suite struct ReadableTests {
  static let table: Table = {
    var table = Table(family: .ip, name: "t")
    table.sets = [
      NamedSet(
        name: "__set0", flags: [.anonymous, .constant], key: [.inetService],
        content: .elements([SetElement(key: [0, 80]), SetElement(key: [1, 187])])),
      NamedSet(
        name: "seen", flags: [.evaluated, .timeout], key: [.ipv4Address], content: .elements([])),
    ]
    return table
  }()

  /// Lines of a rule's listing, and the rule in words.
  static let cases: [(lines: [String], words: String)] = [
    (
      [
        "meta load skuid => reg 1", "cmp eq reg 1 0x000003e8",
        "payload load 1b @ network header + 9 => reg 1", "cmp eq reg 1 0x00000006",
        "payload load 2b @ transport header + 2 => reg 1", "lookup reg 1 set __set0 0x0",
        "immediate reg 0 accept",
      ], "meta skuid 1000 ip protocol tcp tcp dport { 80, 443 } accept"
    ),
    (
      ["xfrm load in 0 spi => reg 1", "cmp eq reg 1 0x05000000", "immediate reg 0 drop"],
      "[ xfrm load in 0 spi => reg 1 ] [ cmp eq reg 1 0x05000000 ] drop"
    ),
    (
      ["payload load 4b @ network header + 12 => reg 1", "frob ?? 2:0102", "immediate reg 0 drop"],
      "[ payload load 4b @ network header + 12 => reg 1 ] [ frob ?? 2:0102 ] drop"
    ),
    (["reject type 7 code 3"], "[ reject type 7 code 3 ]"),
    (["reject type 2 code 3"], "reject with icmpx type 3"),
    (
      ["payload load 4b @ network header + 12 => reg 1"],
      "[ payload load 4b @ network header + 12 => reg 1 ]"
    ),
    (
      ["ct load dst => reg 1 , dir original", "cmp eq reg 1 0x04030201", "counter pkts 1 bytes 2"],
      "ct original daddr 1.2.3.4 counter packets 1 bytes 2"
    ),
    (
      ["fib saddr . iif oif => reg 1", "cmp eq reg 1 0x00000000", "immediate reg 0 drop"],
      "fib saddr . iif oif 0 drop"
    ),
    (
      [
        "immediate reg 1 0x0100000a", "immediate reg 2 0x0000901f",
        "nat dnat ip addr_min reg 1 addr_max reg 1 proto_min reg 2 proto_max reg 2 flags 0x3",
      ], "dnat to 10.0.0.1 port 8080"
    ),
    (["masq flags 0x14"], "masquerade random,fully-random"),
    (
      ["limit rate 5/minute burst 10 type packets flags 0x1", "log prefix a b level 6"],
      "limit rate over 5/minute burst 10 packets log prefix \"a b\" level info"
    ),
    (
      ["quota bytes 100 consumed 7 flags 1", "connlimit count 9 flags 1", "notrack"],
      "quota over 100 bytes used 7 bytes ct count over 9 notrack"
    ),
    (
      [
        "payload load 4b @ network header + 12 => reg 1",
        "dynset update reg_key 1 set seen timeout 10ms expr [ counter pkts 0 bytes 0 ]",
      ], "update @seen { ip saddr timeout 10ms counter }"
    ),
    (["immediate reg 1 0x00000005", "meta set priority with reg 1"], "meta priority set 0x5"),
    (["ct load mark => reg 1", "meta set mark with reg 1"], "meta mark set ct mark"),
    (
      ["socket load cgroupv2 level 1 => reg 1", "cmp eq reg 1 0x00000007 0x00000000"],
      "socket cgroupv2 level 1 7"
    ),
    (
      [
        "meta load mark => reg 1", "bitwise reg 1 = ( reg 1 & 0xffffffef ) ^ 0x00000010",
        "meta set mark with reg 1",
      ], "meta mark set meta mark & 0xffffffef ^ 0x10"
    ),
    (
      [
        "payload load 1b @ network header + 9 => reg 1", "cmp eq reg 1 0x00000006",
        "immediate reg 1 0x00005a00",
        "payload write reg 1 => 2b @ transport header + 2 csum_type 1 csum_off 16 csum_flags 0x0",
      ], "ip protocol tcp tcp dport set 90"
    ),
    (["queue num 1-4 bypass"], "queue flags bypass to 1-4"),
    (
      ["match name recent rev 1 info 8:01", "target name TRACE rev 0 info 0:"],
      "[ match name recent rev 1 info 8:01 ] xt TRACE"
    ),
    (["match name comment rev 0 info 256:6869"], "/* hi */"),
    (
      ["match name owner rev 1 info 24:e8030000d0070000000000000000000001"],
      "xt owner uid 1000-2000"
    ),
    (["match name conntrack rev 9 info 8:01"], "[ match name conntrack rev 9 info 8:01 ]"),
    (
      ["inner type 1 hdrsize 8 flags f [ meta load l4proto => reg 1 ]"],
      "[ inner type 1 hdrsize 8 flags f [ meta load l4proto => reg 1 ] ]"
    ),
  ]

  @Test(arguments: cases.indices)
  func `a rule is one line of words, and of listings where there are none`(index: Int) throws {
    let item = Self.cases[index]
    let text = "ip t c\n" + item.lines.map { "  [ \($0) ]\n" }.joined()
    let rule = try Ruleset(bytecodeListing: text).tables[0].chains[0].rules[0]
    #expect(rule.readable(in: Self.table) == item.words)
  }
}
