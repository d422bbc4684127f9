/// How denied packets are told to whoever listens.
public enum DenialLog {
  /// The group of nfnetlink_log: `we` in ASCII.
  public static let group: UInt16 = 0x7765
  /// What stands before `deny/<clause>`, or `deny-in/<clause>` for packets that came in.
  public static let prefix = "weir "
  /// How much of each packet is told: every header that a line is made of.
  static let packetBytes: UInt32 = 128
  /// How many packets more at once.
  static let burst: UInt32 = 5
}
