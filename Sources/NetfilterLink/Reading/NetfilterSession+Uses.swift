import CNetfilter

// What the kernel counts of its objects, so that nobody has to look for who uses them.

extension NetfilterSession where Transport: ~Copyable {
  /// How many rules a chain has and how many verdicts lead to it, together.
  ///
  /// - Returns: nil where the kernel does not say.
  /// - Throws: ``KernelError/Cause/generationMoved`` when the ruleset is of another generation.
  mutating func readUse(
    ofChain chain: String, in table: TableIdentifier, _ generation: UInt32
  ) throws(KernelError) -> UInt32? {
    try readNumber(
      Int(NFTA_CHAIN_USE.rawValue), .getChain, UInt16(NFTA_CHAIN_NAME.rawValue), chain, table,
      generation)
  }

  /// How many elements a set has.
  ///
  /// - Returns: nil where the kernel does not say, as before Linux 6.16.
  /// - Throws: ``KernelError/Cause/generationMoved`` when the ruleset is of another generation.
  mutating func readElementCount(
    ofSet set: String, in table: TableIdentifier, _ generation: UInt32
  ) throws(KernelError) -> UInt32? {
    try readNumber(
      NewerAttribute.setCount, .getSet, UInt16(NFTA_SET_NAME.rawValue), set, table, generation)
  }

  /// The named counters that no rule counts in.
  ///
  /// - Returns: their names in the kernel's order.
  /// - Throws: ``KernelError/Cause/generationMoved`` when the ruleset is of another generation.
  mutating func readUnusedCounters(
    in table: TableIdentifier, _ generation: UInt32
  ) throws(KernelError) -> [String] {
    var names: [String] = []
    try request(.all(.getObject, of: table, UInt16(generation & 0xffff))) {
      message, reply throws(MalformedAttribute) in
      let last = Int(NFTA_OBJ_USERDATA.rawValue)
      let fields = try AttributeFields(message, reply.checkedAttributes, last: last)
      if message.name(fields[NFTA_OBJ_TABLE]) == table.name,
        message.uint32(fields[NFTA_OBJ_TYPE]) == UInt32(NFT_OBJECT_COUNTER),
        message.uint32(fields[NFTA_OBJ_USE]) == 0, let name = message.name(fields[NFTA_OBJ_NAME])
      {
        names.append(name)
      }
    }
    return names
  }

  private mutating func readNumber(
    _ attribute: Int, _ kind: MessageKind, _ nameType: UInt16, _ name: String,
    _ table: TableIdentifier, _ generation: UInt32
  ) throws(KernelError) -> UInt32? {
    var ask = Request.all(kind, of: table, UInt16(generation & 0xffff))
    ask.names.append((type: nameType, name: name))
    ask.isDump = false
    var number: UInt32?
    try request(ask) { message, reply throws(MalformedAttribute) in
      let fields = try AttributeFields(message, reply.checkedAttributes, last: attribute)
      number = message.uint32(fields[attribute])
    }
    return number
  }
}
