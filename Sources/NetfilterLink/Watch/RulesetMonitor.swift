import CNetfilter

/// One change of the rules of a namespace: a transaction that the kernel took.
public struct RulesetChange: Hashable, Sendable {
  /// The generation that it made.
  public var generation: UInt32
  /// The process that sent it, by the number of the initial process namespace; nil where the kernel
  /// does not say.
  public var processID: UInt32?
  /// The name of that process, at most 15 bytes.
  public var processName: String?
}

/// Listens to changes of the rules in the namespace that it was opened in.
///
/// Example:
/// ```
/// let monitor = try RulesetMonitor()
/// // poll(2) monitor.descriptor
/// for change in try monitor.changes() { print(change.processName ?? "somebody") }
/// ```
public final class RulesetMonitor {
  private var socket: NetlinkSocket
  private var buffer = [UInt8](repeating: 0, count: 1 << 17)

  /// Starts listening.
  ///
  /// - Throws: ``KernelError``, EPERM without CAP_NET_ADMIN.
  public init() throws(KernelError) {
    socket = try NetlinkSocket.open(sendBufferBytes: 1 << 16, receiveBufferBytes: 8 << 20)
    try socket.join(group: UInt32(NFNLGRP_NFTABLES.rawValue))
  }

  /// What to wait on.
  public var descriptor: Int32 { socket.pollDescriptor }

  /// The changes that have been told since the last call, without waiting.
  ///
  /// - Throws: ``KernelError/Cause/repliesLost`` when there were more than the buffer holds: something
  ///   has changed, and who did it is not known.
  ///
  /// Source: `nf_tables_gen_notify`, `net/netfilter/nf_tables_api.c`: the process is the one that
  /// committed.
  public func changes() throws(KernelError) -> [RulesetChange] {
    var found: [RulesetChange] = []
    while let count = try socket.receive(into: &buffer, waits: false) {
      try Self.read(buffer.prefix(count), into: &found)
    }
    return found
  }

  private static func read(
    _ bytes: ArraySlice<UInt8>, into found: inout [RulesetChange]
  ) throws(KernelError) {
    let datagram = bytes.span
    try datagram.forEachMessage { message throws(KernelError) in
      if let change = RulesetChange(datagram, message) { found.append(change) }
    }
  }
}

extension RulesetChange {
  /// Reads a `NFT_MSG_NEWGEN`; nil for any other message.
  fileprivate init?(_ message: Span<UInt8>, _ reply: ReplyMessage) {
    guard reply.type == UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_NEWGEN.rawValue),
      let range = reply.attributes
    else { return nil }
    self.init(generation: 0)
    var offset = range.lowerBound
    while let attribute = message.attribute(at: offset, end: range.upperBound) {
      switch nft_gen_attributes(UInt32(attribute.type)) {
      case NFTA_GEN_ID: generation = message.uint32(attribute.payload) ?? 0
      case NFTA_GEN_PROC_PID: processID = message.uint32(attribute.payload)
      case NFTA_GEN_PROC_NAME: processName = message.name(attribute.payload)
      default: break
      }
      offset += (attribute.payload.count + 4 + 3) / 4 * 4
    }
  }
}
