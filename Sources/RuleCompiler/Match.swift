import Bytecode
import NetworkTypes

/// Expressions of the matches that weir emits, as nft(8) compiles them.
///
/// They carry the same dependency tests as nft's own (family before an `ip` field, protocol before
/// a `tcp` field), so that a table installed from values lists like one loaded from text.
enum Match {
  static let register = Register(word: 0)

  static func family(_ family: Family) -> [Expression] {
    [
      .meta(MetaLoad(.nfproto, into: register)),
      .compare(Compare(register, .equal, [family.rawValue])),
    ]
  }

  static func layer4(_ ipProtocol: IPProtocol) -> [Expression] {
    [
      .meta(MetaLoad(.l4proto, into: register)),
      .compare(Compare(register, .equal, [ipProtocol.rawValue])),
    ]
  }

  /// Loads the destination address: 4 bytes at 16, or 16 bytes at 24.
  static func loadDestination(_ family: Family) -> Expression {
    switch family {
    case .ipv4: load(.network, 16, 4)
    case .ipv6: load(.network, 24, 16)
    }
  }

  static func loadSource(_ family: Family) -> Expression {
    family == .ipv4 ? load(.network, 12, 4) : load(.network, 8, 16)
  }

  static func load(_ base: PayloadBase, _ offset: UInt32, _ length: UInt32) -> Expression {
    .payload(PayloadLoad(base, offsetBytes: offset, lengthBytes: length, into: register))
  }

  static let sourcePort = load(.transport, 0, 2)
  static let destinationPort = load(.transport, 2, 2)

  /// A port range, or a single port; the register holds the port.
  static func inPorts(_ interval: Interval<UInt16>) -> [Expression] {
    let first = interval.first.networkOrder
    if interval.first == interval.last { return [.compare(Compare(register, .equal, first))] }
    return [
      .compare(Compare(register, .greaterOrEqual, first)),
      .compare(Compare(register, .lessOrEqual, interval.last.networkOrder)),
    ]
  }

  /// Goes on when `register & mask` equals, or does not equal, `value`.
  static func masked(
    _ mask: [UInt8], _ operation: CompareOperator, _ value: [UInt8]
  ) -> [Expression] {
    [
      .bitwise(Bitwise(source: register, destination: register, mask: mask)),
      .compare(Compare(register, operation, value)),
    ]
  }

  static func isIn(_ set: String) -> Expression { .lookup(Lookup(register, in: set)) }

  static func verdictFrom(_ map: String) -> Expression {
    .lookup(Lookup(register, in: map, destination: .verdict))
  }

  static func verdict(_ verdict: Verdict) -> Expression { .immediate(.verdict(verdict)) }

  static func state(_ state: ConntrackState) -> [Expression] {
    [.ct(ConntrackLoad(.state, into: register))]
      + masked(state.rawValue.hostOrder, .notEqual, [0, 0, 0, 0])
  }
}

extension UInt16 {
  /// Two bytes, most significant first.
  var networkOrder: [UInt8] { [UInt8(self >> 8), UInt8(self & 0xff)] }
}

extension UInt32 {
  /// Four bytes as this machine stores them; the kernel's order for marks and conntrack states.
  var hostOrder: [UInt8] {
    let little = (0..<4).map { UInt8(self >> (8 * UInt32($0)) & 0xff) }
    return UInt32(littleEndian: 1) == 1 ? little : little.reversed()
  }

  /// Four bytes, most significant first.
  var networkOrder: [UInt8] { IPAddress.v4(self).networkOrderBytes }
}

extension UInt128 {
  /// Sixteen bytes, most significant first.
  var networkOrder: [UInt8] { IPAddress.v6(self).networkOrderBytes }
}
