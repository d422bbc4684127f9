import Bytecode
import CNetfilter

// Expressions that compare or change registers; encoder and decoder side by side.

extension Compare {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "cmp")
    handle.set(NFTNL_EXPR_CMP_SREG, source.netlinkNumber)
    handle.set(NFTNL_EXPR_CMP_OP, operation.rawValue)
    try handle.set(NFTNL_EXPR_CMP_DATA, value)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_CMP_SREG, NFTA_CMP_OP, NFTA_CMP_DATA),
      let source = message.register(data[NFTA_CMP_SREG]),
      let operation = message.uint32(data[NFTA_CMP_OP]).flatMap(CompareOperator.init(rawValue:)),
      let value = message.dataValue(data[NFTA_CMP_DATA])
    else { return nil }
    self.init(source, operation, value)
  }
}

extension RangeCompare {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "range")
    handle.set(NFTNL_EXPR_RANGE_SREG, source.netlinkNumber)
    handle.set(NFTNL_EXPR_RANGE_OP, isInverted ? 1 : 0)
    try handle.set(NFTNL_EXPR_RANGE_FROM_DATA, from)
    try handle.set(NFTNL_EXPR_RANGE_TO_DATA, to)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(NFTA_RANGE_SREG, NFTA_RANGE_OP, NFTA_RANGE_FROM_DATA, NFTA_RANGE_TO_DATA),
      let source = message.register(data[NFTA_RANGE_SREG]),
      let operation = message.uint32(data[NFTA_RANGE_OP]), operation <= 1,
      let from = message.dataValue(data[NFTA_RANGE_FROM_DATA]),
      let to = message.dataValue(data[NFTA_RANGE_TO_DATA])
    else { return nil }
    self.init(source, isInverted: operation == 1, from: from, to: to)
  }
}

extension Bitwise {
  /// `NFT_BITWISE_BOOL`, the mask-and-xor form.
  private static let boolean: UInt32 = 0

  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "bitwise")
    handle.set(NFTNL_EXPR_BITWISE_SREG, source.netlinkNumber)
    handle.set(NFTNL_EXPR_BITWISE_DREG, destination.netlinkNumber)
    handle.set(NFTNL_EXPR_BITWISE_OP, Bitwise.boolean)
    handle.set(NFTNL_EXPR_BITWISE_LEN, UInt32(mask.count))
    try handle.set(NFTNL_EXPR_BITWISE_MASK, mask)
    try handle.set(NFTNL_EXPR_BITWISE_XOR, xor)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_BITWISE_SREG, NFTA_BITWISE_DREG, NFTA_BITWISE_LEN, NFTA_BITWISE_MASK,
        NFTA_BITWISE_XOR, NFTA_BITWISE_OP),
      message.uint32(data[NFTA_BITWISE_OP]) ?? 0 == Bitwise.boolean,
      let source = message.register(data[NFTA_BITWISE_SREG]),
      let destination = message.register(data[NFTA_BITWISE_DREG]),
      let length = message.uint32(data[NFTA_BITWISE_LEN]),
      let mask = message.dataValue(data[NFTA_BITWISE_MASK]), mask.count == Int(length),
      let xor = message.dataValue(data[NFTA_BITWISE_XOR]), xor.count == mask.count
    else { return nil }
    self.init(source: source, destination: destination, mask: mask, xor: xor)
  }
}

extension Byteorder {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "byteorder")
    handle.set(NFTNL_EXPR_BYTEORDER_SREG, source.netlinkNumber)
    handle.set(NFTNL_EXPR_BYTEORDER_DREG, destination.netlinkNumber)
    handle.set(NFTNL_EXPR_BYTEORDER_OP, operation)
    handle.set(NFTNL_EXPR_BYTEORDER_LEN, lengthBytes)
    handle.set(NFTNL_EXPR_BYTEORDER_SIZE, sizeBytes)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_BYTEORDER_SREG, NFTA_BYTEORDER_DREG, NFTA_BYTEORDER_OP, NFTA_BYTEORDER_LEN,
        NFTA_BYTEORDER_SIZE),
      let source = message.register(data[NFTA_BYTEORDER_SREG]),
      let destination = message.register(data[NFTA_BYTEORDER_DREG]),
      let operation = message.uint32(data[NFTA_BYTEORDER_OP]), operation <= 1,
      let length = message.uint32(data[NFTA_BYTEORDER_LEN]),
      let size = message.uint32(data[NFTA_BYTEORDER_SIZE])
    else { return nil }
    self.init(
      source: source, destination: destination, operation: operation, lengthBytes: length,
      sizeBytes: size)
  }
}

extension Lookup {
  func handle(_ context: EncodingContext) throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "lookup")
    handle.set(NFTNL_EXPR_LOOKUP_SREG, source.netlinkNumber)
    if let destination { handle.set(NFTNL_EXPR_LOOKUP_DREG, destination.netlinkNumber) }
    if let identifier = context.anonymousSets[set] {
      try handle.set(NFTNL_EXPR_LOOKUP_SET, NamedSet.template(forAnonymous: set))
      handle.set(NFTNL_EXPR_LOOKUP_SET_ID, identifier)
    } else {
      try handle.set(NFTNL_EXPR_LOOKUP_SET, set)
    }
    if isInverted { handle.set(NFTNL_EXPR_LOOKUP_FLAGS, UInt32(NFT_LOOKUP_F_INV.rawValue)) }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    let flags = message.uint32(data[NFTA_LOOKUP_FLAGS]) ?? 0
    let hasDestination = data[NFTA_LOOKUP_DREG] != nil
    let destination = message.register(data[NFTA_LOOKUP_DREG])
    guard
      data.holdsOnly(NFTA_LOOKUP_SET, NFTA_LOOKUP_SREG, NFTA_LOOKUP_DREG, NFTA_LOOKUP_FLAGS),
      flags <= 1, hasDestination == (destination != nil),
      let set = message.name(data[NFTA_LOOKUP_SET]),
      let source = message.register(data[NFTA_LOOKUP_SREG])
    else { return nil }
    self.init(source, in: set, destination: destination, isInverted: flags == 1)
  }
}

extension Shift {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "bitwise")
    handle.set(NFTNL_EXPR_BITWISE_SREG, source.netlinkNumber)
    handle.set(NFTNL_EXPR_BITWISE_DREG, destination.netlinkNumber)
    handle.set(NFTNL_EXPR_BITWISE_OP, direction.rawValue)
    handle.set(NFTNL_EXPR_BITWISE_LEN, lengthBytes)
    // A number in host order.
    try handle.set(NFTNL_EXPR_BITWISE_DATA, (0..<4).map { UInt8(bits >> (8 * $0) & 0xff) })
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_BITWISE_SREG, NFTA_BITWISE_DREG, NFTA_BITWISE_LEN, NFTA_BITWISE_OP,
        NFTA_BITWISE_DATA),
      let direction = message.uint32(data[NFTA_BITWISE_OP])
        .flatMap(ShiftDirection.init(rawValue:)),
      let source = message.register(data[NFTA_BITWISE_SREG]),
      let destination = message.register(data[NFTA_BITWISE_DREG]),
      let length = message.uint32(data[NFTA_BITWISE_LEN]),
      let value = message.dataValue(data[NFTA_BITWISE_DATA]), value.count == 4
    else { return nil }
    // A number in host order.
    let bits = value.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    self.init(
      direction, source: source, destination: destination, lengthBytes: length, bits: bits)
  }
}

extension BitwiseOperation {
  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        numbers: Int(NFTA_BITWISE_SREG.rawValue), Int(NFTA_BITWISE_DREG.rawValue),
        Int(NFTA_BITWISE_LEN.rawValue), Int(NFTA_BITWISE_OP.rawValue),
        Int(NFTA_BITWISE_DATA.rawValue), NewerAttribute.bitwiseSecondSource),
      let operation = message.uint32(data[NFTA_BITWISE_OP])
        .flatMap(BitwiseOperator.init(rawValue:)),
      let source = message.register(data[NFTA_BITWISE_SREG]),
      let destination = message.register(data[NFTA_BITWISE_DREG]),
      let length = message.uint32(data[NFTA_BITWISE_LEN]),
      let second = message.optionalRegister(data[NewerAttribute.bitwiseSecondSource]),
      let value = message.optionalDataValue(data[NFTA_BITWISE_DATA])
    else { return nil }
    let operand: BitwiseOperand
    switch (second, value) {
    case (let register?, nil): operand = .register(register)
    case (nil, let bytes?) where bytes.count == Int(length): operand = .data(bytes)
    default: return nil
    }
    self.init(
      operation, source: source, operand: operand, destination: destination, lengthBytes: length)
  }
}
