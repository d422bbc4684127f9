/// What bytecode yields.
///
/// Source: `enum nft_verdicts`, `linux/netfilter/nf_tables.h`; numbers as netlink carries them.
public enum Verdict: Hashable, Sendable {
  /// `NF_DROP` 0: the packet is gone.
  case drop
  /// `NF_ACCEPT` 1: the packet goes on to the next base chain.
  case accept
  /// `NFT_CONTINUE` -1: the next expression.
  case `continue`
  /// `NFT_BREAK` -2: the next rule.
  case `break`
  /// `NFT_JUMP` -3: another chain, and back.
  case jump(String)
  /// `NFT_GOTO` -4: another chain, and not back.
  case goto(String)
  /// `NFT_RETURN` -5: back to the caller, or to the base chain's policy.
  case `return`

  /// The number in `NFTA_VERDICT_CODE`, host order.
  public var code: Int32 {
    switch self {
    case .drop: 0
    case .accept: 1
    case .continue: -1
    case .break: -2
    case .jump: -3
    case .goto: -4
    case .return: -5
    }
  }

  /// The chain a jump or goto leads to.
  public var chain: String? {
    switch self {
    case .jump(let name), .goto(let name): name
    default: nil
    }
  }
}
