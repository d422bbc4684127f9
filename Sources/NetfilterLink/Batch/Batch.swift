import Bytecode
import CNetfilter

/// One transaction being written: begin message, changes, end message.
///
/// Only ``finalize()`` makes it something that can be sent.
struct Batch: ~Copyable {
  /// What stands at one message of the batch.
  struct Entry {
    var kind: MessageKind?
    var subject: Subject
    var offset: Int
  }

  /// More than any one table, chain, set or rule takes: a rule has at most 128 expressions.
  private static let payloadRoomBytes = 1 << 16

  private(set) var buffer = MessageBuffer()
  private(set) var entries: [Entry] = []
  let firstSequence: UInt32
  let family: TableFamily
  /// The last set id given out; ids are unique within a batch.
  private var lastSetIdentifier: UInt32 = 0

  /// Begins a transaction.
  ///
  /// With a generation the kernel accepts it only while the ruleset still has that one.
  init(family: TableFamily, firstSequence: UInt32, generation: UInt32?) {
    self.family = family
    self.firstSequence = firstSequence
    appendControl(UInt16(NFNL_MSG_BATCH_BEGIN), generation: generation)
  }

  /// How many changes it holds.
  var changeCount: Int { entries.count - 1 }

  /// The next free set id.
  mutating func nextSetIdentifier() -> UInt32 {
    lastSetIdentifier += 1
    return lastSetIdentifier
  }

  /// Appends one message whose payload libnftnl writes.
  mutating func append(
    _ kind: MessageKind, flags: Int32, _ subject: Subject,
    _ payload: borrowing some MessagePayload & ~Copyable
  ) {
    note(kind, subject)
    let sequence = firstSequence &+ UInt32(entries.count - 1)
    let family = UInt16(self.family.rawValue)
    unsafe buffer.write(atMost: Batch.payloadRoomBytes) { start in
      let text = unsafe start.assumingMemoryBound(to: CChar.self)
      guard
        let header = unsafe nftnl_nlmsg_build_hdr(
          text, kind.rawValue, family, UInt16(flags), sequence)
      else { return 0 }
      unsafe payload.build(header)
      return unsafe Int(header.pointee.nlmsg_len)
    }
  }

  /// Appends one message whose payload is written straight into the buffer.
  mutating func appendDirect(
    _ kind: MessageKind, flags: Int32, _ subject: Subject,
    _ write: (inout MessageBuffer) -> Void
  ) {
    note(kind, subject)
    let sequence = firstSequence &+ UInt32(entries.count - 1)
    let start = buffer.count
    buffer.appendHeader(kind, family: family, flags: flags, sequence: sequence)
    write(&buffer)
    buffer.patch(at: start, UInt32(buffer.count - start))
  }

  /// Ends the transaction.
  consuming func finalize() -> FinalizedBatch {
    appendControl(UInt16(NFNL_MSG_BATCH_END), generation: nil)
    return FinalizedBatch(batch: self)
  }

  private mutating func note(_ kind: MessageKind?, _ subject: Subject) {
    entries.append(Entry(kind: kind, subject: subject, offset: buffer.count))
  }

  private mutating func appendControl(_ type: UInt16, generation: UInt32?) {
    note(nil, .batch)
    let sequence = firstSequence &+ UInt32(entries.count - 1)
    unsafe buffer.write(atMost: 64) { start in
      let text = unsafe start.assumingMemoryBound(to: CChar.self)
      let isBegin = type == UInt16(NFNL_MSG_BATCH_BEGIN)
      guard
        let header = unsafe isBegin
          ? nftnl_batch_begin(text, sequence) : nftnl_batch_end(text, sequence)
      else { return 0 }
      if let generation {
        unsafe mnl_attr_put_u32(header, UInt16(NFNL_BATCH_GENID.rawValue), generation.bigEndian)
      }
      return unsafe Int(header.pointee.nlmsg_len)
    }
  }
}

/// A transaction that is complete and can be sent.
struct FinalizedBatch: ~Copyable {
  let batch: Batch

  /// How many sequence numbers it uses.
  var sequenceCount: UInt32 { UInt32(batch.entries.count) }

  /// The message a sequence number belongs to.
  func entry(forSequence sequence: UInt32) -> Batch.Entry? {
    let index = Int(sequence &- batch.firstSequence)
    return batch.entries.indices.contains(index) ? batch.entries[index] : nil
  }
}

extension MessageBuffer {
  /// Appends `nlmsghdr` and `nfgenmsg`; the length is patched by whoever ends the message.
  mutating func appendHeader(
    _ kind: MessageKind, family: TableFamily?, flags: Int32, sequence: UInt32
  ) {
    reserve(20)
    append(littleEndian: 0)
    append(littleEndian: 0)
    append(littleEndian: kind.wireType)
    append(littleEndian: UInt16(flags | NLM_F_REQUEST))
    append(littleEndian: UInt16(sequence & 0xffff))
    append(littleEndian: UInt16(sequence >> 16))
    append(bigEndian: UInt32(0))
    append(bigEndian: UInt32(family?.rawValue ?? 0) << 24)
  }
}
