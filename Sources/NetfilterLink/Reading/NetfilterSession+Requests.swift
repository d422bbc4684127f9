import Bytecode
import CNetfilter
import Glibc

/// What one request asks for.
struct Request {
  var kind: MessageKind
  var family: TableFamily?
  /// Names by attribute number.
  var names: [(type: UInt16, name: String)] = []
  /// The key of the one element that is asked for.
  var key: [UInt8]?
  /// Whether every object is asked for, or one.
  var isDump = true
  /// The low 16 bits of the generation that every reply must carry; nil for any.
  var generation: UInt16?

  /// Asks for everything of a kind: of a table, or of all.
  static func all(
    _ kind: MessageKind, of only: TableIdentifier?, _ generation: UInt16
  ) -> Request {
    // Attribute 1 is the table's name in messages of every kind.
    let names = only.map { [(type: UInt16(NFTA_RULE_TABLE.rawValue), name: $0.name)] } ?? []
    return Request(kind: kind, family: only?.family, names: names, generation: generation)
  }

  /// Asks for the elements of a set, or for the one with a key.
  static func elements(
    of place: RulesetBuilder.SetPlace, key: [UInt8]? = nil, _ generation: UInt16
  ) -> Request {
    let names = [
      (type: UInt16(NFTA_SET_ELEM_LIST_TABLE.rawValue), name: place.table.name),
      (type: UInt16(NFTA_SET_ELEM_LIST_SET.rawValue), name: place.set.name),
    ]
    return Request(
      kind: .getElements, family: place.table.family, names: names, key: key, isDump: key == nil,
      generation: generation)
  }
}

extension NetfilterSession where Transport: ~Copyable {
  /// Sends a request and visits its replies.
  ///
  /// After an error the rest of the dump is still read, since the kernel refuses a new request
  /// before the old dump's end.
  ///
  /// - Throws: ``KernelError/Cause/generationMoved`` when the replies are not of one generation;
  ///   the kernel's refusal; what `visit` throws.
  mutating func request(
    _ request: Request,
    _ visit: (Span<UInt8>, ReplyMessage) throws(MalformedAttribute) -> Void
  ) throws(KernelError) {
    let sequence = takeSequences()
    try send(request, sequence)
    var failure: KernelError?
    var isDone = false
    while !isDone {
      let received = try transport.receive(into: &replyBuffer, waits: true)
      let reply = replyBuffer.span.extracting(0..<(received ?? 0))
      try reply.forEachMessage { message throws(KernelError) in
        guard message.sequence == sequence, !isDone else { return }
        do throws(KernelError) {
          isDone = try reply.take(message, request, isFailed: failure != nil, visit)
        } catch {
          failure = failure ?? error
          // A dump's end is its end, also when it says that the dump was interrupted.
          isDone =
            !request.isDump || error.isRefusal || message.type == UInt16(NLMSG_DONE)
        }
      }
    }
    if let failure { throw failure }
  }

  private mutating func send(_ request: Request, _ sequence: UInt32) throws(KernelError) {
    var buffer = MessageBuffer(capacity: 1 << 10)
    let flags = request.isDump ? NLM_F_DUMP : NLM_F_ACK
    buffer.appendHeader(
      request.kind, family: request.family, flags: flags, sequence: sequence)
    for (type, name) in request.names { buffer.append(name: name, type: type) }
    if let key = request.key {
      buffer.append(nested: UInt16(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)) { buffer in
        WireElement(key: key).write(&buffer)
      }
    }
    buffer.patch(at: 0, UInt32(buffer.count))
    try buffer.withBytes { bytes throws(KernelError) in try transport.send(bytes) }
  }

  /// The ruleset's generation; every commit of anybody in this namespace moves it by one.
  ///
  /// - Returns: the number, never 0 after a first commit.
  /// - Throws: ``KernelError``.
  public mutating func readGeneration() throws(KernelError) -> UInt32 {
    var generation: UInt32?
    try request(Request(kind: .getGeneration, isDump: false)) {
      message, reply throws(MalformedAttribute) in
      let fields = try AttributeFields(message, reply.checkedAttributes, last: 3)
      generation = message.uint32(fields[Int(NFTA_GEN_ID.rawValue)])
    }
    guard let generation else {
      throw KernelError(
        operation: "reading the generation", cause: .malformedReply("no generation"))
    }
    return generation
  }
}

extension KernelError {
  /// Whether the kernel ended the exchange with this error.
  fileprivate var isRefusal: Bool {
    if case .refused = cause { return true }
    return false
  }
}

extension ReplyMessage {
  /// Where attributes begin.
  ///
  /// - Throws: when the message is too short to have any.
  var checkedAttributes: Range<Int> {
    get throws(MalformedAttribute) {
      guard let attributes else { throw MalformedAttribute(place: "a short message") }
      return attributes
    }
  }
}

extension Span<UInt8> {
  /// Handles one message of a reply; tells whether it was the last.
  fileprivate func take(
    _ message: ReplyMessage, _ request: Request, isFailed: Bool,
    _ visit: (Span<UInt8>, ReplyMessage) throws(MalformedAttribute) -> Void
  ) throws(KernelError) -> Bool {
    let operation = "reading (\(request.kind.name))"
    switch Int32(message.type) {
    case NLMSG_ERROR:
      let reply = try errorReply(message)
      guard reply.errorNumber != 0 else { return true }
      throw KernelError(
        operation: operation, cause: .refused(reply.errorNumber), messageKind: request.kind.name,
        subject: request.names.last?.name, kernelText: reply.text)
    case NLMSG_DONE:
      if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 {
        throw KernelError(operation: operation, cause: .generationMoved)
      }
      let code = message.payload.count >= 4 ? hostWord(at: message.payload.lowerBound) : 0
      guard Int32(bitPattern: code) < 0 else { return true }
      throw KernelError(
        operation: operation, cause: .refused(0 &- Int32(bitPattern: code)),
        messageKind: request.kind.name)
    default: break
    }
    if isFailed { return false }
    let start = message.payload.lowerBound
    guard message.payload.count >= 4 else { throw malformed("a short message") }
    let generation = UInt16(self[start + 2]) << 8 | UInt16(self[start + 3])
    let isInterrupted = message.flags & UInt16(NLM_F_DUMP_INTR) != 0
    if isInterrupted || generation != request.generation ?? generation {
      throw KernelError(operation: operation, cause: .generationMoved)
    }
    do {
      try visit(self, message)
    } catch { throw malformed("\(request.kind.name): \(error.place)") }
    return false
  }
}
