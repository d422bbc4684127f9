public import Bytecode

/// A way of packets through a host.
public enum PacketWay: String, Hashable, Sendable, CaseIterable {
  /// From a local socket to a link.
  case egress
  /// From a link to a link.
  case forwarding
  /// From a link to a local socket.
  case ingress

  /// The hooks on the way, in order.
  public var hooks: [Hook] {
    switch self {
    case .egress: [.output, .postrouting]
    case .forwarding: [.prerouting, .forward, .postrouting]
    case .ingress: [.prerouting, .input]
    }
  }
}
