import Bytecode
import CNetfilter

// Expressions that act: verdicts, counters, rejections; encoder and decoder side by side.

extension MetaSet {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "meta")
    handle.set(NFTNL_EXPR_META_KEY, key.rawValue)
    handle.set(NFTNL_EXPR_META_SREG, source.netlinkNumber)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_META_KEY, NFTA_META_SREG),
      let key = message.uint32(data[NFTA_META_KEY]).flatMap(MetaKey.init(rawValue:)),
      let source = message.register(data[NFTA_META_SREG])
    else { return nil }
    self.init(key, from: source)
  }
}

extension Immediate {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "immediate")
    switch self {
    case .verdict(let verdict):
      handle.set(NFTNL_EXPR_IMM_DREG, Register.verdict.netlinkNumber)
      handle.set(NFTNL_EXPR_IMM_VERDICT, UInt32(bitPattern: verdict.code))
      if let chain = verdict.chain { try handle.set(NFTNL_EXPR_IMM_CHAIN, chain) }
    case .data(let bytes, let destination):
      handle.set(NFTNL_EXPR_IMM_DREG, destination.netlinkNumber)
      try handle.set(NFTNL_EXPR_IMM_DATA, bytes)
    }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA),
      let destination = message.register(data[NFTA_IMMEDIATE_DREG])
    else { return nil }
    if destination == .verdict {
      guard let verdict = message.verdict(data[NFTA_IMMEDIATE_DATA]) else { return nil }
      self = .verdict(verdict)
    } else {
      guard let bytes = message.dataValue(data[NFTA_IMMEDIATE_DATA]) else { return nil }
      self = .data(bytes, into: destination)
    }
  }
}

extension Span<UInt8> {
  /// A nested `NFTA_DATA_VERDICT`; nil when missing or not one of the five and two codes.
  func verdict(_ range: Range<Int>?) -> Verdict? {
    guard let range, let outer = attribute(at: range.lowerBound, end: range.upperBound),
      outer.type == UInt16(NFTA_DATA_VERDICT.rawValue),
      let fields = try? AttributeFields(
        self, outer.payload, last: Int(NFTA_VERDICT_CHAIN.rawValue)),
      fields.unknown.isEmpty, let code = uint32(fields[NFTA_VERDICT_CODE])
    else { return nil }
    let chain = name(fields[NFTA_VERDICT_CHAIN])
    switch (Int32(bitPattern: code), chain) {
    case (0, nil): return .drop
    case (1, nil): return .accept
    case (-1, nil): return .continue
    case (-2, nil): return .break
    case (-3, let chain?): return .jump(chain)
    case (-4, let chain?): return .goto(chain)
    case (-5, nil): return .return
    default: return nil
    }
  }
}

extension Counter {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "counter")
    handle.set(NFTNL_EXPR_CTR_PACKETS, wide: packets)
    handle.set(NFTNL_EXPR_CTR_BYTES, wide: bytes)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_COUNTER_PACKETS, NFTA_COUNTER_BYTES, NFTA_COUNTER_PAD),
      let packets = message.uint64(data[NFTA_COUNTER_PACKETS]),
      let bytes = message.uint64(data[NFTA_COUNTER_BYTES])
    else { return nil }
    self.init(packets: packets, bytes: bytes)
  }
}

extension ObjectReference {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "objref")
    handle.set(NFTNL_EXPR_OBJREF_IMM_TYPE, type)
    try handle.set(NFTNL_EXPR_OBJREF_IMM_NAME, name)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_OBJREF_IMM_TYPE, NFTA_OBJREF_IMM_NAME),
      let type = message.uint32(data[NFTA_OBJREF_IMM_TYPE]),
      let name = message.name(data[NFTA_OBJREF_IMM_NAME])
    else { return nil }
    self.init(type: type, name: name)
  }
}

extension Reject {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "reject")
    handle.set(NFTNL_EXPR_REJECT_TYPE, type)
    handle.set(NFTNL_EXPR_REJECT_CODE, byte: code)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_REJECT_TYPE, NFTA_REJECT_ICMP_CODE),
      let type = message.uint32(data[NFTA_REJECT_TYPE]), type <= 2,
      let code = message.optionalByte(data[NFTA_REJECT_ICMP_CODE])
    else { return nil }
    self.init(type: type, code: code ?? 0)
  }
}
