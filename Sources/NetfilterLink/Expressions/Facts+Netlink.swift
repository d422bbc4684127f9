import Bytecode
import CNetfilter

// Rarer expressions that put a fact about the packet into a register.

extension Span<UInt8> {
  /// A conntrack direction that may be missing; nil outside when it is there and neither.
  func direction(_ range: Range<Int>?) -> UInt8?? {
    guard range != nil else { return .some(nil) }
    guard let direction = byte(range), direction <= 1 else { return nil }
    return direction
  }

  /// `NFT_EXTHDR_OP_*`, IPv6 when missing; nil when it is none.
  func extensionHeaderOperation(_ range: Range<Int>?) -> UInt32? {
    guard range != nil else { return 0 }
    return uint32(range).flatMap { $0 <= 4 ? $0 : nil }
  }
}

extension RouteLoad {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "rt")
    handle.set(NFTNL_EXPR_RT_KEY, key.rawValue)
    handle.set(NFTNL_EXPR_RT_DREG, destination.netlinkNumber)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_RT_KEY, NFTA_RT_DREG),
      let key = message.uint32(data[NFTA_RT_KEY]).flatMap(RouteKey.init(rawValue:)),
      let destination = message.register(data[NFTA_RT_DREG])
    else { return nil }
    self.init(key, into: destination)
  }
}

extension SocketLoad {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "socket")
    handle.set(NFTNL_EXPR_SOCKET_KEY, key.rawValue)
    handle.set(NFTNL_EXPR_SOCKET_DREG, destination.netlinkNumber)
    if key == .cgroupv2 { handle.set(NFTNL_EXPR_SOCKET_LEVEL, level) }
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_SOCKET_KEY, NFTA_SOCKET_DREG, NFTA_SOCKET_LEVEL),
      let key = message.uint32(data[NFTA_SOCKET_KEY]).flatMap(SocketKey.init(rawValue:)),
      let level = message.optionalUInt32(data[NFTA_SOCKET_LEVEL]),
      (level == nil) == (key != .cgroupv2),
      let destination = message.register(data[NFTA_SOCKET_DREG])
    else { return nil }
    self.init(key, level: level ?? 0, into: destination)
  }
}

extension TunnelLoad {
  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_TUNNEL_KEY, NFTA_TUNNEL_DREG, NFTA_TUNNEL_MODE),
      let key = message.uint32(data[NFTA_TUNNEL_KEY]).flatMap(TunnelKey.init(rawValue:)),
      let mode = message.optionalUInt32(data[NFTA_TUNNEL_MODE]), mode ?? 0 <= 2,
      let destination = message.register(data[NFTA_TUNNEL_DREG])
    else { return nil }
    self.init(key, mode: mode ?? 0, into: destination)
  }
}

extension TransformLoad {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "xfrm")
    handle.set(NFTNL_EXPR_XFRM_DREG, destination.netlinkNumber)
    handle.set(NFTNL_EXPR_XFRM_KEY, key.rawValue)
    handle.set(NFTNL_EXPR_XFRM_DIR, byte: direction)
    handle.set(NFTNL_EXPR_XFRM_SPNUM, number)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_XFRM_KEY, NFTA_XFRM_DREG, NFTA_XFRM_DIR, NFTA_XFRM_SPNUM),
      let key = message.uint32(data[NFTA_XFRM_KEY]).flatMap(TransformKey.init(rawValue:)),
      let direction = message.byte(data[NFTA_XFRM_DIR]), direction <= 1,
      let number = message.optionalUInt32(data[NFTA_XFRM_SPNUM]),
      let destination = message.register(data[NFTA_XFRM_DREG])
    else { return nil }
    self.init(key, direction: direction, number: number ?? 0, into: destination)
  }
}

extension FingerprintLoad {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "osf")
    handle.set(NFTNL_EXPR_OSF_DREG, destination.netlinkNumber)
    handle.set(NFTNL_EXPR_OSF_TTL, byte: ttl)
    handle.set(NFTNL_EXPR_OSF_FLAGS, flags)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_OSF_DREG, NFTA_OSF_TTL, NFTA_OSF_FLAGS),
      let ttl = message.optionalByte(data[NFTA_OSF_TTL]), ttl ?? 0 <= 2,
      let flags = message.optionalUInt32(data[NFTA_OSF_FLAGS]), flags ?? 0 <= 1,
      let destination = message.register(data[NFTA_OSF_DREG])
    else { return nil }
    self.init(ttl: ttl ?? 0, flags: flags ?? 0, into: destination)
  }
}

extension Hash {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "hash")
    if let source { handle.set(NFTNL_EXPR_HASH_SREG, source.netlinkNumber) }
    handle.set(NFTNL_EXPR_HASH_DREG, destination.netlinkNumber)
    if kind == .jenkins { handle.set(NFTNL_EXPR_HASH_LEN, lengthBytes) }
    handle.set(NFTNL_EXPR_HASH_MODULUS, modulus)
    if let seed { handle.set(NFTNL_EXPR_HASH_SEED, seed) }
    handle.set(NFTNL_EXPR_HASH_OFFSET, offset)
    handle.set(NFTNL_EXPR_HASH_TYPE, kind.rawValue)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_HASH_SREG, NFTA_HASH_DREG, NFTA_HASH_LEN, NFTA_HASH_MODULUS, NFTA_HASH_SEED,
        NFTA_HASH_OFFSET, NFTA_HASH_TYPE),
      let number = message.optionalUInt32(data[NFTA_HASH_TYPE]),
      let kind = HashKind(rawValue: number ?? 0),
      let source = message.optionalRegister(data[NFTA_HASH_SREG]),
      let length = message.optionalUInt32(data[NFTA_HASH_LEN]),
      (source != nil) == (kind == .jenkins), (length != nil) == (kind == .jenkins),
      let modulus = message.uint32(data[NFTA_HASH_MODULUS]),
      let seed = message.optionalUInt32(data[NFTA_HASH_SEED]),
      let offset = message.optionalUInt32(data[NFTA_HASH_OFFSET]),
      let destination = message.register(data[NFTA_HASH_DREG])
    else { return nil }
    self.init(
      kind, source: source, lengthBytes: length ?? 0, modulus: modulus, seed: seed,
      offset: offset ?? 0, into: destination)
  }
}

extension NumberGenerator {
  func handle() throws(KernelError) -> ExpressionHandle {
    let handle = try ExpressionHandle(named: "numgen")
    handle.set(NFTNL_EXPR_NG_DREG, destination.netlinkNumber)
    handle.set(NFTNL_EXPR_NG_MODULUS, modulus)
    handle.set(NFTNL_EXPR_NG_TYPE, kind.rawValue)
    handle.set(NFTNL_EXPR_NG_OFFSET, offset)
    return handle
  }

  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard data.holdsOnly(NFTA_NG_DREG, NFTA_NG_MODULUS, NFTA_NG_TYPE, NFTA_NG_OFFSET),
      let kind = message.uint32(data[NFTA_NG_TYPE]).flatMap(NumberGeneratorKind.init(rawValue:)),
      let modulus = message.uint32(data[NFTA_NG_MODULUS]),
      let offset = message.optionalUInt32(data[NFTA_NG_OFFSET]),
      let destination = message.register(data[NFTA_NG_DREG])
    else { return nil }
    self.init(kind, modulus: modulus, offset: offset ?? 0, into: destination)
  }
}

extension Inner {
  init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        numbers: NewerAttribute.innerNumber, NewerAttribute.innerType, NewerAttribute.innerFlags,
        NewerAttribute.innerHeaderSize, NewerAttribute.innerExpression),
      let type = message.uint32(data[NewerAttribute.innerType]), type <= 2,
      let size = message.uint32(data[NewerAttribute.innerHeaderSize]),
      let flags = message.uint32(data[NewerAttribute.innerFlags]), flags <= 15,
      let range = data[NewerAttribute.innerExpression],
      let expression = try? Expression(message, range)
    else { return nil }
    // The kernel runs no other expression there.
    switch expression {
    case .meta, .payload: break
    default: return nil
    }
    self.init(type: type, headerSizeBytes: size, flags: flags, expression: expression)
  }
}
