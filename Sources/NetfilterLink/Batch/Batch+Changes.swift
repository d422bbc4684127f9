import Bytecode
import CNetfilter

/// How far a change has been written; only element lists take more than one message.
enum ChangeProgress {
  case notStarted
  case elements(ElementEncoder, ElementEncoder.Cursor)
  case done
}

extension Batch {
  private static let create = NLM_F_CREATE | NLM_F_EXCL
  private static let append = NLM_F_CREATE | NLM_F_APPEND

  /// Writes one message of a change, or all of a rule with its anonymous sets.
  mutating func write(
    _ change: Change, of table: String, _ progress: inout ChangeProgress
  ) throws(KernelError) {
    if case .elements(let encoder, var cursor) = progress {
      writeElements(change, table, encoder, &cursor)
      progress = encoder.isDone(cursor) ? .done : .elements(encoder, cursor)
      return
    }
    switch change {
    case .addElements(let set), .deleteElements(let set):
      let encoder = try ElementEncoder(set)
      var cursor = ElementEncoder.Cursor()
      if !encoder.isDone(cursor) { writeElements(change, table, encoder, &cursor) }
      progress = encoder.isDone(cursor) ? .done : .elements(encoder, cursor)
      return
    case .addTable(let table): try add(table)
    case .deleteTable:
      let handle = try TableHandle.make(name: table)
      append(.deleteTable, flags: 0, .table(table), handle)
    case .addChain(let chain): try add(chain, to: table)
    case .flushChain(let name):
      let handle = try RuleHandle.make(table: table, chain: name)
      append(.deleteRule, flags: 0, .chain(name), handle)
    case .deleteChain(let name):
      let handle = try ChainHandle.make(table: table, name: name)
      append(.deleteChain, flags: 0, .chain(name), handle)
    case .addSet(let set): try add(set, to: table, identifier: nextSetIdentifier())
    case .flushSet(let name):
      let handle = try SetHandle.make(table: table, name: name)
      append(.deleteElements, flags: 0, .set(name, nil), handle)
    case .deleteSet(let name):
      let handle = try SetHandle.make(table: table, name: name)
      append(.deleteSet, flags: 0, .set(name, nil), handle)
    case .addCounter(let counter):
      let handle = try CounterHandle(table: table, name: counter.name)
      handle.set(
        packets: counter.packets, bytes: counter.bytes,
        userData: try UserData.encode(comment: counter.comment))
      append(.newObject, flags: Batch.create, .counter(counter.name), handle)
    case .addObject(let object): try add(object, to: table)
    case .deleteObject(let object):
      appendDirect(.deleteObject, flags: 0, .object(object.name)) { buffer in
        buffer.append(name: table, type: UInt16(NFTA_OBJ_TABLE.rawValue))
        buffer.append(name: object.name, type: UInt16(NFTA_OBJ_NAME.rawValue))
        buffer.append(attribute: UInt16(NFTA_OBJ_TYPE.rawValue), payloadBytes: 4)
        buffer.append(bigEndian: object.content.type)
      }
    case .deleteCounter(let name):
      let handle = try CounterHandle(table: table, name: name)
      append(.deleteObject, flags: 0, .counter(name), handle)
    case .addRule(let rule, let chain, let position, let sets):
      try add(rule, to: table, chain, position, sets)
    }
    progress = .done
  }

  private mutating func add(_ object: NamedObject, to table: String) throws(KernelError) {
    let data = try object.content.attributes
    let userData = try UserData.encode(comment: object.comment)
    appendDirect(.newObject, flags: Batch.create, .object(object.name)) { buffer in
      buffer.append(name: table, type: UInt16(NFTA_OBJ_TABLE.rawValue))
      buffer.append(name: object.name, type: UInt16(NFTA_OBJ_NAME.rawValue))
      buffer.append(attribute: UInt16(NFTA_OBJ_TYPE.rawValue), payloadBytes: 4)
      buffer.append(bigEndian: object.content.type)
      buffer.append(
        attribute: UInt16(NFTA_OBJ_DATA.rawValue), payloadBytes: data.count, isNested: true)
      buffer.append(padded: data)
      guard !userData.isEmpty else { return }
      buffer.append(attribute: UInt16(NFTA_OBJ_USERDATA.rawValue), payloadBytes: userData.count)
      buffer.append(padded: userData)
    }
  }

  private mutating func add(_ table: Table) throws(KernelError) {
    let handle = try TableHandle.make(name: table.name)
    try handle.set(flags: table.flags, userData: UserData.encode(comment: table.comment))
    append(.newTable, flags: Batch.create, .table(table.name), handle)
  }

  private mutating func add(_ chain: Chain, to table: String) throws(KernelError) {
    let handle = try ChainHandle.make(table: table, name: chain.name)
    if let hook = chain.hook {
      guard let number = hook.hook.number(in: family) else {
        throw KernelError(
          operation: "encoding chain \(chain.name)",
          cause: .notExpressible("the family has no such hook"))
      }
      try handle.set(
        hook: number, priority: hook.priority, type: hook.type,
        policy: UInt32(bitPattern: hook.policy.code))
    }
    if let devices = chain.hook?.devices, !devices.isEmpty { try handle.set(devices: devices) }
    guard chain.flags & ~UInt32(NFT_CHAIN_HW_OFFLOAD.rawValue) == 0 else {
      throw KernelError(
        operation: "encoding chain \(chain.name)",
        cause: .notExpressible("a chain that belongs to one rule is not written"))
    }
    if chain.flags != 0 { handle.set(flags: chain.flags) }
    let userData = try UserData.encode(comment: chain.comment)
    if !userData.isEmpty { try handle.set(userData: userData) }
    append(.newChain, flags: Batch.create, .chain(chain.name), handle)
  }

  private mutating func add(
    _ set: NamedSet, to table: String, identifier: UInt32
  ) throws(KernelError) {
    let handle = try set.handle(table: table, identifier: identifier)
    append(.newSet, flags: Batch.create, .set(set.name, set.provenance), handle)
  }

  private mutating func add(
    _ rule: Rule, to table: String, _ chain: String, _ position: Int, _ sets: [NamedSet]
  ) throws(KernelError) {
    var context = EncodingContext()
    for set in sets where context.anonymousSets[set.name] == nil {
      let identifier = nextSetIdentifier()
      context.anonymousSets[set.name] = identifier
      try add(set, to: table, identifier: identifier)
      let encoder = try ElementEncoder(set)
      var cursor = ElementEncoder.Cursor()
      while !encoder.isDone(cursor) {
        writeElements(.addElements(set), table, encoder, &cursor, identifier: identifier)
      }
    }
    let handle = try RuleHandle.make(table: table, chain: chain)
    for expression in rule.expressions { handle.append(try expression.handle(context)) }
    let userData = try UserData.encode(comment: rule.comment)
    if !userData.isEmpty { try handle.set(userData: userData) }
    let subject = Subject.rule(position: position, chain: chain, rule)
    append(.newRule, flags: Batch.append, subject, handle)
  }

  private mutating func writeElements(
    _ change: Change, _ table: String, _ encoder: ElementEncoder,
    _ cursor: inout ElementEncoder.Cursor, identifier: UInt32? = nil
  ) {
    let isAdding: Bool
    let set: NamedSet
    switch change {
    case .addElements(let target): (isAdding, set) = (true, target)
    case .deleteElements(let target): (isAdding, set) = (false, target)
    default: preconditionFailure("only element changes have elements")
    }
    let name = identifier == nil ? set.name : NamedSet.template(forAnonymous: set.name)
    appendDirect(
      isAdding ? .newElements : .deleteElements, flags: isAdding ? Batch.create : 0,
      .elements(of: set.name, set.provenance)
    ) { buffer in
      buffer.append(name: table, type: UInt16(NFTA_SET_ELEM_LIST_TABLE.rawValue))
      buffer.append(name: name, type: UInt16(NFTA_SET_ELEM_LIST_SET.rawValue))
      if let identifier {
        buffer.append(attribute: UInt16(NFTA_SET_ELEM_LIST_SET_ID.rawValue), payloadBytes: 4)
        buffer.append(bigEndian: identifier)
      }
      encoder.write(&buffer, &cursor)
    }
  }
}
