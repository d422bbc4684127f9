import Bytecode
import CNetfilter

// Expressions that change the packet, its flow or a set.

extension PayloadSet {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "payload")
    handle.set(NFTNL_EXPR_PAYLOAD_SREG, source.netlinkNumber)
    handle.set(NFTNL_EXPR_PAYLOAD_BASE, base.rawValue)
    handle.set(NFTNL_EXPR_PAYLOAD_OFFSET, offsetBytes)
    handle.set(NFTNL_EXPR_PAYLOAD_LEN, lengthBytes)
    handle.set(NFTNL_EXPR_PAYLOAD_CSUM_TYPE, checksum.rawValue)
    handle.set(NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, checksumOffset)
    handle.set(NFTNL_EXPR_PAYLOAD_FLAGS, checksumFlags)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_PAYLOAD_SREG, NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET, NFTA_PAYLOAD_LEN,
        NFTA_PAYLOAD_CSUM_TYPE, NFTA_PAYLOAD_CSUM_OFFSET, NFTA_PAYLOAD_CSUM_FLAGS),
      let base = message.uint32(data[NFTA_PAYLOAD_BASE]).flatMap(PayloadBase.init(rawValue:)),
      let offset = message.uint32(data[NFTA_PAYLOAD_OFFSET]),
      let length = message.uint32(data[NFTA_PAYLOAD_LEN]),
      let source = message.register(data[NFTA_PAYLOAD_SREG]),
      let number = message.optionalUInt32(data[NFTA_PAYLOAD_CSUM_TYPE]),
      let checksum = PayloadChecksum(rawValue: number ?? 0),
      let place = message.optionalUInt32(data[NFTA_PAYLOAD_CSUM_OFFSET]),
      let flags = message.optionalUInt32(data[NFTA_PAYLOAD_CSUM_FLAGS]), flags ?? 0 <= 1
    else { return nil }
    self.init(
      base, offsetBytes: offset, lengthBytes: length, from: source, checksum: checksum,
      checksumOffset: place ?? 0, checksumFlags: flags ?? 0)
  }
}

extension ConntrackSet {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "ct")
    handle.set(NFTNL_EXPR_CT_KEY, key.rawValue)
    handle.set(NFTNL_EXPR_CT_SREG, source.netlinkNumber)
    if let direction { handle.set(NFTNL_EXPR_CT_DIR, byte: direction) }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_CT_KEY, NFTA_CT_SREG, NFTA_CT_DIRECTION),
      let key = message.uint32(data[NFTA_CT_KEY]).flatMap(ConntrackKey.init(rawValue:)),
      let direction = message.direction(data[NFTA_CT_DIRECTION]),
      let source = message.register(data[NFTA_CT_SREG])
    else { return nil }
    self.init(key, direction: direction, from: source)
  }
}

extension DynamicSet {
  func handle(_ context: EncodingContext) throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "dynset")
    handle.set(NFTNL_EXPR_DYNSET_SREG_KEY, key.netlinkNumber)
    if let data { handle.set(NFTNL_EXPR_DYNSET_SREG_DATA, data.netlinkNumber) }
    handle.set(NFTNL_EXPR_DYNSET_OP, operation.rawValue)
    try handle.set(NFTNL_EXPR_DYNSET_SET_NAME, set)
    if let timeoutMilliseconds { handle.set(NFTNL_EXPR_DYNSET_TIMEOUT, wide: timeoutMilliseconds) }
    handle.set(NFTNL_EXPR_DYNSET_FLAGS, (isInverted ? 1 : 0) | (expressions.isEmpty ? 0 : 2))
    for expression in expressions {
      handle.append(try expression.handle(context), to: NFTNL_EXPR_DYNSET_EXPRESSIONS)
    }
    return handle
  }

  /// Flags: 1 inverted; 2 says that expressions may be a list, which the list itself says as well.
  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    let flags = message.uint32(data[NFTA_DYNSET_FLAGS]) ?? 0
    guard
      data.holdsOnly(
        NFTA_DYNSET_SET_NAME, NFTA_DYNSET_OP, NFTA_DYNSET_SREG_KEY, NFTA_DYNSET_SREG_DATA,
        NFTA_DYNSET_TIMEOUT, NFTA_DYNSET_EXPR, NFTA_DYNSET_PAD, NFTA_DYNSET_FLAGS,
        NFTA_DYNSET_EXPRESSIONS),
      flags <= 3,
      let operation = message.uint32(data[NFTA_DYNSET_OP])
        .flatMap(DynamicSetOperator.init(rawValue:)),
      let set = message.name(data[NFTA_DYNSET_SET_NAME]),
      let key = message.register(data[NFTA_DYNSET_SREG_KEY]),
      let mapped = message.optionalRegister(data[NFTA_DYNSET_SREG_DATA]),
      let timeout = message.optionalUInt64(data[NFTA_DYNSET_TIMEOUT]),
      let expressions = try? Expression.attached(
        message, one: data[NFTA_DYNSET_EXPR], list: data[NFTA_DYNSET_EXPRESSIONS]),
      !expressions.contains(where: \.isUnknown)
    else { return nil }
    // The kernel writes a timeout of zero for none.
    self.init(
      operation, set: set, key: key, data: mapped,
      timeoutMilliseconds: timeout.flatMap { $0 == 0 ? nil : $0 }, expressions: expressions,
      isInverted: flags & 1 != 0)
  }
}

extension Expression {
  /// Whether it is one that the model does not know.
  var isUnknown: Bool { if case .unknown = self { true } else { false } }
}

extension ExtensionHeaderSet {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "exthdr")
    handle.set(NFTNL_EXPR_EXTHDR_SREG, source.netlinkNumber)
    handle.set(NFTNL_EXPR_EXTHDR_TYPE, byte: type)
    handle.set(NFTNL_EXPR_EXTHDR_OFFSET, offsetBytes)
    handle.set(NFTNL_EXPR_EXTHDR_LEN, lengthBytes)
    handle.set(NFTNL_EXPR_EXTHDR_OP, operation)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_EXTHDR_SREG, NFTA_EXTHDR_TYPE, NFTA_EXTHDR_OFFSET, NFTA_EXTHDR_LEN,
        NFTA_EXTHDR_FLAGS, NFTA_EXTHDR_OP),
      message.uint32(data[NFTA_EXTHDR_FLAGS]) ?? 0 == 0,
      let operation = message.extensionHeaderOperation(data[NFTA_EXTHDR_OP]),
      let type = message.byte(data[NFTA_EXTHDR_TYPE]),
      let offset = message.uint32(data[NFTA_EXTHDR_OFFSET]),
      let length = message.uint32(data[NFTA_EXTHDR_LEN]),
      let source = message.register(data[NFTA_EXTHDR_SREG])
    else { return nil }
    self.init(
      operation: operation, type: type, offsetBytes: offset, lengthBytes: length, from: source)
  }
}

extension ExtensionHeaderReset {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "exthdr")
    handle.set(NFTNL_EXPR_EXTHDR_TYPE, byte: type)
    handle.set(NFTNL_EXPR_EXTHDR_OP, operation)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_EXTHDR_TYPE, NFTA_EXTHDR_OFFSET, NFTA_EXTHDR_LEN, NFTA_EXTHDR_FLAGS,
        NFTA_EXTHDR_OP),
      message.uint32(data[NFTA_EXTHDR_FLAGS]) ?? 0 == 0,
      message.uint32(data[NFTA_EXTHDR_OFFSET]) ?? 0 == 0,
      message.uint32(data[NFTA_EXTHDR_LEN]) ?? 0 == 0,
      let operation = message.extensionHeaderOperation(data[NFTA_EXTHDR_OP]),
      let type = message.byte(data[NFTA_EXTHDR_TYPE])
    else { return nil }
    self.init(operation: operation, type: type)
  }
}

extension Span<UInt8> {
  /// Flags of an address translation, without what follows from its registers; nil when unknown.
  fileprivate func translationFlags(
    _ range: Range<Int>?, address: Register? = nil, port: Register?
  ) -> NATFlags? {
    guard let number = optionalUInt32(range) else { return nil }
    var flags = NATFlags(rawValue: number ?? 0)
    guard flags.isSubset(of: .known) else { return nil }
    if address != nil { flags.remove(.mapAddresses) }
    if port != nil { flags.remove(.portSpecified) }
    return flags
  }

  /// The upper register of a range; nil inside when it is the lower one or missing.
  fileprivate func upperRegister(_ range: Range<Int>?, _ lower: Register?) -> Register?? {
    guard let register = optionalRegister(range) else { return nil }
    if register != nil && lower == nil { return nil }
    return .some(register == lower ? nil : register)
  }

  /// A family of addresses: IPv4, IPv6 or both.
  fileprivate func addressFamily(_ range: Range<Int>?) -> TableFamily? {
    switch uint32(range) {
    case 1: .inet
    case 2: .ip
    case 10: .ip6
    default: nil
    }
  }
}

extension NAT {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "nat")
    handle.set(NFTNL_EXPR_NAT_TYPE, kind.rawValue)
    handle.set(NFTNL_EXPR_NAT_FAMILY, UInt32(family.rawValue))
    if let address { handle.set(NFTNL_EXPR_NAT_REG_ADDR_MIN, address.netlinkNumber) }
    if let addressMax { handle.set(NFTNL_EXPR_NAT_REG_ADDR_MAX, addressMax.netlinkNumber) }
    if let port { handle.set(NFTNL_EXPR_NAT_REG_PROTO_MIN, port.netlinkNumber) }
    if let portMax { handle.set(NFTNL_EXPR_NAT_REG_PROTO_MAX, portMax.netlinkNumber) }
    // The kernel adds the bits that follow from the registers.
    if !flags.isEmpty { handle.set(NFTNL_EXPR_NAT_FLAGS, flags.rawValue) }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_NAT_TYPE, NFTA_NAT_FAMILY, NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_ADDR_MAX,
        NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_REG_PROTO_MAX, NFTA_NAT_FLAGS),
      let kind = message.uint32(data[NFTA_NAT_TYPE]).flatMap(NATKind.init(rawValue:)),
      let family = message.addressFamily(data[NFTA_NAT_FAMILY]),
      let address = message.optionalRegister(data[NFTA_NAT_REG_ADDR_MIN]),
      let addressMax = message.upperRegister(data[NFTA_NAT_REG_ADDR_MAX], address),
      let port = message.optionalRegister(data[NFTA_NAT_REG_PROTO_MIN]),
      let portMax = message.upperRegister(data[NFTA_NAT_REG_PROTO_MAX], port),
      let flags = message.translationFlags(data[NFTA_NAT_FLAGS], address: address, port: port)
    else { return nil }
    self.init(
      kind, family: family, address: address, addressMax: addressMax, port: port,
      portMax: portMax, flags: flags)
  }
}

extension Masquerade {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "masq")
    if let port { handle.set(NFTNL_EXPR_MASQ_REG_PROTO_MIN, port.netlinkNumber) }
    if let portMax { handle.set(NFTNL_EXPR_MASQ_REG_PROTO_MAX, portMax.netlinkNumber) }
    // The kernel does not add the bit itself here.
    let all = port == nil ? flags : flags.union(.portSpecified)
    if !all.isEmpty { handle.set(NFTNL_EXPR_MASQ_FLAGS, all.rawValue) }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(NFTA_MASQ_FLAGS, NFTA_MASQ_REG_PROTO_MIN, NFTA_MASQ_REG_PROTO_MAX),
      let port = message.optionalRegister(data[NFTA_MASQ_REG_PROTO_MIN]),
      let portMax = message.upperRegister(data[NFTA_MASQ_REG_PROTO_MAX], port),
      let flags = message.translationFlags(data[NFTA_MASQ_FLAGS], port: port)
    else { return nil }
    self.init(port: port, portMax: portMax, flags: flags)
  }
}

extension Redirect {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "redir")
    if let port { handle.set(NFTNL_EXPR_REDIR_REG_PROTO_MIN, port.netlinkNumber) }
    if let portMax { handle.set(NFTNL_EXPR_REDIR_REG_PROTO_MAX, portMax.netlinkNumber) }
    // The kernel adds the bit itself when a port is given.
    let all = port == nil ? flags : flags.union(.portSpecified)
    if !all.isEmpty { handle.set(NFTNL_EXPR_REDIR_FLAGS, all.rawValue) }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(NFTA_REDIR_REG_PROTO_MIN, NFTA_REDIR_REG_PROTO_MAX, NFTA_REDIR_FLAGS),
      let port = message.optionalRegister(data[NFTA_REDIR_REG_PROTO_MIN]),
      let portMax = message.upperRegister(data[NFTA_REDIR_REG_PROTO_MAX], port),
      let flags = message.translationFlags(data[NFTA_REDIR_FLAGS], port: port)
    else { return nil }
    self.init(port: port, portMax: portMax, flags: flags)
  }
}

extension Duplicate {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "dup")
    if let address { handle.set(NFTNL_EXPR_DUP_SREG_ADDR, address.netlinkNumber) }
    if let device { handle.set(NFTNL_EXPR_DUP_SREG_DEV, device.netlinkNumber) }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_DUP_SREG_ADDR, NFTA_DUP_SREG_DEV),
      let address = message.optionalRegister(data[NFTA_DUP_SREG_ADDR]),
      let device = message.optionalRegister(data[NFTA_DUP_SREG_DEV]),
      address != nil || device != nil
    else { return nil }
    self.init(address: address, device: device)
  }
}

extension Forward {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "fwd")
    handle.set(NFTNL_EXPR_FWD_SREG_DEV, device.netlinkNumber)
    if let address { handle.set(NFTNL_EXPR_FWD_SREG_ADDR, address.netlinkNumber) }
    if let family { handle.set(NFTNL_EXPR_FWD_NFPROTO, family) }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_FWD_SREG_DEV, NFTA_FWD_SREG_ADDR, NFTA_FWD_NFPROTO),
      let device = message.register(data[NFTA_FWD_SREG_DEV]),
      let address = message.optionalRegister(data[NFTA_FWD_SREG_ADDR]),
      let family = message.optionalUInt32(data[NFTA_FWD_NFPROTO]),
      (address == nil) == (family == nil)
    else { return nil }
    self.init(device: device, address: address, family: family)
  }
}

extension FlowOffload {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "flow_offload")
    try handle.set(NFTNL_EXPR_FLOW_TABLE_NAME, flowtable)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_FLOW_TABLE_NAME),
      let name = message.name(data[NFTA_FLOW_TABLE_NAME])
    else { return nil }
    self.init(name)
  }
}

extension TransparentProxy {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "tproxy")
    handle.set(NFTNL_EXPR_TPROXY_FAMILY, family == .inet ? 0 : UInt32(family.rawValue))
    if let address { handle.set(NFTNL_EXPR_TPROXY_REG_ADDR, address.netlinkNumber) }
    if let port { handle.set(NFTNL_EXPR_TPROXY_REG_PORT, port.netlinkNumber) }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_TPROXY_FAMILY, NFTA_TPROXY_REG_ADDR, NFTA_TPROXY_REG_PORT),
      let family = message.tproxyFamily(data[NFTA_TPROXY_FAMILY]),
      let address = message.optionalRegister(data[NFTA_TPROXY_REG_ADDR]),
      let port = message.optionalRegister(data[NFTA_TPROXY_REG_PORT])
    else { return nil }
    self.init(family: family, address: address, port: port)
  }
}

extension Span<UInt8> {
  /// As ``addressFamily(_:)``; 0 is both as well.
  fileprivate func tproxyFamily(_ range: Range<Int>?) -> TableFamily? {
    uint32(range) == 0 ? .inet : addressFamily(range)
  }
}
