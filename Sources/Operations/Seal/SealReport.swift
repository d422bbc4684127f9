/// The links of a namespace by which packet sockets send nothing.
public struct SealReport: Codable, Sendable {
  /// One sealed link.
  public struct Row: Codable, Sendable {
    /// The link's name.
    public let link: String
    /// Whether the namespace has it now; where it has not, the seal waits for its name.
    public let isHere: Bool
    /// Whether a DHCP client of user 0 may ask by packet sockets.
    public let allowsDHCP: Bool
    /// Frames that were dropped.
    public let droppedFrames: UInt64
    /// Their bytes, the link-layer header included.
    public let droppedBytes: UInt64
    /// Questions of DHCP clients that were let out.
    public let dhcpFrames: UInt64
  }

  /// Version of this form.
  public var version = 1
  /// `netdev weir-seal`.
  public let table: String
  /// The sealed links, by name.
  public let links: [Row]
  /// Links that are not sealed, but for the loopback: packet sockets send by them.
  public let openLinks: [String]
  /// What of the table is not as weir made it, as sentences: links may not be sealed then.
  public let differences: [String]

  /// 0, or 1 when a sealed link is not there or somebody changed the table.
  public var status: ExitStatus {
    links.contains { !$0.isHere } || !differences.isEmpty ? .finding : .good
  }
}
