import Bytecode
import NetfilterLink
import TestSupport
import Testing

@testable import NetfilterLink

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct ExpressionKindTests {
  /// The kind of an expression; the switch does not compile when a kind is missing.
  static func kind(_ expression: Expression) -> String {
    switch expression {
    case .meta: "meta"
    case .metaSet: "metaSet"
    case .payload: "payload"
    case .payloadSet: "payloadSet"
    case .ct: "ct"
    case .ctSet: "ctSet"
    case .compare: "compare"
    case .range: "range"
    case .bitwise: "bitwise"
    case .shift: "shift"
    case .bitwiseOperation: "bitwiseOperation"
    case .byteorder: "byteorder"
    case .lookup: "lookup"
    case .dynamicSet: "dynamicSet"
    case .immediate: "immediate"
    case .counter: "counter"
    case .objectReference: "objectReference"
    case .objectMap: "objectMap"
    case .reject: "reject"
    case .extensionHeader: "extensionHeader"
    case .extensionHeaderSet: "extensionHeaderSet"
    case .extensionHeaderReset: "extensionHeaderReset"
    case .fib: "fib"
    case .nat: "nat"
    case .masquerade: "masquerade"
    case .redirect: "redirect"
    case .duplicate: "duplicate"
    case .forward: "forward"
    case .flowOffload: "flowOffload"
    case .hash: "hash"
    case .inner: "inner"
    case .last: "last"
    case .limit: "limit"
    case .log: "log"
    case .notrack: "notrack"
    case .numberGenerator: "numberGenerator"
    case .fingerprint: "fingerprint"
    case .queue: "queue"
    case .quota: "quota"
    case .connectionLimit: "connectionLimit"
    case .route: "route"
    case .socket: "socket"
    case .synproxy: "synproxy"
    case .transparentProxy: "transparentProxy"
    case .tunnel: "tunnel"
    case .transform: "transform"
    case .match: "match"
    case .target: "target"
    case .unknown: "unknown"
    }
  }

  private static let one = Register(word: 0)

  /// Expressions that the kernel takes and no program here writes, and what they must read as.
  static let raw: [(expression: RawExpression, value: Expression)] = [
    (
      // NFTA_INNER_NUM, TYPE VXLAN, FLAGS all, HDRSIZE; EXPR meta: DREG, KEY.
      RawExpression(
        name: "inner",
        data: RawExpression.number(1, 0) + RawExpression.number(2, 1) + RawExpression.number(3, 15)
          + RawExpression.number(4, 8)
          + RawExpression.attribute(
            5,
            RawExpression(
              name: "meta", data: RawExpression.number(1, 1) + RawExpression.number(2, 16)
            )
            .attributes)),
      .inner(
        Inner(
          type: 1, headerSizeBytes: 8, flags: 15, expression: .meta(MetaLoad(.l4proto, into: one))))
    ),
    (
      // NFTA_TUNNEL_KEY id, DREG.
      RawExpression(name: "tunnel", data: RawExpression.number(1, 1) + RawExpression.number(2, 1)),
      .tunnel(TunnelLoad(.id, into: one))
    ),
    (RawExpression(name: "last", data: []), .last(Last())),
  ]

  /// Expressions that this kernel was built without.
  static let absent: [(expression: RawExpression, value: Expression)] = [
    (
      // NFTA_QUEUE_NUM, TOTAL, FLAGS: two bytes each.
      RawExpression(
        name: "queue",
        data: RawExpression.attribute(1, [0, 7]) + RawExpression.attribute(2, [0, 3])
          + RawExpression.attribute(3, [0, 1])),
      .queue(Queue(number: 7, total: 3, flags: 1))
    ),
    (
      RawExpression(name: "queue", data: RawExpression.number(4, 1)),
      .queue(Queue(register: one))
    ),
    (
      RawExpression(name: "flow_offload", data: RawExpression.attribute(1, Array("f\0".utf8))),
      .flowOffload(FlowOffload("f"))
    ),
    (
      // NFTA_BITWISE_SREG, DREG, LEN, OP xor, SREG2.
      RawExpression(
        name: "bitwise",
        data: RawExpression.number(1, 1) + RawExpression.number(2, 1) + RawExpression.number(3, 4)
          + RawExpression.number(6, 5) + RawExpression.number(8, 2)),
      .bitwiseOperation(
        BitwiseOperation(
          .xor, source: one, operand: .register(Register(word: 4)), destination: one,
          lengthBytes: 4))
    ),
  ]

  @Test func `kernel: what only raw attributes can say reads as its fields`() throws {
    let rules = Self.raw.map { [$0.expression] }
    let read = try Kernel.inNamespace {
      var session = try Kernel.session()
      try RawExpression.load(rules, &session)
      return try #require(try session.readTable(family: .netdev, name: "raw")).chains[0].rules
    }
    #expect(read.map(\.expressions) == Self.raw.map { [$0.value] })
  }

  @Test func `attributes of expressions that this kernel lacks read as their fields`() {
    for (expression, value) in Self.absent { #expect(expression.read == value) }
  }

  @Test func `kernel: every kind of expression has been read from a kernel, but for three`() throws
  {
    var kinds = Set(Self.raw.map { Self.kind($0.value) })
    for table in try ForeignRuleset.loaded.get().ruleset.tables {
      kinds.formUnion(table.chains.flatMap(\.rules).flatMap(\.expressions).map(Self.kind))
    }
    // Those of iptables are read in `ExtensionValueTests`.
    kinds.formUnion(["match", "target"])
    let lacking = Set(Self.absent.map { Self.kind($0.value) })
    #expect(kinds.isDisjoint(with: lacking.union(["unknown"])))
    #expect(kinds.count + lacking.count == 48)
  }

  @Test func `an expression read from its own attributes is itself, and unknown with one more`()
    throws
  {
    var count = 0
    for table in try ForeignRuleset.loaded.get().ruleset.tables {
      for expression in table.chains.flatMap(\.rules).flatMap(\.expressions) {
        // libnftnl 1.2.4 ends the names of objects and maps here without the NUL that the kernel sends.
        if expression.name == "objref" { continue }
        guard let bytes = try? expression.handle(EncodingContext()).attributes() else { continue }
        let fields = try AttributeFields(bytes.span, 0..<bytes.count, last: 2)
        let data = fields[2].map { Array(bytes[$0]) } ?? []
        let raw = RawExpression(name: expression.name, data: data)
        #expect(raw.read == expression)
        let more = RawExpression(name: expression.name, data: data + RawExpression.number(60, 1))
        #expect(
          more.read == .unknown(name: expression.name, bytes: data + RawExpression.number(60, 1)))
        count += 1
      }
    }
    #expect(count > 600)
  }
}
