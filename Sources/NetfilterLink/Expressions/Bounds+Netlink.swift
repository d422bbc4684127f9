import Bytecode
import CNetfilter

// Expressions that count, bound, log or hand the packet on.

extension Limit {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "limit")
    handle.set(NFTNL_EXPR_LIMIT_RATE, wide: rate)
    handle.set(NFTNL_EXPR_LIMIT_UNIT, wide: periodSeconds)
    handle.set(NFTNL_EXPR_LIMIT_BURST, burst)
    handle.set(NFTNL_EXPR_LIMIT_TYPE, unit.rawValue)
    handle.set(NFTNL_EXPR_LIMIT_FLAGS, isInverted ? 1 : 0)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_LIMIT_RATE, NFTA_LIMIT_UNIT, NFTA_LIMIT_BURST, NFTA_LIMIT_TYPE, NFTA_LIMIT_FLAGS,
        NFTA_LIMIT_PAD),
      let rate = message.uint64(data[NFTA_LIMIT_RATE]),
      let period = message.uint64(data[NFTA_LIMIT_UNIT]),
      let burst = message.optionalUInt32(data[NFTA_LIMIT_BURST]),
      let number = message.optionalUInt32(data[NFTA_LIMIT_TYPE]),
      let unit = LimitUnit(rawValue: number ?? 0),
      let flags = message.optionalUInt32(data[NFTA_LIMIT_FLAGS]), flags ?? 0 <= 1
    else { return nil }
    self.init(
      rate: rate, periodSeconds: period, burst: burst ?? 0, unit: unit, isInverted: flags == 1)
  }
}

extension Quota {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "quota")
    handle.set(NFTNL_EXPR_QUOTA_BYTES, wide: bytes)
    handle.set(NFTNL_EXPR_QUOTA_CONSUMED, wide: consumed)
    handle.set(NFTNL_EXPR_QUOTA_FLAGS, isInverted ? 1 : 0)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_QUOTA_BYTES, NFTA_QUOTA_FLAGS, NFTA_QUOTA_PAD, NFTA_QUOTA_CONSUMED),
      let bytes = message.uint64(data[NFTA_QUOTA_BYTES]),
      let consumed = message.optionalUInt64(data[NFTA_QUOTA_CONSUMED]),
      let flags = message.optionalUInt32(data[NFTA_QUOTA_FLAGS]), flags ?? 0 <= 3
    else { return nil }
    self.init(
      bytes, consumed: consumed ?? 0, isInverted: (flags ?? 0) & 1 != 0,
      isDepleted: (flags ?? 0) & 2 != 0)
  }
}

extension ConnectionLimit {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "connlimit")
    handle.set(NFTNL_EXPR_CONNLIMIT_COUNT, count)
    handle.set(NFTNL_EXPR_CONNLIMIT_FLAGS, isInverted ? 1 : 0)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_CONNLIMIT_COUNT, NFTA_CONNLIMIT_FLAGS),
      let count = message.uint32(data[NFTA_CONNLIMIT_COUNT]),
      let flags = message.optionalUInt32(data[NFTA_CONNLIMIT_FLAGS]), flags ?? 0 <= 1
    else { return nil }
    self.init(count, isInverted: flags == 1)
  }
}

extension Last {
  /// A new one has never been evaluated.
  func handle() throws(KernelError) -> ExpressionHandle {
    try ExpressionHandle(named: "last")
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_LAST_SET, NFTA_LAST_MSECS, NFTA_LAST_PAD),
      let isSet = message.optionalUInt32(data[NFTA_LAST_SET]), isSet ?? 0 <= 1,
      let milliseconds = message.optionalUInt64(data[NFTA_LAST_MSECS])
    else { return nil }
    self.init(isSet: isSet == 1, millisecondsAgo: milliseconds ?? 0)
  }
}

extension Log {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "log")
    if let prefix { try handle.set(NFTNL_EXPR_LOG_PREFIX, prefix) }
    if let group {
      handle.set(NFTNL_EXPR_LOG_GROUP, half: group)
      if snapLength > 0 { handle.set(NFTNL_EXPR_LOG_SNAPLEN, snapLength) }
      if queueThreshold > 0 {
        handle.set(NFTNL_EXPR_LOG_QTHRESHOLD, half: queueThreshold)
      }
    } else {
      if let level { handle.set(NFTNL_EXPR_LOG_LEVEL, level) }
      if flags != 0 { handle.set(NFTNL_EXPR_LOG_FLAGS, flags) }
    }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_LOG_GROUP, NFTA_LOG_PREFIX, NFTA_LOG_SNAPLEN, NFTA_LOG_QTHRESHOLD, NFTA_LOG_LEVEL,
        NFTA_LOG_FLAGS),
      let prefix = message.optionalName(data[NFTA_LOG_PREFIX]),
      let group = message.optionalUInt16(data[NFTA_LOG_GROUP]),
      let snap = message.optionalUInt32(data[NFTA_LOG_SNAPLEN]),
      let threshold = message.optionalUInt16(data[NFTA_LOG_QTHRESHOLD]),
      let level = message.optionalUInt32(data[NFTA_LOG_LEVEL]), level ?? 0 <= 8,
      let flags = message.optionalUInt32(data[NFTA_LOG_FLAGS]), flags ?? 0 <= 63
    else { return nil }
    self.init(
      prefix: prefix, group: group, snapLength: snap ?? 0, queueThreshold: threshold ?? 0,
      level: level, flags: flags ?? 0)
  }
}

extension Queue {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "queue")
    if let register {
      handle.set(NFTNL_EXPR_QUEUE_SREG_QNUM, register.netlinkNumber)
    } else {
      handle.set(NFTNL_EXPR_QUEUE_NUM, half: number)
      handle.set(NFTNL_EXPR_QUEUE_TOTAL, half: total)
    }
    if flags != 0 { handle.set(NFTNL_EXPR_QUEUE_FLAGS, half: flags) }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(NFTA_QUEUE_NUM, NFTA_QUEUE_TOTAL, NFTA_QUEUE_FLAGS, NFTA_QUEUE_SREG_QNUM),
      let number = message.optionalUInt16(data[NFTA_QUEUE_NUM]),
      let total = message.optionalUInt16(data[NFTA_QUEUE_TOTAL]),
      let flags = message.optionalUInt16(data[NFTA_QUEUE_FLAGS]), flags ?? 0 <= 3,
      let register = message.optionalRegister(data[NFTA_QUEUE_SREG_QNUM]),
      (number == nil) == (register != nil)
    else { return nil }
    self.init(
      number: number ?? 0, total: total ?? 1, flags: flags ?? 0, register: register)
  }
}

extension Synproxy {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "synproxy")
    handle.set(NFTNL_EXPR_SYNPROXY_MSS, half: maximumSegmentSize)
    handle.set(NFTNL_EXPR_SYNPROXY_WSCALE, byte: windowScale)
    handle.set(NFTNL_EXPR_SYNPROXY_FLAGS, flags)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_SYNPROXY_MSS, NFTA_SYNPROXY_WSCALE, NFTA_SYNPROXY_FLAGS),
      let size = message.optionalUInt16(data[NFTA_SYNPROXY_MSS]),
      let scale = message.optionalByte(data[NFTA_SYNPROXY_WSCALE]),
      let flags = message.optionalUInt32(data[NFTA_SYNPROXY_FLAGS]), flags ?? 0 <= 31
    else { return nil }
    self.init(maximumSegmentSize: size ?? 0, windowScale: scale ?? 0, flags: flags ?? 0)
  }
}

extension ObjectMap {
  func handle(_ context: EncodingContext) throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "objref")
    handle.set(NFTNL_EXPR_OBJREF_SET_SREG, source.netlinkNumber)
    if let identifier = context.anonymousSets[set] {
      try handle.set(NFTNL_EXPR_OBJREF_SET_NAME, NamedSet.template(forAnonymous: set))
      handle.set(NFTNL_EXPR_OBJREF_SET_ID, identifier)
    } else {
      try handle.set(NFTNL_EXPR_OBJREF_SET_NAME, set)
    }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_OBJREF_SET_SREG, NFTA_OBJREF_SET_NAME),
      let source = message.register(data[NFTA_OBJREF_SET_SREG]),
      let set = message.name(data[NFTA_OBJREF_SET_NAME])
    else { return nil }
    self.init(source, in: set)
  }
}

extension ExtensionMatch {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "match")
    try handle.set(NFTNL_EXPR_MT_NAME, name)
    handle.set(NFTNL_EXPR_MT_REV, revision)
    handle.give(NFTNL_EXPR_MT_INFO, info)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_MATCH_NAME, NFTA_MATCH_REV, NFTA_MATCH_INFO),
      let name = message.name(data[NFTA_MATCH_NAME]),
      let revision = message.uint32(data[NFTA_MATCH_REV]), let info = data[NFTA_MATCH_INFO]
    else { return nil }
    self.init(name, revision: revision, info: message.bytes(info))
  }
}

extension ExtensionTarget {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "target")
    try handle.set(NFTNL_EXPR_TG_NAME, name)
    handle.set(NFTNL_EXPR_TG_REV, revision)
    handle.give(NFTNL_EXPR_TG_INFO, info)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_TARGET_NAME, NFTA_TARGET_REV, NFTA_TARGET_INFO),
      let name = message.name(data[NFTA_TARGET_NAME]),
      let revision = message.uint32(data[NFTA_TARGET_REV]), let info = data[NFTA_TARGET_INFO]
    else { return nil }
    self.init(name, revision: revision, info: message.bytes(info))
  }
}
