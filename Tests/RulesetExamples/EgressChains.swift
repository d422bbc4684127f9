import Bytecode
import NetworkTypes

extension EgressTable {
  static func rule(_ parts: [Expression]..., clause: String? = nil) -> Rule {
    let place = SourceLocation(file: "policy.yaml", line: 31, column: 5)
    return Rule(
      parts.flatMap { $0 }, provenance: clause.map { Provenance(clause: $0, location: place) })
  }

  static func deny(_ name: String) -> Chain {
    Chain(
      name: "g1/deny/\(name)",
      rules: [
        rule([.objectReference(.counter(name))], clause: name),
        rule(.transport(6), [.reject(.tcpReset)], clause: name),
        rule([.reject(.adminProhibited)], clause: name),
      ])
  }

  static var entry: [Chain] {
    let dispatchKey: [Expression] = [
      .meta(MetaLoad(.nfproto, into: Register(word: 0))),
      .ct(ConntrackLoad(.state, into: Register(word: 1))),
      .meta(MetaLoad(.l4proto, into: Register(word: 2))),
    ]
    return [
      Chain(
        name: "g1/out", comment: "policy example 0123456789abcdef",
        rules: [
          rule(dispatchKey, .vmap("g1/dispatch-out")),
          rule(.ctState(8), .goto("g1/deny/shape"), clause: "protocols"),
          rule(
            .ipv4, .load(.network, 6, 2), .mask([0x3f, 0xff]), .compare(.notEqual, [0, 0]),
            .goto("g1/deny/shape"), clause: "fragment"),
          rule(.extensionHeader(44), .goto("g1/deny/shape"), clause: "fragment"),
          rule(.goto("g1/deny/shape"), clause: "no-flow"),
        ]),
      Chain(
        name: "g1/in",
        rules: [rule(.ctState(2), .accept), rule(.drop)]),
      Chain(
        name: "g1/established6",
        rules: [
          rule(.ipv6, .load(.network, 6, 1), .isIn("__set0"), .accept),
          rule(.extensionHeader(43), .goto("g1/deny/shape"), clause: "routing-header"),
          rule(.accept),
        ]),
      Chain(
        name: "g1/control6",
        rules: [
          rule(
            .ipv6, .transport(58), .load(.transport, 0, 1), .isIn("__set1"),
            .load(.network, 7, 1), .compare(.equal, [255]), .accept, clause: "link-control"),
          rule(
            .ipv6, .transport(58), .load(.transport, 0, 1), .compare(.equal, [143]),
            .load(.network, 7, 1), .compare(.equal, [1]), .load(.network, 24, 2),
            .compare(.equal, [0xff, 2]), .accept, clause: "link-control"),
        ]),
    ]
  }

  static var newFlows: [Chain] {
    [
      Chain(
        name: "g1/new-tcp4",
        rules: [
          rule(
            .transport(6), .load(.transport, 13, 1), .mask([0x17]), .compare(.equal, [2]),
            .goto("g1/new4")),
          rule(.goto("g1/deny/shape"), clause: "no-flow"),
        ]),
      Chain(
        name: "g1/new4",
        rules: [
          rule(
            .load(.transport, 0, 2), .compare(.greaterOrEqual, [0x80, 0]),
            .compare(.lessOrEqual, [0xee, 0x47]), .ipv4, .load(.network, 16, 4),
            .vmap("g1/destination4")),
          rule(.goto("g1/deny/shape"), clause: "bind"),
        ]),
      Chain(
        name: "g1/new6",
        rules: [rule(.ipv6, .load(.network, 24, 16), .vmap("g1/destination6"))]),
      Chain(
        name: "g1/nat64",
        rules: [
          rule(
            .load(.network, 36, 4), .isIn("addresses/4/00112233445566ff"),
            .goto("g1/deny/private"), clause: "private"),
          rule(.accept),
        ]),
    ]
  }

  static var classes: [Chain] {
    [
      Chain(
        name: "g1/class/google-dns",
        rules: [
          rule(.load(.transport, 2, 2), .compare(.equal, [0, 53]), .accept),
          rule(.goto("g1/class/default")),
        ]),
      Chain(
        name: "g1/class/default",
        rules: [
          rule(.destinationType(3), .goto("g1/deny/broadcast"), clause: "broadcast"),
          rule(
            .ipv6, .load(.network, 32, 4), .mask([0xfd, 0xff, 0xff, 0xff]),
            .compare(.equal, [0, 0, 0x5e, 0xfe]), .load(.network, 36, 4),
            .isIn("addresses/4/00112233445566ff"), .goto("g1/deny/private")),
          rule(.load(.network, 16, 4), .isIn("addresses/4/00112233445566ff"), .drop),
          rule(
            .transport(6), .load(.transport, 2, 2), .isIn("__set2"), .ipv4,
            .load(.network, 16, 4), .isIn("g1/name4/smtp.gmail.com"), .accept),
          rule(.load(.transport, 2, 2), .vmap("__map0")),
          rule(.load(.transport, 2, 2), .vmap("__map1")),
          rule(.accept),
        ]),
    ]
  }

  static var generation: [Chain] {
    entry + newFlows + classes + ["broadcast", "private", "shape"].map(deny)
  }

  static var baseChains: [Chain] {
    [
      ("output", Hook.output, "generation/out"), ("forward", .forward, "generation/out"),
      ("input", .input, "generation/in"),
    ].map { name, hook, map in
      Chain(
        name: name, hook: HookBinding(hook: hook, priority: 0, policy: .drop),
        rules: [
          rule([.meta(MetaLoad(.nfproto, into: Register(word: 0)))], .vmap(map)),
          rule([.counter(Counter())], .drop),
        ])
    }
  }
}
