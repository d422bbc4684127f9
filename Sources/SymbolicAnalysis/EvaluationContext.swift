import Bytecode

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

/// A chain in a context.
struct ChainKey: Hashable {
  var table: Int
  var chain: Int
  var context: EvaluationContext
}

/// Bytes of a transport header that must be there.
struct PresenceKey: Hashable {
  var isFast: Bool
  var endBytes: UInt32
}
