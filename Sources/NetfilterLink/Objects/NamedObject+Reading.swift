import Bytecode
import CNetfilter

extension NamedObject {
  /// Reads a `NFT_MSG_NEWOBJ` that is no counter; data that are not understood are kept as bytes.
  init(
    _ message: Span<UInt8>, _ fields: AttributeFields
  ) throws(MalformedAttribute) {
    guard let name = message.name(fields[NFTA_OBJ_NAME]),
      let type = message.uint32(fields[NFTA_OBJ_TYPE])
    else { throw MalformedAttribute(place: "an object without a name or a type") }
    let comment = fields[NFTA_OBJ_USERDATA].flatMap { UserData.comment(in: message.bytes($0)) }
    let range = fields[NFTA_OBJ_DATA] ?? 0..<0
    self.init(
      name: name, comment: comment,
      content: ObjectContent.known(type, message, range)
        ?? .unknown(type: type, bytes: message.bytes(range)),
      handle: message.uint64(fields[NFTA_OBJ_HANDLE]))
    unknown.note(fields.unknown, of: "object \(name)", message)
    if case .unknown = content {
      unknown.append(
        UnknownItem(kind: "object \(name) of type \(type)", bytes: message.bytes(range)))
    }
  }
}

extension ObjectContent {
  fileprivate static func known(
    _ type: UInt32, _ message: Span<UInt8>, _ range: Range<Int>
  ) -> ObjectContent? {
    if type == UInt32(NFT_OBJECT_TUNNEL) { return .tunnel(message.bytes(range)) }
    guard let data = try? AttributeFields(message, range, last: 6), data.unknown.isEmpty else {
      return nil
    }
    switch Int32(bitPattern: type) {
    case NFT_OBJECT_QUOTA: return Quota(message, data).map(ObjectContent.quota)
    case NFT_OBJECT_CT_HELPER:
      return ConntrackHelper(message, data).map(ObjectContent.conntrackHelper)
    case NFT_OBJECT_LIMIT: return Limit(message, data).map(ObjectContent.limit)
    case NFT_OBJECT_CONNLIMIT:
      return ConnectionLimit(message, data).map(ObjectContent.connectionLimit)
    case NFT_OBJECT_CT_TIMEOUT:
      return ConntrackTimeout(message, data).map(ObjectContent.conntrackTimeout)
    case NFT_OBJECT_SECMARK:
      guard data.holdsOnly(numbers: 1), let context = message.name(data[1]) else { return nil }
      return .secmark(context: context)
    case NFT_OBJECT_CT_EXPECT:
      return ConntrackExpectation(message, data).map(ObjectContent.conntrackExpectation)
    case NFT_OBJECT_SYNPROXY: return Synproxy(message, data).map(ObjectContent.synproxy)
    default: return nil
    }
  }
}

extension ConntrackHelper {
  fileprivate init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(NFTA_CT_HELPER_NAME, NFTA_CT_HELPER_L3PROTO, NFTA_CT_HELPER_L4PROTO),
      let helper = message.name(data[NFTA_CT_HELPER_NAME]),
      let family = message.uint16(data[NFTA_CT_HELPER_L3PROTO]),
      let layer4 = message.byte(data[NFTA_CT_HELPER_L4PROTO])
    else { return nil }
    self.init(helper: helper, family: family, layer4Protocol: layer4)
  }
}

extension ConntrackTimeout {
  fileprivate init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(NFTA_CT_TIMEOUT_L3PROTO, NFTA_CT_TIMEOUT_L4PROTO, NFTA_CT_TIMEOUT_DATA),
      let family = message.uint16(data[NFTA_CT_TIMEOUT_L3PROTO]),
      let layer4 = message.byte(data[NFTA_CT_TIMEOUT_L4PROTO]),
      let list = data[NFTA_CT_TIMEOUT_DATA]
    else { return nil }
    var timeouts: [Timeout] = []
    var isComplete = true
    try? message.forEachAttribute(in: list) { item throws(MalformedAttribute) in
      guard let seconds = message.uint32(item.payload) else {
        isComplete = false
        return
      }
      timeouts.append(Timeout(state: item.type, seconds: seconds))
    }
    guard isComplete, !timeouts.isEmpty else { return nil }
    self.init(family: family, layer4Protocol: layer4, timeouts: timeouts)
  }
}

extension ConntrackExpectation {
  fileprivate init?(_ message: Span<UInt8>, _ data: AttributeFields) {
    guard
      data.holdsOnly(
        NFTA_CT_EXPECT_L3PROTO, NFTA_CT_EXPECT_L4PROTO, NFTA_CT_EXPECT_DPORT,
        NFTA_CT_EXPECT_TIMEOUT, NFTA_CT_EXPECT_SIZE),
      let family = message.uint16(data[NFTA_CT_EXPECT_L3PROTO]),
      let layer4 = message.byte(data[NFTA_CT_EXPECT_L4PROTO]),
      let port = message.uint16(data[NFTA_CT_EXPECT_DPORT]),
      let timeout = data[NFTA_CT_EXPECT_TIMEOUT], timeout.count == 4,
      let size = message.byte(data[NFTA_CT_EXPECT_SIZE])
    else { return nil }
    // The kernel keeps this one number in host order.
    self.init(
      family: family, layer4Protocol: layer4, port: port,
      timeoutMilliseconds: message.hostWord(at: timeout.lowerBound), size: size)
  }
}

extension Flowtable {
  /// Reads a `NFT_MSG_NEWFLOWTABLE`; what has no place in the model goes to its `unknown`.
  init(
    _ message: Span<UInt8>, _ fields: AttributeFields
  ) throws(MalformedAttribute) {
    guard let name = message.name(fields[NFTA_FLOWTABLE_NAME]),
      let hookRange = fields[NFTA_FLOWTABLE_HOOK]
    else { throw MalformedAttribute(place: "a flowtable without a name or a hook") }
    let last = Int(NFTA_FLOWTABLE_HOOK_DEVS.rawValue)
    let hookFields = try AttributeFields(message, hookRange, last: last)
    var unknown: [UnknownItem] = []
    let devices = unknown.devices(
      message, one: nil, list: hookFields[NFTA_FLOWTABLE_HOOK_DEVS], of: "flowtable \(name)")
    let number = message.uint32(hookFields[NFTA_FLOWTABLE_HOOK_NUM]) ?? 0
    let flags = message.uint32(fields[NFTA_FLOWTABLE_FLAGS]) ?? 0
    self.init(
      name: name, hook: number == 0 ? .ingress : .unknown,
      priority: Int32(
        bitPattern: message.uint32(hookFields[NFTA_FLOWTABLE_HOOK_PRIORITY]) ?? 0),
      devices: devices, flags: flags, handle: message.uint64(fields[NFTA_FLOWTABLE_HANDLE]),
      unknown: unknown)
    self.unknown.note(fields.unknown + hookFields.unknown, of: "flowtable \(name)", message)
    if number != 0 || flags > 3 {
      self.unknown.append(
        UnknownItem(kind: "hook or flags of flowtable \(name)", bytes: message.bytes(hookRange)))
    }
  }
}
