import Bytecode

/// A conversation with one kernel's packet filter, in one network namespace.
///
/// Reads come back as values, changes go in as values; no handle leaves.
///
/// Example:
/// ```swift
/// var session = NetfilterSession(try NetlinkSocket.open())
/// let table = try session.readTable(family: .inet, name: "weir")
/// ```
public struct NetfilterSession<Transport: NetlinkTransport & ~Copyable>: ~Copyable {
  /// What carries the messages.
  var transport: Transport
  /// The last sequence number used; replies are matched by it.
  private var lastSequence: UInt32 = 0
  /// Where replies arrive; the kernel fills at most 32 KiB of it per datagram of a dump.
  var replyBuffer = [UInt8](repeating: 0, count: 1 << 17)

  /// Starts a conversation over a transport.
  public init(_ transport: consuming Transport) { self.transport = transport }

  /// Takes so many sequence numbers and gives the first.
  mutating func takeSequences(_ count: UInt32 = 1) -> UInt32 {
    let first = lastSequence &+ 1
    lastSequence &+= count
    return first
  }
}
