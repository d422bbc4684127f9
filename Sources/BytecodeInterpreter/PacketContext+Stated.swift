public import Bytecode

extension PacketContext {
  /// States what a load finds, for facts that have no property of their own.
  ///
  /// The destination register of the load does not matter.
  ///
  /// Example: `packet.state(.meta(MetaLoad(.cpu, into: Register(word: 0))), as: .known([1, 0, 0, 0]))`.
  ///
  /// - Parameters:
  ///   - load: a `meta`, `ct`, `rt`, `socket`, `fib`, `osf`, `xfrm`, `tunnel`, `numgen` or `hash`
  ///     expression.
  ///   - value: the bytes as the register gets them; absent when the load breaks the rule.
  public mutating func state(_ load: Expression, as value: Fact<[UInt8]>) {
    stated[load.loadingIntoFirst] = value
  }
}
