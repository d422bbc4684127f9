/// One instruction of a rule.
///
/// Each case has a file of its own under `Expressions/`. What is rare or large is kept apart, so
/// that the others stay small.
///
/// Source: `struct nft_expr_type` of each `net/netfilter/nft_*.c`.
public enum Expression: Hashable, Sendable {
  /// Loads packet meta data.
  case meta(MetaLoad)
  /// Sets packet meta data.
  case metaSet(MetaSet)
  /// Loads packet bytes.
  case payload(PayloadLoad)
  /// Writes packet bytes.
  case payloadSet(PayloadSet)
  /// Loads conntrack data.
  case ct(ConntrackLoad)
  /// Sets conntrack data.
  case ctSet(ConntrackSet)
  /// Compares a register with a value.
  case compare(Compare)
  /// Compares a register with a range.
  case range(RangeCompare)
  /// Masks and xors a register.
  case bitwise(Bitwise)
  /// Shifts a register.
  case shift(Shift)
  /// Combines a register with another or a constant.
  case bitwiseOperation(BitwiseOperation)
  /// Swaps a register between host and network order.
  case byteorder(Byteorder)
  /// Looks a register up in a set or map.
  case lookup(Lookup)
  /// Adds, renews or deletes an element of a set.
  indirect case dynamicSet(DynamicSet)
  /// Puts a constant into a register, or a verdict into the verdict register.
  case immediate(Immediate)
  /// Counts packets and bytes in the rule itself.
  case counter(Counter)
  /// Uses a named object.
  case objectReference(ObjectReference)
  /// Uses a named object that a map holds.
  case objectMap(ObjectMap)
  /// Refuses the packet with an answer, and drops it.
  case reject(Reject)
  /// Loads an extension header or option, or tells whether it is there.
  case extensionHeader(ExtensionHeaderLoad)
  /// Writes into an option.
  case extensionHeaderSet(ExtensionHeaderSet)
  /// Takes an option out.
  case extensionHeaderReset(ExtensionHeaderReset)
  /// Asks the routing table about an address.
  case fib(FibLoad)
  /// Translates the source or destination of a flow (nat chains).
  case nat(NAT)
  /// Translates the source of a flow to that of its interface (nat chains).
  case masquerade(Masquerade)
  /// Redirects a flow to a port of this host (nat chains).
  case redirect(Redirect)
  /// Sends a copy elsewhere.
  case duplicate(Duplicate)
  /// Sends the packet out of another device.
  case forward(Forward)
  /// Puts the flow into a flowtable.
  case flowOffload(FlowOffload)
  /// Hashes register bytes or the flow.
  case hash(Hash)
  /// Evaluates a load inside a tunnelled packet.
  indirect case inner(Inner)
  /// Notes when it was last evaluated.
  case last(Last)
  /// Breaks over a rate.
  indirect case limit(Limit)
  /// Logs the packet.
  indirect case log(Log)
  /// Exempts the packet from conntrack.
  ///
  /// Source: `nft_notrack_eval`, `net/netfilter/nft_ct.c`.
  case notrack
  /// Stores a running or random number.
  case numberGenerator(NumberGenerator)
  /// Stores the operating system that a SYN looks like.
  case fingerprint(FingerprintLoad)
  /// Hands the packet to a program.
  case queue(Queue)
  /// Breaks over a number of bytes.
  case quota(Quota)
  /// Breaks over a number of flows.
  case connectionLimit(ConnectionLimit)
  /// Loads a fact about the route.
  case route(RouteLoad)
  /// Loads a fact about the socket.
  case socket(SocketLoad)
  /// Answers TCP handshakes in place of the server.
  case synproxy(Synproxy)
  /// Gives the packet to a transparent socket.
  case transparentProxy(TransparentProxy)
  /// Loads a fact about the tunnel.
  case tunnel(TunnelLoad)
  /// Loads a fact about the IPsec transformation.
  case transform(TransformLoad)
  /// Matches as xtables does.
  indirect case match(ExtensionMatch)
  /// Acts as a target of xtables.
  indirect case target(ExtensionTarget)
  /// An expression this model does not know, with its attributes' bytes.
  case unknown(name: String, bytes: [UInt8])

  /// The name netlink gives the expression.
  public var name: String {
    switch self {
    case .meta, .metaSet: "meta"
    case .payload, .payloadSet: "payload"
    case .ct, .ctSet: "ct"
    case .compare: "cmp"
    case .range: "range"
    case .bitwise, .shift, .bitwiseOperation: "bitwise"
    case .byteorder: "byteorder"
    case .lookup: "lookup"
    case .dynamicSet: "dynset"
    case .immediate: "immediate"
    case .counter: "counter"
    case .objectReference, .objectMap: "objref"
    case .reject: "reject"
    case .extensionHeader, .extensionHeaderSet, .extensionHeaderReset: "exthdr"
    case .fib: "fib"
    case .nat: "nat"
    case .masquerade: "masq"
    case .redirect: "redir"
    case .duplicate: "dup"
    case .forward: "fwd"
    case .flowOffload: "flow_offload"
    case .hash: "hash"
    case .inner: "inner"
    case .last: "last"
    case .limit: "limit"
    case .log: "log"
    case .notrack: "notrack"
    case .numberGenerator: "numgen"
    case .fingerprint: "osf"
    case .queue: "queue"
    case .quota: "quota"
    case .connectionLimit: "connlimit"
    case .route: "rt"
    case .socket: "socket"
    case .synproxy: "synproxy"
    case .transparentProxy: "tproxy"
    case .tunnel: "tunnel"
    case .transform: "xfrm"
    case .match: "match"
    case .target: "target"
    case .unknown(let name, _): name
    }
  }
}
