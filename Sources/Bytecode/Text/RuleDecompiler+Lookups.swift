/// Lookups and statements that use registers.
extension RuleDecompiler {
  mutating func lookup(_ lookup: Lookup) throws(BytecodeError) {
    guard let set = sets[lookup.set] else { throw refusal("the table has no such set") }
    let (selectors, mask) = try keySelectors(lookup.source, of: set)
    guard lookup.destination == nil || !lookup.isInverted else {
      throw refusal("an inverted lookup has no data")
    }
    guard set.content.count > 0 || !set.flags.contains(.anonymous) else {
      throw refusal("an anonymous set cannot be empty")
    }
    guard let destination = lookup.destination else {
      dropDependencies(of: selectors)
      if selectors.count == 1 {
        let relation: Relation =
          lookup.isInverted ? .notEqual : mask == nil ? .implicit : .equal
        statements.append(.match(selectors[0], mask: mask, relation, .set(set)))
      } else {
        statements.append(
          .concatenatedMatch(selectors, isInverted: lookup.isInverted, set))
      }
      return
    }
    if destination == .verdict {
      guard set.isVerdictMap else { throw refusal("the set holds no verdicts") }
      dropDependencies(of: selectors)
      statements.append(.verdictMap(selectors, mask: mask, set))
    } else {
      guard set.dataType != nil, mask == nil else { throw refusal("the set holds no data") }
      hold(.mapped(selectors, set), in: destination)
    }
  }

  /// The loads that make up a key, one a field, each at a word of its own.
  ///
  /// A key of one field may be masked.
  private mutating func keySelectors(
    _ source: Register, of set: NamedSet
  ) throws(BytecodeError) -> (selectors: [Selector], mask: [UInt8]?) {
    var selectors: [Selector] = []
    var keyMask: [UInt8]?
    var word = source.word
    for key in set.key {
      guard (0...15).contains(word), case .selector(let selector, let mask)? = registers[word],
        mask == nil || (set.key.count == 1 && !selector.type.isBitmask)
      else { throw refusal("the key is not made of plain loads") }
      keyMask = mask
      unread.remove(word)
      let length = set.key.count == 1 ? set.keyLengthBytes : key.lengthBytes
      let isWhole = selector.header.map { Int($0.length) == selector.lengthBytes } ?? true
      guard isWhole, set.flags.contains(.anonymous) || selector.lengthBytes == length else {
        throw refusal("the load is not as long as the key")
      }
      guard matches(selector.type, key, isAnonymous: set.flags.contains(.anonymous)) else {
        throw refusal("nft(8) refuses a key of type \(key.keyword) here")
      }
      guard !set.flags.contains(.interval) || !selector.type.isHostOrder else {
        throw refusal("ranges of values in host order are not modelled")
      }
      selectors.append(selector)
      word += (selector.lengthBytes + 3) / 4
    }
    return (selectors, keyMask)
  }

  /// Whether nft(8) takes a load of one type for a key of another.
  private func matches(_ type: ValueType, _ key: KeyType, isAnonymous: Bool) -> Bool {
    if type == ValueType(key) { return true }
    return key.isInteger && (isAnonymous || type == .number || type == .raw)
  }

  mutating func store(_ store: MetaSet) throws(BytecodeError) {
    guard store.key == .mark || store.key == .nftrace else { throw refusal("not modelled") }
    switch try take(store.source) {
    case .constant(let bytes):
      guard bytes.count == store.key.lengthBytes else { throw refusal("wrong length") }
      statements.append(.metaSet(store.key, bytes))
    case .mapped(let selectors, let set):
      dropDependencies(of: selectors)
      statements.append(.metaSetFromMap(store.key, selectors, set))
    default: throw refusal("stores something that is no constant")
    }
  }

  mutating func redirect(_ redirect: Redirect) throws(BytecodeError) {
    guard redirect.portMax == nil, redirect.flags == [] else {
      throw refusal("ranges and flags are not modelled")
    }
    guard let register = redirect.port else {
      statements.append(.redirect(port: nil))
      return
    }
    guard case .constant(let bytes) = try take(register), bytes.count == 2 else {
      throw refusal("the port is no constant")
    }
    statements.append(.redirect(port: UInt16(bytes[0]) << 8 | UInt16(bytes[1])))
  }

  /// Rejections: nft(8) puts the match on the family at the head of the rule, and one on TCP too.
  mutating func reject(_ reject: Reject) throws(BytecodeError) {
    let isPlain = statements.allSatisfy { if case .match = $0 { true } else { false } }
    switch reject.type {
    case 0:
      guard let family else { throw refusal("needs `meta nfproto` before it") }
      if table.family == .inet, isPlain, isMatch(statements.first, on: .nfproto) {
        statements.removeFirst()
      }
      statements.append(.reject(reject, family: family))
    case 1:
      guard transport == 6, reject.code == 0 else {
        throw refusal("needs `meta l4proto tcp` before it")
      }
      if table.family != .inet, statements.count == 1, isMatch(statements.first, on: .l4proto) {
        statements.removeFirst()
      }
      statements.append(.reject(reject, family: family))
    case 2:
      guard table.family == .inet, reject.code <= 3 else { throw refusal("no such code") }
      statements.append(.reject(reject, family: family))
    default: throw refusal("no such kind of rejection")
    }
  }
}
