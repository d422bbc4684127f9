import Bytecode
import CNetfilter

extension ObjectContent {
  /// The attributes inside `NFTA_OBJ_DATA`.
  ///
  /// - Throws: ``KernelError`` for what was read from a kernel and not understood.
  var attributes: [UInt8] {
    get throws(KernelError) {
      switch self {
      case .quota(let quota): return try Expression.quota(quota).data
      case .limit(let limit): return try Expression.limit(limit).data
      case .connectionLimit(let limit): return try Expression.connectionLimit(limit).data
      case .synproxy(let proxy): return try Expression.synproxy(proxy).data
      case .tunnel(let bytes): return bytes
      case .conntrackHelper(let helper):
        return write { buffer in
          buffer.append(name: helper.helper, type: UInt16(NFTA_CT_HELPER_NAME.rawValue))
          buffer.append(half: helper.family, type: NFTA_CT_HELPER_L3PROTO)
          buffer.append(byte: helper.layer4Protocol, type: NFTA_CT_HELPER_L4PROTO)
        }
      case .conntrackTimeout(let policy): return write { $0.append(policy) }
      case .secmark(let context):
        return write { $0.append(name: context, type: UInt16(NFTA_SECMARK_CTX.rawValue)) }
      case .conntrackExpectation(let expectation): return write { $0.append(expectation) }
      case .unknown(let type, _):
        throw KernelError(
          operation: "encoding an object of type \(type)",
          cause: .notExpressible("it was read from a kernel and not understood"))
      }
    }
  }

  private func write(_ body: (inout MessageBuffer) -> Void) -> [UInt8] {
    var buffer = MessageBuffer(capacity: 1 << 10)
    body(&buffer)
    return buffer.copy(from: 0)
  }
}

extension Expression {
  /// The attributes inside `NFTA_EXPR_DATA`.
  fileprivate var data: [UInt8] {
    get throws(KernelError) {
      let bytes = try handle(EncodingContext()).attributes()
      let span = bytes.span
      var data: [UInt8] = []
      try? span.forEachAttribute(in: 0..<bytes.count) { attribute throws(MalformedAttribute) in
        if attribute.type == UInt16(NFTA_EXPR_DATA.rawValue) {
          data = Array(bytes[attribute.payload])
        }
      }
      return data
    }
  }
}

extension MessageBuffer {
  fileprivate mutating func append(half value: UInt16, type: some AttributeNumber) {
    append(attribute: UInt16(type.rawValue), payloadBytes: 2)
    append(padded: [UInt8(value >> 8), UInt8(value & 0xff)])
  }

  fileprivate mutating func append(byte value: UInt8, type: some AttributeNumber) {
    append(attribute: UInt16(type.rawValue), payloadBytes: 1)
    append(padded: [value])
  }

  fileprivate mutating func append(_ policy: ConntrackTimeout) {
    append(half: policy.family, type: NFTA_CT_TIMEOUT_L3PROTO)
    append(byte: policy.layer4Protocol, type: NFTA_CT_TIMEOUT_L4PROTO)
    append(
      attribute: UInt16(NFTA_CT_TIMEOUT_DATA.rawValue), payloadBytes: policy.timeouts.count * 8,
      isNested: true)
    for timeout in policy.timeouts {
      append(attribute: timeout.state, payloadBytes: 4)
      append(bigEndian: timeout.seconds)
    }
  }

  fileprivate mutating func append(_ expectation: ConntrackExpectation) {
    append(half: expectation.family, type: NFTA_CT_EXPECT_L3PROTO)
    append(byte: expectation.layer4Protocol, type: NFTA_CT_EXPECT_L4PROTO)
    append(half: expectation.port, type: NFTA_CT_EXPECT_DPORT)
    // The kernel keeps this one number in host order.
    append(attribute: UInt16(NFTA_CT_EXPECT_TIMEOUT.rawValue), payloadBytes: 4)
    append(bigEndian: expectation.timeoutMilliseconds.byteSwapped)
    append(byte: expectation.size, type: NFTA_CT_EXPECT_SIZE)
  }
}
