import Bytecode
import NetworkTypes

/// Where on a packet's way a chain runs, as far as its rules can tell.
struct EvaluationContext: Hashable {
  var hook: Hook
  /// Whether conntrack has not seen the packet yet.
  var isBeforeConntrack: Bool
  /// Whether a re-route follows the chain when it changed mark or addresses (type `route`).
  var isRouteChain: Bool
  /// Whether the chain is one of type `nat`.
  var isNATChain: Bool
}

/// A chain in a context, for the packets of one family or of both.
struct ChainKey: Hashable {
  var table: Int
  var chain: Int
  var context: EvaluationContext
  /// The family of the packets that the chain is called for; nil for both.
  var family: Family?
}

/// Bytes of a transport header that must be there.
struct PresenceKey: Hashable {
  var isFast: Bool
  var endBytes: UInt32
}
