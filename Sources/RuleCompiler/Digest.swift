import Bytecode
import Hashing
import NetworkTypes

extension Table {
  /// SHA-256 of the table, 64 hexadecimal digits.
  ///
  /// Content-named sets stand for themselves by their names. What a kernel never sees (handles,
  /// provenance) is left out. O(n).
  var digest: String {
    var encoding = TableEncoding()
    encoding.put(self)
    var hash = SHA256()
    hash.update(contentsOf: encoding.bytes.span)
    return hash.hexDigest()
  }
}

/// A table as bytes from which it could be read back, so that unequal tables have unequal bytes.
///
/// Every text and list stands behind its length, every choice behind a number of its own; numbers
/// are written seven bits a byte, the lowest first, all but the last byte with the top bit set.
/// For digests only; nothing reads it.
struct TableEncoding {
  private(set) var bytes: [UInt8] = []

  mutating func put(_ table: Table) {
    put(2 as UInt8)  // of this form; a change of it changes every digest
    put(table.family.rawValue)
    put(table.name)
    put(table.flags)
    put(table.owner)
    put(table.comment)
    put(table.counters) { encoding, counter in
      encoding.put(counter.name)
      encoding.put(counter.comment)
    }
    put(table.sets) { $0.put($1) }
    put(table.chains) { $0.put($1) }
    put(table.objects) { $0.put($1) }
    put(table.flowtables) { $0.put("\($1)") }
    put(table.unknown)
  }

  /// Printing an object costs more than all the rest of a small table.
  private mutating func put(_ object: NamedObject) {
    put(object.name)
    put(object.comment)
    guard case .conntrackTimeout(let policy) = object.content else {
      put(0 as UInt8)
      put("\(object.content)")
      return
    }
    put(1 as UInt8)
    put(policy.family)
    put(policy.layer4Protocol)
    put(policy.timeouts) { encoding, timeout in
      encoding.put(timeout.state)
      encoding.put(timeout.seconds)
    }
  }

  // MARK: Sets

  private mutating func put(_ set: NamedSet) {
    put(set.name)
    put(set.flags.rawValue)
    put(set.key) { $0.put($1) }
    put(set.isVerdictMap)
    put(set.dataType != nil)
    if let type = set.dataType { put(type) }
    put(set.size)
    put(set.timeoutMilliseconds)
    put(set.gcIntervalMilliseconds)
    put(set.policy)
    put(set.expressions) { $0.put($1) }
    put(set.objectType)
    put(set.comment)
    put(set.typeof.map { Expression.payload($0) })
    put(set.isRuntimeState)
    // The name is a digest of the content.
    put(set.name.hasPrefix("addresses/") ? SetContent.elements([]) : set.content)
    put(set.unknown)
  }

  private mutating func put(_ type: KeyType) {
    put(type.rawValue)
    put(UInt32(type.lengthBytes))
  }

  private mutating func put(_ content: SetContent) {
    switch content {
    case .elements(let elements):
      put(0 as UInt8)
      put(elements) { $0.put($1) }
    case .ipv4(let set):
      put(1 as UInt8)
      put(set.intervals) { encoding, interval in
        encoding.put(interval.first)
        encoding.put(interval.last)
      }
    case .ipv6(let set):
      put(2 as UInt8)
      put(set.intervals) { encoding, interval in
        encoding.put(interval.first)
        encoding.put(interval.last)
      }
    }
  }

  private mutating func put(_ element: SetElement) {
    put(element.key)
    put(element.keyEnd)
    put(element.isCatchAll)
    put(element.verdict)
    put(element.data)
    put(element.timeoutMilliseconds)
    put(element.object)
    put(element.expressions) { $0.put($1) }
    put(element.comment)
  }

  // MARK: Chains

  private mutating func put(_ chain: Chain) {
    put(chain.name)
    put(chain.hook != nil)
    if let hook = chain.hook {
      put(hook.type)
      put(hook.hook.rawValue)
      put(UInt32(bitPattern: hook.priority))
      put(hook.policy)
      put(hook.devices) { $0.put($1) }
    }
    put(chain.flags)
    put(chain.counter != nil)
    put(chain.comment)
    put(chain.rules) { encoding, rule in
      encoding.put(rule.expressions) { $0.put($1) }
      encoding.put(rule.comment)
    }
    put(chain.unknown)
  }

  private mutating func put(_ expression: Expression) {
    switch expression {
    case .meta(let load):
      put(1 as UInt8)
      put(load.key.rawValue)
      put(load.destination)
    case .payload(let load):
      put(2 as UInt8)
      put(load.base.rawValue)
      put(load.offsetBytes)
      put(load.lengthBytes)
      put(load.destination)
    case .ct(let load):
      put(3 as UInt8)
      put(load.key.rawValue)
      put(load.direction)
      put(load.destination)
    case .compare(let compare):
      put(4 as UInt8)
      put(compare.operation.rawValue)
      put(compare.source)
      put(compare.value)
    case .bitwise(let bitwise):
      put(5 as UInt8)
      put(bitwise.source)
      put(bitwise.destination)
      put(bitwise.mask)
      put(bitwise.xor)
    case .lookup(let lookup):
      put(6 as UInt8)
      put(lookup.set)
      put(lookup.source)
      put(lookup.destination?.netlinkNumber)
      put(lookup.isInverted)
    case .immediate(.verdict(let verdict)):
      put(7 as UInt8)
      put(verdict)
    case .immediate(.data(let data, let register)):
      put(8 as UInt8)
      put(data)
      put(register)
    case .objectReference(let reference):
      put(9 as UInt8)
      put(reference.type)
      put(reference.name)
    case .reject(let reject):
      put(10 as UInt8)
      put(reject.type)
      put(reject.code)
    case .unknown(let name, let data):
      put(11 as UInt8)
      put(name)
      put(data)
    case .counter: put(12 as UInt8)
    case .fib(let load):
      put(13 as UInt8)
      put(load.result)
      put(load.flags)
      put(load.destination)
    case .extensionHeader(let load):
      put(14 as UInt8)
      put(load.operation)
      put(load.type)
      put(load.offsetBytes)
      put(load.lengthBytes)
      put(load.isPresence)
      put(load.destination)
    default:
      // What compiled tables do not have: every field by name and value.
      put(15 as UInt8)
      put("\(expression)")
    }
  }

  private mutating func put(_ expression: Expression?) {
    put(expression != nil)
    if let expression { put(expression) }
  }

  private mutating func put(_ register: Register) {
    put(UInt8(truncatingIfNeeded: register.netlinkNumber))
  }

  private mutating func put(_ verdict: Verdict?) {
    put(verdict != nil)
    if let verdict { put(verdict) }
  }

  private mutating func put(_ verdict: Verdict) {
    put(UInt32(bitPattern: verdict.code))
    put(verdict.chain)
  }

  // MARK: Parts

  private mutating func put(_ items: [UnknownItem]) {
    put(items) { encoding, item in
      encoding.put(item.kind)
      encoding.put(item.bytes)
    }
  }

  private mutating func put<Items: RandomAccessCollection>(
    _ items: Items, _ body: (inout TableEncoding, Items.Element) -> Void
  ) {
    put(UInt32(items.count))
    for item in items { body(&self, item) }
  }

  private mutating func put(_ text: String) {
    put(UInt32(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  private mutating func put(_ text: String?) {
    put(text != nil)
    if let text { put(text) }
  }

  private mutating func put(_ data: [UInt8]) {
    put(UInt32(data.count))
    bytes.append(contentsOf: data)
  }

  private mutating func put(_ data: [UInt8]?) {
    put(data != nil)
    if let data { put(data) }
  }

  private mutating func put(_ value: Bool) { put(value ? 1 : 0 as UInt8) }

  private mutating func put(_ value: UInt8) { bytes.append(value) }

  private mutating func put(_ value: UInt8?) {
    put(value != nil)
    if let value { put(value) }
  }

  private mutating func put<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  private mutating func put<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value?) {
    put(value != nil)
    if let value { put(value) }
  }
}
