import Bytecode
import CNetfilter

// Tables, chains, rules and counters from the messages the kernel dumps.
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
      owner: message.uint32(fields[NFTA_TABLE_OWNER]), comment: comment)
    unknown.note(fields.unknown, of: "table", message)
    // Dormant, owner, persist.
    if flags > 7, let range = fields[NFTA_TABLE_FLAGS] {
      unknown.note(
        [Attribute(type: UInt16(NFTA_TABLE_FLAGS.rawValue), payload: range)], of: "table", message)
    }
  }
}

extension Chain {
  /// Reads a `NFT_MSG_NEWCHAIN`; what has no place in the model goes to its `unknown`.
  init(
    _ message: Span<UInt8>, _ fields: AttributeFields, family: TableFamily
  ) throws(MalformedAttribute) {
    guard let name = message.name(fields[NFTA_CHAIN_NAME]) else {
      throw MalformedAttribute(place: "a chain without a name")
    }
    let comment = fields[NFTA_CHAIN_USERDATA].flatMap {
      UserData.comment(in: message.bytes($0))
    }
    self.init(name: name, comment: comment, handle: message.uint64(fields[NFTA_CHAIN_HANDLE]))
    unknown.note(fields.unknown, of: "chain \(name)", message)
    try readFlags(message, fields)
    guard let hookRange = fields[NFTA_CHAIN_HOOK] else { return }
    let last = Int(NFTA_HOOK_DEVS.rawValue)
    let hookFields = try AttributeFields(message, hookRange, last: last)
    let policy = message.uint32(fields[NFTA_CHAIN_POLICY]) ?? 1
    guard let number = message.uint32(hookFields[NFTA_HOOK_HOOKNUM]),
      let priority = message.uint32(hookFields[NFTA_HOOK_PRIORITY]),
      let type = message.name(fields[NFTA_CHAIN_TYPE])
    else { throw MalformedAttribute(place: "the hook of chain \(name)") }
    let binding = HookBinding(
      type: type, hook: Hook(number: number, family: family),
      priority: Int32(bitPattern: priority), policy: policy == 1 ? .accept : .drop,
      devices: unknown.devices(
        message, one: hookFields[NFTA_HOOK_DEV], list: hookFields[NFTA_HOOK_DEVS],
        of: "chain \(name)"))
    hook = binding
    if policy > 1 || binding.hook == .unknown || !["filter", "nat", "route"].contains(type) {
      unknown.append(
        UnknownItem(kind: "hook of chain \(name)", bytes: message.bytes(hookRange)))
    }
    unknown.note(hookFields.unknown, of: "hook of chain \(name)", message)
  }

  private mutating func readFlags(
    _ message: Span<UInt8>, _ fields: AttributeFields
  ) throws(MalformedAttribute) {
    let base = UInt32(NFT_CHAIN_BASE.rawValue)
    flags = (message.uint32(fields[NFTA_CHAIN_FLAGS]) ?? 0) & ~base
    let known = UInt32(NFT_CHAIN_HW_OFFLOAD.rawValue | NFT_CHAIN_BINDING.rawValue)
    if flags & ~known != 0, let range = fields[NFTA_CHAIN_FLAGS] {
      unknown.note(
        [Attribute(type: UInt16(NFTA_CHAIN_FLAGS.rawValue), payload: range)],
        of: "chain \(name)", message)
    }
    if let range = fields[NFTA_CHAIN_COUNTERS] {
      let last = Int(NFTA_COUNTER_PAD.rawValue)
      counter = Counter(message, try AttributeFields(message, range, last: last))
    }
  }
}

extension [UnknownItem] {
  /// The device names of a hook: one alone, or a list; anything else in the list is noted.
  mutating func devices(
    _ message: Span<UInt8>, one: Range<Int>?, list: Range<Int>?, of owner: String
  ) -> [String] {
    guard let list else { return message.name(one).map { [$0] } ?? [] }
    var names: [String] = []
    var isComplete = true
    do throws(MalformedAttribute) {
      try message.forEachAttribute(in: list) { item throws(MalformedAttribute) in
        guard item.type == UInt16(NFTA_DEVICE_NAME.rawValue), let name = message.name(item.payload)
        else {
          isComplete = false
          return
        }
        names.append(name)
      }
    } catch { isComplete = false }
    if !isComplete {
      append(UnknownItem(kind: "devices of \(owner)", bytes: message.bytes(list)))
    }
    return names
  }
}

extension Rule {
  /// Reads a `NFT_MSG_NEWRULE`; unknown attributes become unknown expressions.
  init(
    _ message: Span<UInt8>, _ fields: AttributeFields
  ) throws(MalformedAttribute) {
    var expressions: [Expression] = []
    if let list = fields[NFTA_RULE_EXPRESSIONS] {
      expressions = try Expression.list(message, list)
    }
    if let compat = fields[NFTA_RULE_COMPAT] {
      expressions.append(.unknown(name: "rule attribute 5", bytes: message.bytes(compat)))
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
