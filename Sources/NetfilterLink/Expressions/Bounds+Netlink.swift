import Bytecode
import CNetfilter

// Expressions that count, bound, log or hand the packet on.

extension Limit {
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
  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_CONNLIMIT_COUNT, NFTA_CONNLIMIT_FLAGS),
      let count = message.uint32(data[NFTA_CONNLIMIT_COUNT]),
      let flags = message.optionalUInt32(data[NFTA_CONNLIMIT_FLAGS]), flags ?? 0 <= 1
    else { return nil }
    self.init(count, isInverted: flags == 1)
  }
}

extension Last {
  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_LAST_SET, NFTA_LAST_MSECS, NFTA_LAST_PAD),
      let isSet = message.optionalUInt32(data[NFTA_LAST_SET]), isSet ?? 0 <= 1,
      let milliseconds = message.optionalUInt64(data[NFTA_LAST_MSECS])
    else { return nil }
    self.init(isSet: isSet == 1, millisecondsAgo: milliseconds ?? 0)
  }
}

extension Log {
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
  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_OBJREF_SET_SREG, NFTA_OBJREF_SET_NAME),
      let source = message.register(data[NFTA_OBJREF_SET_SREG]),
      let set = message.name(data[NFTA_OBJREF_SET_NAME])
    else { return nil }
    self.init(source, in: set)
  }
}

extension ExtensionMatch {
  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_MATCH_NAME, NFTA_MATCH_REV, NFTA_MATCH_INFO),
      let name = message.name(data[NFTA_MATCH_NAME]),
      let revision = message.uint32(data[NFTA_MATCH_REV]), let info = data[NFTA_MATCH_INFO]
    else { return nil }
    self.init(name, revision: revision, info: message.bytes(info))
  }
}

extension ExtensionTarget {
  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_TARGET_NAME, NFTA_TARGET_REV, NFTA_TARGET_INFO),
      let name = message.name(data[NFTA_TARGET_NAME]),
      let revision = message.uint32(data[NFTA_TARGET_REV]), let info = data[NFTA_TARGET_INFO]
    else { return nil }
    self.init(name, revision: revision, info: message.bytes(info))
  }
}
