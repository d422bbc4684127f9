package import Bytecode
import NetworkTypes

/// A small egress table of the shape that the compiler makes, written by hand.
package enum EgressTable {
  /// The table alone in a ruleset.
  package static var ruleset: Ruleset { Ruleset(tables: [table]) }

  /// The table.
  package static var table: Table {
    Table(
      family: .inet, name: "weir", comment: "managed by weir", counters: counters,
      sets: sets, chains: generation + baseChains)
  }

  static let counters = ["broadcast", "default", "google", "private", "shape"].map {
    NamedCounter(name: $0, comment: "deny \($0) policy.yaml:31:5")
  }

  static var sets: [NamedSet] {
    let anonymous: SetFlags = [.anonymous, .constant]
    return [
      NamedSet(
        name: "generation/out", key: [.nfproto], isVerdictMap: true,
        content: .elements([.catchAll(.goto("g1/out"))])),
      NamedSet(
        name: "generation/in", key: [.nfproto], isVerdictMap: true,
        content: .elements([.catchAll(.goto("g1/in"))])),
      dispatch, destination4, destination6,
      NamedSet(
        name: "addresses/4/00112233445566ff", flags: .interval, key: [.integer],
        typeof: PayloadLoad(
          .network, offsetBytes: 16, lengthBytes: 4, into: Register(word: 0)),
        content: .ipv4(
          IntervalSet([Interval(0x0102_0304, 0x0102_0304), Interval(0x0a00_0000, 0x0aff_ffff)]))),
      NamedSet(
        name: "g1/name4/smtp.gmail.com", key: [.ipv4Address], isRuntimeState: true,
        content: .elements([.key([142, 251, 2, 109]), .key([142, 251, 2, 108])])),
      NamedSet(
        name: "g1/name6/smtp.gmail.com", key: [.ipv6Address], isRuntimeState: true,
        content: .elements([.key([0x2a, 0, 0x14, 0x50] + [UInt8](repeating: 0, count: 11) + [1])])),
      NamedSet(
        name: "__set0", flags: anonymous, key: [.inetProtocol],
        content: .elements([.key([6]), .key([17]), .key([58])])),
      NamedSet(
        name: "__set2", flags: anonymous, key: [.inetService],
        content: .elements([.key([2, 75]), .key([1, 209])])),
      NamedSet(
        name: "__map0", flags: anonymous, key: [.inetService], isVerdictMap: true,
        content: .elements([
          .key([0, 25], nil, .goto("g1/deny/shape")), .key([0, 21], nil, .goto("g1/deny/shape")),
        ])),
      NamedSet(
        name: "__map1", flags: anonymous.union(.interval), key: [.inetService],
        isVerdictMap: true,
        content: .elements([
          .key([0, 100], [0, 200], .goto("g1/deny/shape")), .key([1, 44], nil, .accept),
        ])),
      NamedSet(
        name: "__set1", flags: anonymous, key: [.icmpv6Type],
        content: .elements([.key([133]), .key([136]), .key([135])])),
    ]
  }

  static var dispatch: NamedSet {
    NamedSet(
      name: "g1/dispatch-out", key: [.nfproto, .ctState, .inetProtocol], isVerdictMap: true,
      size: 16,
      content: .elements([
        .dispatch(2, .established, 6, .accept),
        .dispatch(10, .established, 6, .goto("g1/established6")),
        .dispatch(2, .established, 17, .accept),
        .dispatch(2, .new, 6, .goto("g1/new-tcp4")),
        .dispatch(2, .new, 17, .goto("g1/new4")),
        .dispatch(10, .new, 17, .goto("g1/new6")),
        .dispatch(10, .untracked, 58, .goto("g1/control6")),
      ]))
  }

  static var destination4: NamedSet {
    NamedSet(
      name: "g1/destination4", flags: .interval, key: [.ipv4Address], isVerdictMap: true,
      comment: "where new IPv4 flows go",
      content: .elements([
        .key([8, 8, 8, 8], nil, .goto("g1/class/google-dns")),
        .key([10, 0, 0, 0], [10, 255, 255, 255], .goto("g1/deny/private")),
        .key([192, 168, 0, 5], [192, 168, 0, 77], .goto("g1/deny/private")),
        .catchAll(.goto("g1/class/default"), comment: "everything else"),
      ]))
  }

  static var destination6: NamedSet {
    let zeros = [UInt8](repeating: 0, count: 12)
    return NamedSet(
      name: "g1/destination6", flags: .interval, key: [.ipv6Address], isVerdictMap: true,
      content: .elements([
        .key(
          [0xfc] + [UInt8](repeating: 0, count: 15), [0xfd] + [UInt8](repeating: 255, count: 15),
          .goto("g1/deny/private")),
        .key(
          [0, 0x64, 0xff, 0x9b] + zeros,
          [0, 0x64, 0xff, 0x9b] + zeros.dropLast(4)
            + [255, 255, 255, 255], .goto("g1/nat64")),
        .catchAll(.goto("g1/class/default")),
      ]))
  }
}
