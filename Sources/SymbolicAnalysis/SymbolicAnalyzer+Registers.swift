import Bytecode

/// Computations on registers.
extension SymbolicAnalyzer {
  func compute(_ expression: Expression, _ registers: inout RegisterFile) {
    switch expression {
    case .immediate(.data(let bytes, let register)):
      registers.store([Bit](bytes: bytes), word: register.word)
    case .bitwise(let bitwise):
      mask(bitwise, &registers)
    case .shift(let shift):
      self.shift(shift, &registers)
    case .bitwiseOperation(let operation):
      combine(operation, &registers)
    case .byteorder(let order):
      let bits = registers.load(order.source.word, lengthBytes: Int(order.lengthBytes))
      let size = Int(order.sizeBytes) * 8
      guard size == 16 || size == 32 || size == 64, !bits.isEmpty, bits.count % size == 0 else {
        registers.store(
          .opaque(bits.count, cause("a byte order of odd length")), word: order.destination.word)
        return
      }
      let result = stride(from: 0, to: bits.count, by: size).flatMap {
        Array(bits[$0..<$0 + size]).swapped
      }
      registers.store(result, word: order.destination.word)
    default: return
    }
  }

  /// `(source & mask) ^ xor` on whole words, as the kernel does it.
  private func mask(_ bitwise: Bitwise, _ registers: inout RegisterFile) {
    let length = (bitwise.mask.count + 3) / 4 * 4
    let bits = registers.load(bitwise.source.word, lengthBytes: length)
    let mask = [Bit](bytes: bitwise.mask + [UInt8](repeating: 0, count: 3))
    let flip = [Bit](bytes: bitwise.xor + [UInt8](repeating: 0, count: 3))
    guard mask.count >= bits.count, flip.count >= bits.count else {
      registers.store(
        .opaque(bits.count, cause("a mask of odd length")), word: bitwise.destination.word)
      return
    }
    let result = bits.indices.map { index in
      let kept = mask[index] == .one ? bits[index] : .zero
      return flip[index] == .one ? kept.flipped : kept
    }
    registers.store(result, word: bitwise.destination.word)
  }

  /// A shift over words in host order, the first word the most significant.
  ///
  /// Source: `nft_bitwise_eval_lshift`, `nft_bitwise_eval_rshift`, `net/netfilter/nft_bitwise.c`.
  private func shift(_ shift: Shift, _ registers: inout RegisterFile) {
    let length = (Int(shift.lengthBytes) + 3) / 4 * 4
    let bits = registers.load(shift.source.word, lengthBytes: length)
    let count = Int(shift.bits)
    guard count < 32, bits.count == length * 8 else {
      registers.store(
        .opaque(bits.count, cause("a shift of odd length")), word: shift.destination.word)
      return
    }
    func swapWords(_ bits: [Bit]) -> [Bit] {
      stride(from: 0, to: bits.count, by: 32).flatMap { Array(bits[$0..<$0 + 32]).swapped }
    }
    let number = swapWords(bits)
    let moved =
      shift.direction == .left
      ? Array(number.dropFirst(count)) + .zeros(count)
      : .zeros(count) + Array(number.dropLast(count))
    registers.store(swapWords(moved), word: shift.destination.word)
  }

  /// A register with another or with a constant, bit by bit.
  private func combine(_ operation: BitwiseOperation, _ registers: inout RegisterFile) {
    let length = (Int(operation.lengthBytes) + 3) / 4 * 4
    let left = registers.load(operation.source.word, lengthBytes: length)
    let right: [Bit]
    switch operation.operand {
    case .register(let register): right = registers.load(register.word, lengthBytes: length)
    case .data(let bytes):
      let rest = max(0, length - bytes.count)
      right = [Bit](bytes: bytes + [UInt8](repeating: 0, count: rest))
    }
    guard right.count >= left.count else {
      registers.store(
        .opaque(left.count, cause("operands of odd length")), word: operation.destination.word)
      return
    }
    let why = cause("two fields combined bit by bit")
    let result = left.indices.map { combine(left[$0], right[$0], operation.operation, why) }
    registers.store(result, word: operation.destination.word)
  }

  private func combine(_ a: Bit, _ b: Bit, _ operation: BitwiseOperator, _ why: Int32) -> Bit {
    switch (operation, a, b) {
    case (.and, .zero, _), (.and, _, .zero): .zero
    case (.and, .one, let bit), (.and, let bit, .one): bit
    case (.or, .one, _), (.or, _, .one): .one
    case (.or, .zero, let bit), (.or, let bit, .zero): bit
    case (.xor, .zero, let bit), (.xor, let bit, .zero): bit
    case (.xor, .one, let bit), (.xor, let bit, .one): bit.flipped
    case (.and, let a, let b) where a == b && !a.isOpaque: a
    case (.or, let a, let b) where a == b && !a.isOpaque: a
    case (.xor, let a, let b) where a == b && !a.isOpaque: .zero
    default: .opaque(why)
    }
  }
}

extension Bit {
  fileprivate var isOpaque: Bool {
    if case .opaque = self { return true }
    return false
  }
}
