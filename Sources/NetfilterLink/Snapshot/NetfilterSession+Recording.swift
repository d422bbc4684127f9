import Bytecode
import CNetfilter
import Glibc

extension NetfilterSession where Transport: ~Copyable {
  /// Records everything nf_tables holds in this namespace, undecoded.
  ///
  /// - Returns: the messages of one generation.
  /// - Throws: ``KernelError``; ``KernelError/Cause/keepsChanging(attempts:)`` when no attempt saw
  ///   one generation throughout.
  public mutating func recordRuleset() throws(KernelError) -> RecordedRuleset {
    let (recorder, generation) = try atOneGeneration { session, generation throws(KernelError) in
      try session.record(UInt16(generation & 0xffff))
    }
    return RecordedRuleset(generation: generation, messages: recorder.messages[...])
  }

  private mutating func record(_ generation: UInt16) throws(KernelError) -> Recorder {
    var recorder = Recorder()
    func record(
      _ kind: MessageKind, family: TableFamily? = nil, names: [(type: UInt16, name: String)] = []
    ) throws(KernelError) {
      let request = Request(kind: kind, family: family, names: names, generation: generation)
      try self.request(request) { message, reply throws(MalformedAttribute) in
        try recorder.append(message, reply)
      }
    }
    try record(.getTable)
    guard !recorder.messages.isEmpty else { return recorder }
    try record(.getChain)
    try record(.getSet)
    for set in recorder.sets {
      let names = [
        (type: UInt16(NFTA_SET_ELEM_LIST_TABLE.rawValue), name: set.table.name),
        (type: UInt16(NFTA_SET_ELEM_LIST_SET.rawValue), name: set.name),
      ]
      try record(.getElements, family: set.table.family, names: names)
    }
    try record(.getRule)
    try record(.getObject)
    do {
      try record(.getFlowtable)
    } catch {
      // Kernels without flowtables refuse the question; then there are none.
      guard error.errorNumber == EOPNOTSUPP || error.errorNumber == EINVAL else { throw error }
    }
    return recorder
  }
}

/// Keeps messages, and notes which sets have elements to ask for.
private struct Recorder {
  var messages: [UInt8] = []
  var sets: [(table: TableIdentifier, name: String)] = []

  mutating func append(
    _ datagram: Span<UInt8>, _ reply: ReplyMessage
  ) throws(MalformedAttribute) {
    guard let kind = RecordedKind(wireType: reply.type) else {
      throw MalformedAttribute(place: "a message of type \(reply.type)")
    }
    if kind == .set { sets.append(try identify(datagram, reply)) }
    let start = messages.count
    // In large steps: memory that is only reserved costs nothing, and a copy touches all of it.
    if start + reply.payload.count + 20 > messages.capacity {
      messages.reserveCapacity(
        max(1 << 20, 4 * messages.capacity, start + reply.payload.count + 20))
    }
    let whole = datagram.extracting(reply.payload.lowerBound - 16..<reply.payload.upperBound)
    unsafe whole.withUnsafeBufferPointer { unsafe messages.append(contentsOf: $0) }
    while messages.count % 4 != 0 { messages.append(0) }
    // The number of the request and the port of the socket say nothing about the rules.
    for index in start + 8..<start + 16 { messages[index] = 0 }
    if kind == .set { try hideAddress(from: start) }
  }

  /// Overwrites the address of a kernel function with zeros.
  ///
  /// Linux 6.18 gives the kind of a set as the name of its functions, and where it does not know
  /// the name as `0xffffffff8250…`: where the kernel lies in memory is nobody's business, and
  /// differs from boot to boot.
  private mutating func hideAddress(from start: Int) throws(MalformedAttribute) {
    let kindOfSet = Int(NFTA_SET_EXPRESSIONS.rawValue) + 1
    let fields = try AttributeFields(messages.span, start + 20..<messages.count, last: kindOfSet)
    guard let range = fields[kindOfSet], messages[range].starts(with: "0x".utf8) else { return }
    for index in range.dropFirst(2) where messages[index] > UInt8(ascii: " ") {
      messages[index] = UInt8(ascii: "0")
    }
  }

  private func identify(
    _ datagram: Span<UInt8>, _ reply: ReplyMessage
  ) throws(MalformedAttribute) -> (table: TableIdentifier, name: String) {
    let last = Int(NFTA_SET_NAME.rawValue)
    let fields = try AttributeFields(datagram, reply.checkedAttributes, last: last)
    guard let family = TableFamily(rawValue: datagram[reply.payload.lowerBound]),
      let table = datagram.name(fields[NFTA_SET_TABLE]),
      let name = datagram.name(fields[NFTA_SET_NAME])
    else { throw MalformedAttribute(place: "a set without a name or of an unknown family") }
    return (TableIdentifier(family: family, name: table), name)
  }
}
