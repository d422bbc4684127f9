/// A flow as people write it, possibly towards a host name.
///
/// ```
/// [in|out] PROTOCOL [from END] [to] END [link-broadcast]
/// ```
/// END is `address`, `address:port`, `[v6]:port`, `:port`, or for the remote end of an outbound
/// flow `name:port`. Without `in` the flow is outbound: `from` is then the local end and `to` the
/// remote one; of an inbound flow it is the other way round.
///
/// Example: `udp 8.8.8.8:53`, `tcp [2001:db8::1]:443`, `tcp from :40000 to 192.0.2.1:443`,
/// `in tcp from 192.0.2.1 to :22`, `icmp 1.1.1.1`, `tcp smtp.gmail.com:587`.
public struct FlowText: Hashable, Sendable {
  /// The flow; its remote address is 0.0.0.0 while ``remoteName`` stands for it.
  public var flow: Flow
  /// The host name to reach, lower case, without a final dot.
  public var remoteName: String?

  /// Pairs a flow with the name that it goes to, if any.
  public init(_ flow: Flow, remoteName: String? = nil) {
    self.flow = flow
    self.remoteName = remoteName
  }

  /// Reads a flow.
  ///
  /// - Throws: ``LiteralError``: `flow` for the sentence, the others for what its ends hold.
  public static func parse(_ text: some StringProtocol) throws(LiteralError) -> FlowText {
    var words = String(text).split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
    var isLinkBroadcast = false
    if words.last == "link-broadcast" {
      isLinkBroadcast = true
      words.removeLast()
    }
    var direction = Direction.outbound
    if let first = words.first, let named = Direction(rawValue: first) {
      direction = named
      words.removeFirst()
    }
    guard let name = words.first else { throw .flow("a flow starts with a protocol") }
    guard let ipProtocol = IPProtocol(text: name) else {
      throw .flow("`\(name)` is no protocol; expected tcp, udp, icmp … or a number 0 to 255")
    }
    words.removeFirst()
    let (from, to) = try ends(words, direction)
    let (local, remote) = direction == .outbound ? (from, to) : (to, from)
    try check(local, remote, direction, ipProtocol)
    guard local?.name == nil else { throw .flow("the local end is an address, not a name") }
    var flow = Flow(
      direction: direction, ipProtocol: ipProtocol,
      localAddress: local?.address, localPort: local?.port,
      remoteAddress: remote?.address ?? .v4(0), remotePort: remote?.port)
    flow.isLinkBroadcast = isLinkBroadcast
    return FlowText(flow, remoteName: remote?.name)
  }

  /// Splits `[from END] [to] END` into both ends as texts, then reads them.
  private static func ends(
    _ words: [String], _ direction: Direction
  ) throws(LiteralError) -> (from: FlowEnd?, to: FlowEnd?) {
    switch (words.count, words.first, words.count > 2 ? words[2] : nil) {
    case (1, _, _) where direction == .outbound: return (nil, try FlowEnd(words[0]))
    case (2, "to", _): return (nil, try FlowEnd(words[1]))
    case (2, "from", _) where direction == .inbound: return (try FlowEnd(words[1]), nil)
    case (4, "from", "to"): return (try FlowEnd(words[1]), try FlowEnd(words[3]))
    case (0, _, _): throw .flow("the flow names no end; expected an address behind the protocol")
    default:
      throw .flow(
        direction == .outbound
          ? "expected `PROTOCOL REMOTE` or `PROTOCOL from LOCAL to REMOTE`"
          : "expected `in PROTOCOL from REMOTE to LOCAL`")
    }
  }

  /// Refuses ends that the direction or the protocol does not allow.
  private static func check(
    _ local: FlowEnd?, _ remote: FlowEnd?, _ direction: Direction, _ ipProtocol: IPProtocol
  ) throws(LiteralError) {
    guard let remote, remote.address != nil || remote.name != nil else {
      throw .flow("the remote end has no address")
    }
    if direction == .inbound, remote.name != nil {
      throw .flow("the remote end of an inbound flow is an address, not a name")
    }
    if let address = local?.address, remote.name == nil, address.family != remote.address?.family {
      throw .flow("both ends must be of one address family")
    }
    let hasPort = local?.port != nil || remote.port != nil
    guard ipProtocol.hasPorts else {
      if hasPort { throw .flow("protocol \(ipProtocol) has no ports") }
      return
    }
    switch direction {
    case .outbound where remote.port == nil:
      throw .flow("a \(ipProtocol) flow needs the remote port, like \(remote.example)")
    case .inbound where local?.port == nil:
      throw .flow("an inbound \(ipProtocol) flow needs the local port, like `to :22`")
    default: break
    }
  }
}

extension FlowText: CustomStringConvertible {
  /// The canonical spelling; reading it gives the same value again.
  public var description: String {
    let remote =
      remoteName.map { name in name + (flow.remotePort.map { ":\($0)" } ?? "") }
      ?? FlowEnd.text(flow.remoteAddress, flow.remotePort)
    var words = [flow.ipProtocol.description]
    let hasLocal = flow.localAddress != nil || flow.localPort != nil
    let local = FlowEnd.text(flow.localAddress, flow.localPort)
    switch flow.direction {
    case .outbound: words += hasLocal ? ["from", local, "to", remote] : [remote]
    case .inbound: words = ["in"] + words + ["from", remote] + (hasLocal ? ["to", local] : [])
    }
    if flow.isLinkBroadcast { words.append("link-broadcast") }
    return words.joined(separator: " ")
  }
}

extension Flow: CustomStringConvertible {
  /// The canonical spelling of ``FlowText``: `udp 8.8.8.8:53`.
  public var description: String { FlowText(self).description }
}
