import NetfilterLink

/// A kernel that answers every request with the same bytes, stamped with the request's number.
///
/// Questions for the generation get a true answer, so that reading goes on.
struct AnsweringTransport: NetlinkTransport, ~Copyable {
  private let bytes: [UInt8]
  private let generation: UInt32
  private var answers: [[UInt8]] = []
  /// Questions that are still answered; a read that begins anew for ever would never end.
  private var budget = 40
  var largestSendBytes: Int { 1 << 20 }

  init(_ bytes: [UInt8], generation: UInt32) {
    self.bytes = Array(bytes.prefix(1 << 16))
    self.generation = generation
  }

  mutating func send(_ datagram: RawSpan) throws(KernelError) {
    budget -= 1
    guard budget > 0 else { throw KernelError(operation: "fuzzing", cause: .stopped) }
    let request = unsafe datagram.withUnsafeBytes { unsafe [UInt8]($0) }
    let number = Array(request[8..<12])
    // NFT_MSG_GETGEN is 16; its answer, NFT_MSG_NEWGEN, 15, has the attribute NFTA_GEN_ID.
    if request[4] == 16 {
      let value = [3, 2, 1, 0].map { UInt8(generation >> (8 * UInt32($0)) & 0xff) }
      let message: [UInt8] = [28, 0, 0, 0, 15, 10, 0, 0] + number + [0, 0, 0, 0]
      answers = [message + [0, 0, 0, 0, 8, 0, 1, 0] + value]
      // The acknowledgement that ends a question for one object.
      answers.append([36, 0, 0, 0, 2, 0, 0, 0] + number + [UInt8](repeating: 0, count: 24))
    } else {
      let done: [UInt8] = [20, 0, 0, 0, 3, 0, 2, 0] + number + [UInt8](repeating: 0, count: 8)
      answers = bytes.isEmpty ? [done] : [stamped(number), done]
    }
  }

  mutating func receive(into buffer: inout [UInt8], waits: Bool) throws(KernelError) -> Int? {
    guard waits else { return nil }
    guard !answers.isEmpty else { throw KernelError(operation: "fuzzing", cause: .stopped) }
    let next = answers.removeFirst()
    buffer.replaceSubrange(..<next.count, with: next)
    return next.count
  }

  private func stamped(_ number: [UInt8]) -> [UInt8] {
    var copy = bytes
    var offset = 0
    while offset + 16 <= copy.count {
      copy.replaceSubrange(offset + 8..<offset + 12, with: number)
      let length =
        Int(copy[offset]) | Int(copy[offset + 1]) << 8 | Int(copy[offset + 2]) << 16
        | Int(copy[offset + 3]) << 24
      guard length >= 16 else { break }
      offset += (length + 3) & ~3
    }
    return copy
  }
}
