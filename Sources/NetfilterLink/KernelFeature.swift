import Glibc

/// Which kernel option a refused message asks for.
enum KernelFeature {
  /// Advice for an errno on a message; nil when the errno says enough.
  static func advice(errorNumber: Int32, expression: String?, kind: MessageKind) -> String? {
    switch errorNumber {
    case ENOENT, EOPNOTSUPP, EAFNOSUPPORT, EPROTONOSUPPORT:
      if let option = kind == .newObject ? timeouts : expression.flatMap(option) {
        return "the kernel lacks \(option), or the module cannot be loaded"
      }
      return errorNumber == ENOENT ? "something it refers to does not exist" : nil
    case EEXIST: return kind == .newElements ? "it overlaps another element" : "it exists already"
    case EBUSY: return "something still refers to it"
    case EMLINK: return "chains lead into each other, or deeper than 16"
    case ENFILE, ENOSPC: return "the set is full; its size is too small"
    default: return nil
    }
  }

  /// The option that objects but counters need; `idle: off` does without.
  private static let timeouts = "CONFIG_NF_CONNTRACK_TIMEOUT (idle: off does without)"

  /// The option that brings an expression; nil for those in the core.
  private static func option(_ expression: String) -> String? {
    switch expression {
    case "ct": "CONFIG_NFT_CT"
    case "fib": "CONFIG_NFT_FIB_INET"
    case "reject": "CONFIG_NFT_REJECT_INET"
    case "redir": "CONFIG_NFT_REDIR"
    case "lookup", "meta", "payload", "cmp", "range", "bitwise", "byteorder", "immediate",
      "counter", "objref", "exthdr":
      "CONFIG_NF_TABLES (\(expression))"
    default: nil
    }
  }
}
