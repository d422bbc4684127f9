/// One instruction of a rule.
///
/// Each case has a file of its own under `Expressions/`.
public enum Expression: Hashable, Sendable {
  /// Loads packet meta data.
  case meta(MetaLoad)
  /// Sets packet meta data.
  case metaSet(MetaSet)
  /// Loads packet bytes.
  case payload(PayloadLoad)
  /// Loads conntrack data.
  case ct(ConntrackLoad)
  /// Compares a register with a value.
  case compare(Compare)
  /// Compares a register with a range.
  case range(RangeCompare)
  /// Masks and xors a register.
  case bitwise(Bitwise)
  /// Swaps a register between host and network order.
  case byteorder(Byteorder)
  /// Looks a register up in a set or map.
  case lookup(Lookup)
  /// Puts a constant into a register, or a verdict into the verdict register.
  case immediate(Immediate)
  /// Counts packets and bytes in the rule itself.
  case counter(Counter)
  /// Uses a named object.
  case objectReference(ObjectReference)
  /// Refuses the packet with an answer, and drops it.
  case reject(Reject)
  /// Loads an extension header or option, or tells whether it is there.
  case extensionHeader(ExtensionHeaderLoad)
  /// Asks the routing table about an address.
  case fib(FibLoad)
  /// Redirects a flow to a port of this host (nat chains).
  case redirect(Redirect)
  /// An expression this model does not know, with its attributes' bytes.
  case unknown(name: String, bytes: [UInt8])
}
