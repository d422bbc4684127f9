/// Puts a constant into a register; a verdict ends the rule.
///
/// Source: `nft_immediate_eval`, `net/netfilter/nft_immediate.c`.
public enum Immediate: Hashable, Sendable {
  /// Gives a verdict.
  case verdict(Verdict)
  /// Stores 1…16 bytes.
  case data([UInt8], into: Register)
}
