import Bytecode
import NetfilterLink

@testable import NetfilterLink

/// An expression as netlink carries it, for what nft 1.0.6 and libnftnl 1.2.4 cannot write.
struct RawExpression {
  var name: String
  /// The attributes inside `NFTA_EXPR_DATA`.
  var data: [UInt8]

  /// An attribute: length, type, payload, zeros up to 4 bytes.
  static func attribute(_ type: UInt16, _ payload: [UInt8]) -> [UInt8] {
    let length = UInt16(payload.count + 4)
    let padding = [UInt8](repeating: 0, count: (4 - payload.count % 4) % 4)
    return [UInt8(length & 0xff), UInt8(length >> 8), UInt8(type & 0xff), UInt8(type >> 8)]
      + payload + padding
  }

  /// An attribute with a number in network order.
  static func number(_ type: UInt16, _ value: UInt32) -> [UInt8] {
    attribute(
      type,
      [
        UInt8(value >> 24), UInt8(value >> 16 & 0xff), UInt8(value >> 8 & 0xff),
        UInt8(value & 0xff),
      ])
  }

  /// Name and data, as a list entry holds them.
  var attributes: [UInt8] {
    RawExpression.attribute(1, Array(name.utf8) + [0]) + RawExpression.attribute(2, data)
  }

  /// What the reader makes of it.
  var read: Expression? {
    let bytes = attributes
    return try? Expression(bytes.span, 0..<bytes.count)
  }

  /// Makes a chain `c` in a table `netdev raw` whose rules are of these expressions.
  static func load(
    _ rules: [[RawExpression]], _ session: inout NetfilterSession<NetlinkSocket>
  ) throws {
    let table = Table(family: .netdev, name: "raw", chains: [Chain(name: "c")])
    try session.commit([.addTable(table)] + Change.filling(table), to: .netdev, "raw")
    for rule in rules {
      var batch = session.makeBatch(.netdev, nil)
      let list = rule.flatMap { attribute(1, $0.attributes) }
      batch.appendDirect(.newRule, flags: 0x400 | 0x800, .chain("c")) { buffer in
        buffer.append(name: "raw", type: 1)
        buffer.append(name: "c", type: 2)
        buffer.append(padded: attribute(4, list))
      }
      try session.send(batch.finalize())
    }
  }
}
