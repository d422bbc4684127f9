public import Bytecode
import CNetfilter
import Glibc

/// How a list of changes may be cut into transactions.
public enum Atomicity: Hashable, Sendable {
  /// All in one transaction, or EMSGSIZE.
  case whole
  /// As many as the socket buffer and memory suggest; for what nothing refers to yet.
  case split
}

extension NetfilterSession where Transport: ~Copyable {
  /// A transaction is closed above this, so that memory stays small whatever the policy's size.
  static var comfortableBatchBytes: Int { 8 << 20 }

  /// Applies changes to one table.
  ///
  /// - Parameters:
  ///   - changes: in order; none is fine.
  ///   - family: the table's family.
  ///   - table: the table's name.
  ///   - generation: the ruleset's generation the changes were made for; nil for any.
  ///   - atomicity: whether several transactions will do.
  /// - Returns: how many transactions were committed; each moves the generation by one.
  /// - Throws: ``KernelError``; ``KernelError/Cause/generationMoved`` when somebody changed the
  ///   ruleset, ``KernelError/Cause/repliesLost`` when only a read-back can tell what happened.
  ///   After `split`, earlier transactions stay.
  @discardableResult
  public mutating func commit(
    _ changes: [Change], to family: TableFamily, _ table: String,
    ifGeneration generation: UInt32? = nil, _ atomicity: Atomicity = .whole
  ) throws(KernelError) -> UInt32 {
    let limit = min(transport.largestSendBytes * 3 / 4, Self.comfortableBatchBytes)
    var committed: UInt32 = 0
    var batch = makeBatch(family, generation)
    for change in changes {
      var progress = ChangeProgress.notStarted
      while true {
        try batch.write(change, of: table, &progress)
        if atomicity == .split && batch.buffer.count >= limit {
          try send(batch.finalize())
          committed += 1
          batch = makeBatch(family, generation.map { $0.advancedGeneration(by: committed) })
        }
        if case .done = progress { break }
      }
    }
    guard batch.changeCount > 0 else { return committed }
    try send(batch.finalize())
    return committed + 1
  }

  mutating func makeBatch(_ family: TableFamily, _ generation: UInt32?) -> Batch {
    Batch(family: family, firstSequence: takeSequences(0), generation: generation)
  }

  /// Sends one transaction and reads every reply the kernel queued meanwhile.
  ///
  /// The kernel answers each refused message; silence means it is in effect.
  mutating func send(_ batch: consuming FinalizedBatch) throws(KernelError) {
    _ = takeSequences(batch.sequenceCount)
    var refusals: [(entry: Batch.Entry, reply: ErrorReply)] = []
    do {
      try batch.batch.buffer.withBytes { bytes throws(KernelError) in try transport.send(bytes) }
    } catch {
      var error = error
      error.operation = "committing \(batch.batch.changeCount) changes"
      throw error
    }
    while let count = try transport.receive(into: &replyBuffer, waits: false) {
      let reply = replyBuffer.span.extracting(0..<count)
      try reply.forEachMessage { message throws(KernelError) in
        guard message.type == UInt16(NLMSG_ERROR),
          let entry = batch.entry(forSequence: message.sequence)
        else { return }
        let error = try reply.errorReply(message)
        if error.errorNumber != 0 { refusals.append((entry, error)) }
      }
    }
    guard let first = refusals.first else { return }
    throw batch.error(first.entry, first.reply, furtherRefusals: refusals.count - 1)
  }
}

extension UInt32 {
  /// The generation after so many commits; the kernel skips 0.
  func advancedGeneration(by commits: UInt32) -> UInt32 {
    var next = self
    for _ in 0..<commits { next = next == .max ? 1 : next + 1 }
    return next
  }
}
