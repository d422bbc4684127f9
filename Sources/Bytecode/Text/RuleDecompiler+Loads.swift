/// Loads: what a register gets to hold.
extension RuleDecompiler {
  mutating func load(_ expression: Expression) throws(BytecodeError) {
    switch expression {
    case .meta(let load):
      hold(.selector(try selector(for: load.key), mask: nil), in: load.destination)
    case .ct(let load):
      let type: ValueType =
        switch load.key {
        case .state: .ctState
        case .direction: .ctDirection
        case .status: .ctStatus
        case .mark: .mark
        default: throw refusal("not modelled")
        }
      guard load.direction == nil else { throw refusal("a direction is not modelled") }
      let length = load.key == .direction ? 1 : 4
      hold(
        .selector(Selector(source: .ct(load.key), type: type, lengthBytes: length), mask: nil),
        in: load.destination)
    case .payload(let load):
      hold(.selector(selector(for: load), mask: nil), in: load.destination)
    case .fib(let load):
      hold(.selector(try selector(for: load), mask: nil), in: load.destination)
    case .extensionHeader(let load):
      hold(.selector(try selector(for: load), mask: nil), in: load.destination)
    default: throw refusal("not a load")
    }
  }

  private func selector(for key: MetaKey) throws(BytecodeError) -> Selector {
    let type: ValueType =
      switch key {
      case .length, .skuid, .skgid, .rtclassid: .hostNumber
      case .protocol: .etherType
      case .mark: .mark
      case .iif, .oif: .interfaceIndex
      case .iifname, .oifname: .interfaceName
      case .nfproto: .nfproto
      case .l4proto: .inetProtocol
      case .pkttype: .packetType
      default: throw refusal("no faithful spelling of its values")
      }
    return Selector(source: .meta(key), type: type, lengthBytes: key.lengthBytes)
  }

  /// The named field that the load covers exactly, or the address whose beginning it covers, else
  /// a raw load.
  func selector(for load: PayloadLoad) -> Selector {
    let field = fields(of: load.base).first {
      $0.mask == nil && $0.offset == load.offsetBytes
        && ($0.length == load.lengthBytes || $0.type.hasPrefixes && load.lengthBytes < $0.length)
    }
    if let field {
      return Selector(
        source: .header(field), type: field.type, lengthBytes: Int(load.lengthBytes))
    }
    return Selector(source: .raw(load), type: .raw, lengthBytes: Int(load.lengthBytes))
  }

  func fields(of base: PayloadBase) -> [HeaderField] {
    switch base {
    case .network: family == 2 ? HeaderFieldTable.ip : family == 10 ? HeaderFieldTable.ip6 : []
    case .transport: HeaderFieldTable.transport(transport)
    case .link, .inner, .tunnel: []
    }
  }

  private func selector(for load: FibLoad) throws(BytecodeError) -> Selector {
    guard load.result == 3 else { throw refusal("only `fib … type` is modelled") }
    let names: [(UInt32, String)] = [
      (1, "saddr"), (2, "daddr"), (4, "mark"), (8, "iif"), (16, "oif"),
    ]
    guard load.flags & ~31 == 0 else { throw refusal("unknown fib flags") }
    let words = names.filter { load.flags & $0.0 != 0 }.map(\.1)
    return Selector(source: .addressType(words), type: .addressType, lengthBytes: 4)
  }

  private func selector(for load: ExtensionHeaderLoad) throws(BytecodeError) -> Selector {
    guard load.isPresence, load.offsetBytes == 0, load.lengthBytes == 1 else {
      throw refusal("only the presence of a header or option is modelled")
    }
    let known: (group: String, names: [(UInt8, String)])
    switch load.operation {
    case 0:
      guard family == 10 else { throw refusal("needs `meta nfproto ipv6` before it") }
      known = ("exthdr", [(0, "hbh"), (43, "rt"), (44, "frag"), (60, "dst"), (135, "mh")])
    case 1:
      known = ("tcp option", [(2, "maxseg"), (3, "window"), (4, "sack-perm"), (5, "sack")])
    case 2:
      guard family == 2 else { throw refusal("needs `meta nfproto ipv4` before it") }
      known = ("ip option", [(7, "rr"), (131, "lsrr"), (137, "ssrr"), (148, "ra")])
    default: throw refusal("not modelled")
    }
    guard let name = known.names.first(where: { $0.0 == load.type })?.1 else {
      throw refusal("no name for header or option \(load.type)")
    }
    return Selector(
      source: .presence(group: known.group, name: name), type: .number, lengthBytes: 1)
  }

  mutating func mask(_ bitwise: Bitwise) throws(BytecodeError) {
    guard case .selector(let selector, nil) = try take(bitwise.source) else {
      throw refusal("masks something that is no plain load")
    }
    guard bitwise.xor.allSatisfy({ $0 == 0 }) else { throw refusal("xor is not modelled") }
    guard bitwise.mask.count == selector.lengthBytes else {
      throw refusal("the mask is not as long as the load")
    }
    hold(.selector(selector, mask: bitwise.mask), in: bitwise.destination)
  }

  mutating func swap(_ swap: Byteorder) throws(BytecodeError) {
    guard case .selector(let selector, nil) = try take(swap.source), selector.type.isHostOrder,
      swap.operation == 1, Int(swap.lengthBytes) == selector.lengthBytes,
      swap.lengthBytes == swap.sizeBytes
    else { throw refusal("only a whole value in host order is swapped") }
    hold(.swapped(selector), in: swap.destination)
  }
}
