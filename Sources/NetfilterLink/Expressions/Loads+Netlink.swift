import Bytecode
import CNetfilter

// Expressions that put a datum of the packet into a register; encoder and decoder side by side.

extension MetaLoad {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "meta")
    handle.set(NFTNL_EXPR_META_KEY, key.rawValue)
    handle.set(NFTNL_EXPR_META_DREG, destination.netlinkNumber)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_META_KEY, NFTA_META_DREG),
      let key = message.uint32(data[NFTA_META_KEY]).flatMap(MetaKey.init(rawValue:)),
      let destination = message.register(data[NFTA_META_DREG])
    else { return nil }
    self.init(key, into: destination)
  }
}

extension PayloadLoad {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "payload")
    handle.set(NFTNL_EXPR_PAYLOAD_DREG, destination.netlinkNumber)
    handle.set(NFTNL_EXPR_PAYLOAD_BASE, base.rawValue)
    handle.set(NFTNL_EXPR_PAYLOAD_OFFSET, offsetBytes)
    handle.set(NFTNL_EXPR_PAYLOAD_LEN, lengthBytes)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_PAYLOAD_DREG, NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET, NFTA_PAYLOAD_LEN),
      let base = message.uint32(data[NFTA_PAYLOAD_BASE]).flatMap(PayloadBase.init(rawValue:)),
      let offset = message.uint32(data[NFTA_PAYLOAD_OFFSET]),
      let length = message.uint32(data[NFTA_PAYLOAD_LEN]),
      let destination = message.register(data[NFTA_PAYLOAD_DREG])
    else { return nil }
    self.init(base, offsetBytes: offset, lengthBytes: length, into: destination)
  }
}

extension ConntrackLoad {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "ct")
    handle.set(NFTNL_EXPR_CT_KEY, key.rawValue)
    if let direction { handle.set(NFTNL_EXPR_CT_DIR, byte: direction) }
    handle.set(NFTNL_EXPR_CT_DREG, destination.netlinkNumber)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_CT_KEY, NFTA_CT_DREG, NFTA_CT_DIRECTION),
      let key = message.uint32(data[NFTA_CT_KEY]).flatMap(ConntrackKey.init(rawValue:)),
      let direction = message.direction(data[NFTA_CT_DIRECTION]),
      let destination = message.register(data[NFTA_CT_DREG])
    else { return nil }
    self.init(key, direction: direction, into: destination)
  }
}

extension ExtensionHeaderLoad {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "exthdr")
    handle.set(NFTNL_EXPR_EXTHDR_DREG, destination.netlinkNumber)
    handle.set(NFTNL_EXPR_EXTHDR_TYPE, byte: type)
    handle.set(NFTNL_EXPR_EXTHDR_OFFSET, offsetBytes)
    handle.set(NFTNL_EXPR_EXTHDR_LEN, lengthBytes)
    handle.set(NFTNL_EXPR_EXTHDR_OP, operation)
    handle.set(NFTNL_EXPR_EXTHDR_FLAGS, isPresence ? UInt32(NFT_EXTHDR_F_PRESENT.rawValue) : 0)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    let flags = message.uint32(data[NFTA_EXTHDR_FLAGS]) ?? 0
    guard
      data.holdsOnly(
        NFTA_EXTHDR_DREG, NFTA_EXTHDR_TYPE, NFTA_EXTHDR_OFFSET, NFTA_EXTHDR_LEN,
        NFTA_EXTHDR_FLAGS, NFTA_EXTHDR_OP),
      flags <= 1, let operation = message.extensionHeaderOperation(data[NFTA_EXTHDR_OP]),
      let type = message.byte(data[NFTA_EXTHDR_TYPE]),
      let offset = message.uint32(data[NFTA_EXTHDR_OFFSET]),
      let length = message.uint32(data[NFTA_EXTHDR_LEN]),
      let destination = message.register(data[NFTA_EXTHDR_DREG])
    else { return nil }
    self.init(
      operation: operation, type: type, offsetBytes: offset,
      lengthBytes: length, isPresence: flags == 1, into: destination)
  }
}

extension FibLoad {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "fib")
    handle.set(NFTNL_EXPR_FIB_DREG, destination.netlinkNumber)
    handle.set(NFTNL_EXPR_FIB_RESULT, result)
    handle.set(NFTNL_EXPR_FIB_FLAGS, flags)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_FIB_DREG, NFTA_FIB_RESULT, NFTA_FIB_FLAGS),
      let result = message.uint32(data[NFTA_FIB_RESULT]), (1...3).contains(result),
      let flags = message.uint32(data[NFTA_FIB_FLAGS]), flags <= 63,
      let destination = message.register(data[NFTA_FIB_DREG])
    else { return nil }
    self.init(result: result, flags: flags, into: destination)
  }
}
