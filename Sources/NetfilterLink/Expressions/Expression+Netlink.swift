import Bytecode
import CNetfilter

/// What the encoder of an expression needs to know about its surroundings.
struct EncodingContext {
  /// Ids of the anonymous sets of the rule being encoded, by their name in the model.
  var anonymousSets: [String: UInt32] = [:]
}

extension Expression {
  /// The name netlink gives the expression.
  var netlinkName: String {
    switch self {
    case .meta, .metaSet: "meta"
    case .payload: "payload"
    case .ct: "ct"
    case .compare: "cmp"
    case .range: "range"
    case .bitwise: "bitwise"
    case .byteorder: "byteorder"
    case .lookup: "lookup"
    case .immediate: "immediate"
    case .counter: "counter"
    case .objectReference: "objref"
    case .reject: "reject"
    case .extensionHeader: "exthdr"
    case .fib: "fib"
    case .redirect: "redir"
    case .unknown(let name, _): name
    }
  }

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
      if let load = MetaLoad(message, data) { return .meta(load) }
      return MetaSet(message, data).map(Expression.metaSet)
    case "payload": return PayloadLoad(message, data).map(Expression.payload)
    case "ct": return ConntrackLoad(message, data).map(Expression.ct)
    case "cmp": return Compare(message, data).map(Expression.compare)
    case "range": return RangeCompare(message, data).map(Expression.range)
    case "bitwise": return Bitwise(message, data).map(Expression.bitwise)
    case "byteorder": return Byteorder(message, data).map(Expression.byteorder)
    case "lookup": return Lookup(message, data).map(Expression.lookup)
    case "immediate": return Immediate(message, data).map(Expression.immediate)
    case "counter": return Counter(message, data).map(Expression.counter)
    case "objref": return ObjectReference(message, data).map(Expression.objectReference)
    case "reject": return Reject(message, data).map(Expression.reject)
    case "exthdr": return ExtensionHeaderLoad(message, data).map(Expression.extensionHeader)
    case "fib": return FibLoad(message, data).map(Expression.fib)
    case "redir": return Redirect(message, data).map(Expression.redirect)
    default: return nil
    }
  }
}

extension Span<UInt8> {
  /// A register number; nil when missing or not one.
  func register(_ range: Range<Int>?) -> Register? {
    uint32(range).flatMap(Register.init(netlinkNumber:))
  }
}
