public import NetworkTypes

/// One thing to try on a real kernel: a flow, and the shape of the packet that opens it.
///
/// Example: `Probe(Flow(ipProtocol: .udp, remoteAddress: .v4(0x0808_0808), remotePort: 53))` is
/// named `udp 8.8.8.8:53`.
public struct Probe: Hashable, Sendable {
  /// Who talks to whom.
  public var flow: Flow
  /// What the packet looks like.
  public var shape: ProbeShape

  /// Pairs a flow with a shape.
  public init(_ flow: Flow, shape: ProbeShape = .plain) {
    self.flow = flow
    self.shape = shape
  }

  /// The family that the packet is sent in.
  public var family: Family { flow.remoteAddress.family }

  /// Where the packet goes: the other end, or the host itself for an inbound flow.
  ///
  /// - Parameter host: the host's own address, for flows that do not say.
  /// - Returns: the address in the packet's destination field.
  public func destination(host: IPAddress) -> IPAddress {
    flow.direction == .outbound ? flow.remoteAddress : flow.localAddress ?? host
  }

  /// Where the packet comes from; see ``destination(host:)``.
  ///
  /// - Parameter host: the host's own address, for flows that do not say.
  /// - Returns: the address in the packet's source field.
  public func source(host: IPAddress) -> IPAddress {
    flow.direction == .outbound ? flow.localAddress ?? host : flow.remoteAddress
  }
}

extension Probe: CustomStringConvertible {
  /// The flow, and in brackets every shape but the plain one: `udp 8.8.8.8:53 (later fragment)`.
  public var description: String {
    shape == .plain ? "\(flow)" : "\(flow) (\(shape))"
  }
}
