import Bytecode
import CNetfilter

// Tables, chains, rules, sets and counters from the messages the kernel dumps.
// Source: nf_tables_fill_*_info, net/netfilter/nf_tables_api.c.

extension Table {
  /// Reads a `NFT_MSG_NEWTABLE`.
  init(_ message: Span<UInt8>, _ reply: ReplyMessage) throws(MalformedAttribute) {
    let last = Int(NFTA_TABLE_OWNER.rawValue)
    let fields = try AttributeFields(message, reply.checkedAttributes, last: last)
    guard let name = message.name(fields[NFTA_TABLE_NAME]),
      let family = TableFamily(rawValue: message[reply.payload.lowerBound])
    else { throw MalformedAttribute(place: "a table without a name or of an unknown family") }
    let comment = fields[NFTA_TABLE_USERDATA].flatMap {
      UserData.comment(in: message.bytes($0))
    }
    self.init(
      family: family, name: name, flags: message.uint32(fields[NFTA_TABLE_FLAGS]) ?? 0,
      comment: comment)
    unknown.note(fields.unknown, of: "table", message)
  }
}

extension Chain {
  /// Reads a `NFT_MSG_NEWCHAIN`; what has no place in the model goes to `unknown`.
  init(
    _ message: Span<UInt8>, _ fields: AttributeFields, unknown: inout [UnknownItem]
  ) throws(MalformedAttribute) {
    guard let name = message.name(fields[NFTA_CHAIN_NAME]) else {
      throw MalformedAttribute(place: "a chain without a name")
    }
    let comment = fields[NFTA_CHAIN_USERDATA].flatMap {
      UserData.comment(in: message.bytes($0))
    }
    self.init(name: name, comment: comment, handle: message.uint64(fields[NFTA_CHAIN_HANDLE]))
    unknown.note(fields.unknown, of: "chain \(name)", message)
    let flags = message.uint32(fields[NFTA_CHAIN_FLAGS]) ?? 0
    if flags & ~UInt32(NFT_CHAIN_BASE.rawValue) != 0, let range = fields[NFTA_CHAIN_FLAGS] {
      unknown.note(
        [Attribute(type: UInt16(NFTA_CHAIN_FLAGS.rawValue), payload: range)],
        of: "chain \(name)", message)
    }
    guard let hookRange = fields[NFTA_CHAIN_HOOK] else { return }
    let last = Int(NFTA_HOOK_DEVS.rawValue)
    let hookFields = try AttributeFields(message, hookRange, last: last)
    let policy = message.uint32(fields[NFTA_CHAIN_POLICY]) ?? 1
    guard let number = message.uint32(hookFields[NFTA_HOOK_HOOKNUM]),
      let priority = message.uint32(hookFields[NFTA_HOOK_PRIORITY]),
      let type = message.name(fields[NFTA_CHAIN_TYPE]), let hook = Hook(rawValue: number),
      policy <= 1
    else { throw MalformedAttribute(place: "the hook of chain \(name)") }
    self.hook = HookBinding(
      type: type, hook: hook, priority: Int32(bitPattern: priority),
      policy: policy == 1 ? .accept : .drop)
    for number in [NFTA_HOOK_DEV, NFTA_HOOK_DEVS] {
      guard let range = hookFields[number] else { continue }
      unknown.append(
        UnknownItem(kind: "devices of chain \(name)", bytes: message.bytes(range)))
    }
    unknown.note(hookFields.unknown, of: "hook of chain \(name)", message)
  }
}

extension Rule {
  /// Reads a `NFT_MSG_NEWRULE`; unknown attributes become unknown expressions.
  init(
    _ message: Span<UInt8>, _ fields: AttributeFields
  ) throws(MalformedAttribute) {
    var expressions: [Expression] = []
    if let list = fields[NFTA_RULE_EXPRESSIONS] {
      var offset = list.lowerBound
      while offset < list.upperBound {
        guard let item = message.attribute(at: offset, end: list.upperBound) else {
          throw MalformedAttribute(place: "a rule's expressions")
        }
        expressions.append(try Expression(message, item.payload))
        offset += (item.payload.count + 4 + 3) / 4 * 4
      }
    }
    for attribute in fields.unknown {
      expressions.append(
        .unknown(
          name: "rule attribute \(attribute.type)", bytes: message.bytes(attribute.payload)))
    }
    let comment = fields[NFTA_RULE_USERDATA].flatMap { UserData.comment(in: message.bytes($0)) }
    self.init(
      expressions, comment: comment, handle: message.uint64(fields[NFTA_RULE_HANDLE]))
  }
}

extension NamedCounter {
  /// Reads a `NFT_MSG_NEWOBJ`; nil when it is another kind of object, or has unknown attributes.
  init?(
    _ message: Span<UInt8>, _ fields: AttributeFields
  ) throws(MalformedAttribute) {
    guard fields.unknown.isEmpty,
      message.uint32(fields[NFTA_OBJ_TYPE]) == UInt32(NFT_OBJECT_COUNTER),
      let name = message.name(fields[NFTA_OBJ_NAME]), let data = fields[NFTA_OBJ_DATA],
      let counter = Counter(message, try AttributeFields(message, data, last: 3))
    else { return nil }
    let comment = fields[NFTA_OBJ_USERDATA].flatMap { UserData.comment(in: message.bytes($0)) }
    self.init(name: name, comment: comment, packets: counter.packets, bytes: counter.bytes)
  }
}

extension NamedSet {
  /// Reads a `NFT_MSG_NEWSET`, without elements; nil when its key or data type is not modelled.
  init?(
    _ message: Span<UInt8>, _ fields: AttributeFields, unknown: inout [UnknownItem]
  ) throws(MalformedAttribute) {
    guard let name = message.name(fields[NFTA_SET_NAME]),
      let keyNumber = message.uint32(fields[NFTA_SET_KEY_TYPE]),
      let key = NamedSet.keyTypes(keyNumber),
      let keyLength = message.uint32(fields[NFTA_SET_KEY_LEN])
    else { return nil }
    let flags = SetFlags(rawValue: message.uint32(fields[NFTA_SET_FLAGS]) ?? 0)
    let dataNumber = message.uint32(fields[NFTA_SET_DATA_TYPE])
    let isVerdictMap = flags.contains(.map) && dataNumber == NamedSet.verdictDataType
    var dataType: KeyType?
    if flags.contains(.map), !isVerdictMap {
      dataType = dataNumber.flatMap(KeyType.init(rawValue:))
      let length = message.uint32(fields[NFTA_SET_DATA_LEN])
      guard let dataType, length == UInt32(dataType.lengthBytes) else { return nil }
    }
    let userData = fields[NFTA_SET_USERDATA].map { message.bytes($0) } ?? []
    let described = UserData.setFields(in: userData)
    let size = try NamedSet.size(message, fields[NFTA_SET_DESC])
    self.init(
      name: name, flags: flags, key: key, isVerdictMap: isVerdictMap, dataType: dataType,
      size: flags.contains(.anonymous) ? nil : size, comment: described.comment,
      typeof: described.typeof, content: .elements([]))
    if typeof?.lengthBytes != keyLength { typeof = nil }
    guard wireKeyLength == Int(keyLength) else { return nil }
    let behaviour = [
      NFTA_SET_TIMEOUT, NFTA_SET_POLICY, NFTA_SET_OBJ_TYPE, NFTA_SET_EXPR, NFTA_SET_EXPRESSIONS,
    ]
    for number in behaviour {
      guard let range = fields[number] else { continue }
      unknown.note(
        [Attribute(type: UInt16(number.rawValue), payload: range)], of: "set \(name)", message)
    }
    unknown.note(fields.unknown, of: "set \(name)", message)
  }

  /// The key's fields; nil when one is not modelled.
  private static func keyTypes(_ number: UInt32) -> [KeyType]? {
    var fields: [KeyType] = []
    var rest = number
    repeat {
      guard let type = KeyType(rawValue: rest & 0x3f) else { return nil }
      fields.insert(type, at: 0)
      rest >>= 6
    } while rest != 0
    return fields
  }

  private static func size(
    _ message: Span<UInt8>, _ range: Range<Int>?
  ) throws(MalformedAttribute) -> UInt32? {
    guard let range else { return nil }
    return message.uint32(try AttributeFields(message, range, last: 2)[1])
  }
}
