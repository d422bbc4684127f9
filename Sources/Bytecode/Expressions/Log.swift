/// Logs the packet; never changes the verdict.
///
/// Without a group it goes to the kernel's log, with one to listeners of nfnetlink_log.
///
/// Source: `net/netfilter/nft_log.c`.
public struct Log: Hashable, Sendable {
  /// What stands before the packet.
  public var prefix: String?
  /// The group of listeners; nil for the kernel's log.
  public var group: UInt16?
  /// How many bytes of the packet listeners get (`snaplen`); 0 for all.
  public var snapLength: UInt32
  /// How many packets are gathered first (`queue-threshold`); 0 for none.
  public var queueThreshold: UInt16
  /// 0 emerg, 1 alert, 2 crit, 3 err, 4 warning, 5 notice, 6 info, 7 debug, 8 audit.
  public var level: UInt32?
  /// `NF_LOG_*`: 1 TCP sequence, 2 TCP options, 4 IP options, 8 uid, 32 MAC.
  public var flags: UInt32

  /// Makes it.
  public init(
    prefix: String? = nil, group: UInt16? = nil, snapLength: UInt32 = 0,
    queueThreshold: UInt16 = 0, level: UInt32? = nil, flags: UInt32 = 0
  ) {
    self.prefix = prefix
    self.group = group
    self.snapLength = snapLength
    self.queueThreshold = queueThreshold
    self.level = level
    self.flags = flags
  }
}
