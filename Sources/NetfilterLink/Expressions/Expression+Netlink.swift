import Bytecode
import CNetfilter

/// What the encoder of an expression needs to know about its surroundings.
struct EncodingContext {
  /// Ids of the anonymous sets of the rule being encoded, by their name in the model.
  var anonymousSets: [String: UInt32] = [:]
}

extension Expression {
  /// Makes the libnftnl object.
  ///
  /// - Throws: ``KernelError`` when the expression is not one weir can write.
  func handle(_ context: EncodingContext) throws(KernelError) -> ExpressionHandle {
    switch self {
    case .meta(let load): try load.handle()
    case .metaSet(let store): try store.handle()
    case .payload(let load): try load.handle()
    case .ct(let load): try load.handle()
    case .compare(let compare): try compare.handle()
    case .range(let compare): try compare.handle()
    case .bitwise(let bitwise): try bitwise.handle()
    case .byteorder(let byteorder): try byteorder.handle()
    case .lookup(let lookup): try lookup.handle(context)
    case .immediate(let immediate): try immediate.handle()
    case .counter(let counter): try counter.handle()
    case .objectReference(let reference): try reference.handle()
    case .reject(let reject): try reject.handle()
    case .extensionHeader(let load): try load.handle()
    case .fib(let load): try load.handle()
    case .redirect(let redirect): try redirect.handle()
    case .unknown(let name, _):
      throw KernelError(
        operation: "encoding expression \(name)",
        cause: .notExpressible("it was read from a kernel and not understood"))
    default: try rareHandle(context)
    }
  }

  private func rareHandle(_ context: EncodingContext) throws(KernelError) -> ExpressionHandle {
    switch self {
    case .payloadSet(let store): try store.handle()
    case .ctSet(let store): try store.handle()
    case .shift(let shift): try shift.handle()
    case .dynamicSet(let dynamic): try dynamic.handle(context)
    case .objectMap(let map): try map.handle(context)
    case .extensionHeaderSet(let store): try store.handle()
    case .extensionHeaderReset(let reset): try reset.handle()
    case .nat(let nat): try nat.handle()
    case .masquerade(let masquerade): try masquerade.handle()
    case .duplicate(let duplicate): try duplicate.handle()
    case .forward(let forward): try forward.handle()
    case .flowOffload(let offload): try offload.handle()
    case .hash(let hash): try hash.handle()
    case .last(let last): try last.handle()
    case .limit(let limit): try limit.handle()
    case .log(let log): try log.handle()
    case .notrack: try ExpressionHandle(named: "notrack")
    case .numberGenerator(let generator): try generator.handle()
    case .fingerprint(let load): try load.handle()
    case .queue(let queue): try queue.handle()
    case .quota(let quota): try quota.handle()
    case .connectionLimit(let limit): try limit.handle()
    case .route(let load): try load.handle()
    case .socket(let load): try load.handle()
    case .synproxy(let proxy): try proxy.handle()
    case .transparentProxy(let proxy): try proxy.handle()
    case .transform(let load): try load.handle()
    case .match(let match): try match.handle()
    case .target(let target): try target.handle()
    // `inner`, `tunnel` and operations of two registers: libnftnl 1.2.4 has no words for them.
    default:
      throw KernelError(
        operation: "encoding expression \(name)",
        cause: .notExpressible("libnftnl does not know all of it"))
    }
  }

  /// Reads one list element of `NFTA_RULE_EXPRESSIONS`: name and data.
  ///
  /// Whatever is not understood to the last attribute becomes `.unknown` with its bytes.
  init(_ message: Span<UInt8>, _ range: Range<Int>) throws(MalformedAttribute) {
    let outer = try AttributeFields(message, range, last: 2)
    guard let name = message.name(outer[1]) else {
      throw MalformedAttribute(place: "expression without a name")
    }
    let payload = outer[2] ?? range.upperBound..<range.upperBound
    if outer.unknown.isEmpty {
      let data = try AttributeFields(message, payload, last: 11)
      if data.unknown.isEmpty, let known = Expression.known(name, message, data) {
        self = known
        return
      }
    }
    self = .unknown(name: name, bytes: message.bytes(payload))
  }

  private static func known(
    _ name: String, _ message: Span<UInt8>, _ data: AttributeFields
  ) -> Expression? {
    switch name {
    case "meta":
      return MetaLoad(message, data).map(Expression.meta)
        ?? MetaSet(message, data).map(Expression.metaSet)
    case "payload":
      return PayloadLoad(message, data).map(Expression.payload)
        ?? PayloadSet(message, data).map(Expression.payloadSet)
    case "ct":
      return ConntrackLoad(message, data).map(Expression.ct)
        ?? ConntrackSet(message, data).map(Expression.ctSet)
    case "cmp": return Compare(message, data).map(Expression.compare)
    case "range": return RangeCompare(message, data).map(Expression.range)
    case "bitwise":
      return Bitwise(message, data).map(Expression.bitwise)
        ?? Shift(message, data).map(Expression.shift)
        ?? BitwiseOperation(message, data).map(Expression.bitwiseOperation)
    case "byteorder": return Byteorder(message, data).map(Expression.byteorder)
    case "lookup": return Lookup(message, data).map(Expression.lookup)
    case "immediate": return Immediate(message, data).map(Expression.immediate)
    case "counter": return Counter(message, data).map(Expression.counter)
    case "objref":
      return ObjectReference(message, data).map(Expression.objectReference)
        ?? ObjectMap(message, data).map(Expression.objectMap)
    case "reject": return Reject(message, data).map(Expression.reject)
    case "exthdr":
      return ExtensionHeaderLoad(message, data).map(Expression.extensionHeader)
        ?? ExtensionHeaderSet(message, data).map(Expression.extensionHeaderSet)
        ?? ExtensionHeaderReset(message, data).map(Expression.extensionHeaderReset)
    case "fib": return FibLoad(message, data).map(Expression.fib)
    case "match": return ExtensionMatch(message, data).map(Expression.match)
    case "target": return ExtensionTarget(message, data).map(Expression.target)
    case "limit": return Limit(message, data).map(Expression.limit)
    case "log": return Log(message, data).map(Expression.log)
    default: return rare(name, message, data)
    }
  }

  private static func rare(
    _ name: String, _ message: Span<UInt8>, _ data: AttributeFields
  ) -> Expression? {
    switch name {
    case "dynset": DynamicSet(message, data).map(Expression.dynamicSet)
    case "nat": NAT(message, data).map(Expression.nat)
    case "masq": Masquerade(message, data).map(Expression.masquerade)
    case "redir": Redirect(message, data).map(Expression.redirect)
    case "dup": Duplicate(message, data).map(Expression.duplicate)
    case "fwd": Forward(message, data).map(Expression.forward)
    case "flow_offload": FlowOffload(message, data).map(Expression.flowOffload)
    case "hash": Hash(message, data).map(Expression.hash)
    case "inner": Inner(message, data).map(Expression.inner)
    case "last": Last(message, data).map(Expression.last)
    case "notrack": data.holdsOnly(numbers: 0) ? .notrack : nil
    case "numgen": NumberGenerator(message, data).map(Expression.numberGenerator)
    case "osf": FingerprintLoad(message, data).map(Expression.fingerprint)
    case "queue": Queue(message, data).map(Expression.queue)
    case "quota": Quota(message, data).map(Expression.quota)
    case "connlimit": ConnectionLimit(message, data).map(Expression.connectionLimit)
    case "rt": RouteLoad(message, data).map(Expression.route)
    case "socket": SocketLoad(message, data).map(Expression.socket)
    case "synproxy": Synproxy(message, data).map(Expression.synproxy)
    case "tproxy": TransparentProxy(message, data).map(Expression.transparentProxy)
    case "tunnel": TunnelLoad(message, data).map(Expression.tunnel)
    case "xfrm": TransformLoad(message, data).map(Expression.transform)
    default: nil
    }
  }

  /// Reads a nest of several expressions, each in an `NFTA_LIST_ELEM`.
  static func list(
    _ message: Span<UInt8>, _ range: Range<Int>
  ) throws(MalformedAttribute) -> [Expression] {
    var expressions: [Expression] = []
    // A load, a comparison and what follows from them: most rules have no more.
    expressions.reserveCapacity(8)
    var offset = range.lowerBound
    while offset < range.upperBound {
      guard let item = message.attribute(at: offset, end: range.upperBound) else {
        throw MalformedAttribute(place: "a list of expressions")
      }
      if item.type == UInt16(NFTA_LIST_ELEM.rawValue) {
        expressions.append(try Expression(message, item.payload))
      } else {
        let bytes = message.bytes(item.payload)
        expressions.append(.unknown(name: "list attribute \(item.type)", bytes: bytes))
      }
      offset += (item.payload.count + 4 + 3) / 4 * 4
    }
    return expressions
  }

  /// The expressions of a set, an element or a `dynset`: one alone, or a list.
  static func attached(
    _ message: Span<UInt8>, one: Range<Int>?, list: Range<Int>?
  ) throws(MalformedAttribute) -> [Expression] {
    var expressions: [Expression] = []
    if let one { expressions.append(try Expression(message, one)) }
    if let list { expressions += try Expression.list(message, list) }
    return expressions
  }
}

extension Span<UInt8> {
  /// A register number; nil when missing or not one.
  func register(_ range: Range<Int>?) -> Register? {
    uint32(range).flatMap(Register.init(netlinkNumber:))
  }

  /// A register that may be missing; nil outside when it is there and none.
  func optionalRegister(_ range: Range<Int>?) -> Register?? {
    guard range != nil else { return .some(nil) }
    return register(range).map { .some($0) }
  }
}
