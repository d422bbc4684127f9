import Bytecode
import RulesetExamples
import Testing

@Suite struct BytecodeParserTests {
  /// One line for each expression that real listings rarely or, on this kernel, never have.
  static let lines = [
    "queue num 3", "queue num 1-4 bypass fanout", "queue sreg_qnum 1 bypass",
    "flow_offload flowtable f", "exthdr load dccp option 1b @ 2 + 0 present => reg 1",
    "exthdr load sctp chunk 1b @ 1 + 0 present => reg 1", "meta load ibrpvid => reg 1",
    "meta set broute with reg 1", "bitwise reg 1 = ( reg 2 | reg 9 )",
    "bitwise reg 1 = ( reg 2 & 0x000000ff )", "bitwise reg 1 = ( reg 1 ^ reg 2 )",
    "bitwise reg 1 = ( reg 1 << 0x00000002 )",
    "inner type 1 hdrsize 8 flags f [ meta load l4proto => reg 1 ]",
    "inner type 2 hdrsize 8 flags 8 [ payload load 2b @ tunnel header + 0 => reg 1 ]",
    "last never", "last 250", "tunnel load id => reg 1", "tunnel load path => reg 1 mode 2",
    "xfrm load out 1 daddr6 => reg 1", "osf dreg 1 ttl 2 flags 1",
    "synproxy mss 9 wscale 7 flags 15",
    "socket load cgroupv2 level 2 => reg 1", "limit rate 5/7s burst 0 type bytes flags 0x1",
    "dynset add reg_key 1 set s sreg_data 2 timeout 5ms inv expr [ counter pkts 0 bytes 0 ] expr [ last never ]",
    "log prefix a level 3 b  level 4 uid", "log prefix x group 5 snaplen 10 qthreshold 5",
    "log level 8", "match name comment rev 0 info 256:6869", "target name TRACE rev 0 info 0:",
    "xfrm ?? 1:01", "rule attribute 5 ?? 8:0001", "fwd sreg_dev 1 sreg_addr 2 nfproto 10",
    "tproxy port reg 1", "tproxy ip6 addr reg 1 port reg 2",
    "hash reg 1 = jhash(reg 2, 8, 0x5) % mod 10 offset 3", "hash reg 1 = symhash() % mod 4",
    "immediate reg 0 jump -> a/b", "objref sreg 1 set m", "rt load tcpmss => reg 1",
    "ct load src => reg 1 , dir original", "ct set zone with reg 1 , dir reply",
  ]

  @Test(arguments: lines)
  func `a line reads as an expression that is written as the line`(line: String) throws {
    let expression = try Expression(listing: line)
    #expect(expression.listing == line)
    if case .unknown = expression { #expect(line.contains("??")) }
  }

  @Test func `the listing of the example table reads as its rules`() throws {
    let table = EgressTable.ruleset.tables[0]
    let read = try Ruleset(bytecodeListing: EgressTable.ruleset.bytecodeListing()).tables[0]
    let expected = table.chains.filter { !$0.rules.isEmpty }
    #expect(read.chains.map(\.name) == expected.map(\.name))
    for (ours, theirs) in zip(read.chains, expected) {
      #expect(ours.rules.map(\.expressions) == theirs.rules.map(\.expressions))
    }
  }

  @Test(arguments: [
    ("inet t c\n  [ cmp eq reg 5 0x00000001 ]\n", 2, 16, "expected a register"),
    ("inet t c\n  [ frobnicate 1 ]\n", 2, 5, "no expression is called `frobnicate`"),
    ("inet t c\n  [ counter pkts 0 bytes 0 more ]\n", 2, 28, "expected the end of the expression"),
    ("inet t c\n  [ immediate reg 1 0x01 ]\n", 2, 21, "expected 1 to 16 words of 4 bytes"),
    ("inet t c\n  [ notrack\n", 2, 12, "expected ` ]`"),
    ("  [ notrack ]\n", 1, 1, "expected family, table and chain above"),
    ("inet t c\n  [ notrack ]\n\n  [ notrack ]\n", 4, 1, "expected family, table and chain above"),
    ("ipx t c\n", 1, 1, "expected a family"),
    ("inet t c five\n", 1, 10, "expected a number"),
    ("inet t @s\n", 1, 8, "elements of sets are written without their types; leave them out"),
    ("inet t c\n  [ match name x rev 0 ]\n", 2, 23, "expected `info`"),
    ("inet t c\n  [ match name x rev 0 info 1:0203 ]\n", 2, 29, "expected bytes as `4:0a0b`"),
    (
      "inet t c\n  [ dynset add reg_key 1 set s expr [ x ]\n", 2, 39,
      "expected an expression and `]`"
    ),
    (
      "inet t c\n  [ limit rate 5/fortnight burst 0 type packets flags 0x0 ]\n", 2, 16,
      "expected a rate"
    ),
    ("inet t c\n  [ log prefix a ]\n", 2, 16, "expected one of group, level"),
    ("inet t c\n  [ range eq reg 1 0x00000001 ]\n", 2, 30, "expected two values of one length"),
  ])
  func `what does not fit is an error with its place`(
    text: String, line: Int, column: Int, reason: String
  ) {
    let error = #expect(throws: BytecodeSyntaxError.self) { try Ruleset(bytecodeListing: text) }
    #expect(error == BytecodeSyntaxError(line: line, column: column, reason: reason))
  }

  @Test func `damaged listings are an error or a ruleset, never a trap`() throws {
    let text = Array(Self.lines.map { "inet t c\n  [ \($0) ]\n" }.joined(separator: "\n").utf8)
    for index in text.indices {
      for replacement in [UInt8(ascii: " "), UInt8(ascii: "9"), UInt8(ascii: "]"), 0xff] {
        var damaged = text
        damaged[index] = replacement
        _ = try? Ruleset(bytecodeListing: String(decoding: damaged, as: UTF8.self))
      }
    }
  }
}
