/// The quotas of a namespace.
public struct QuotaReport: Codable, Sendable {
  /// One quota.
  public struct Row: Codable, Sendable {
    /// `cgroup`, `user`, `interface` or `host`.
    public let kind: String
    /// The scope's path or name; empty for the host.
    public let name: String
    /// The bytes that may leave; nil where they are counted alone.
    public let limitBytes: UInt64?
    /// The bytes that have left in this window, and those that were denied since it was spent.
    public let consumedBytes: UInt64
    /// `hour`, `day`, `week`; nil where it never begins anew.
    public let window: String?
    /// When this window began, seconds since 1970; nil without one.
    public let windowStarted: Int?
    /// Whether it is spent, so that packets are denied.
    public let isSpent: Bool
  }

  /// Version of this form.
  public var version = 1
  /// `inet weir-quotas`.
  public let table: String
  /// The quotas, by kind and name.
  public let quotas: [Row]
  /// What of the table is not as weir made it, as sentences: quotas may not be enforced then.
  public let differences: [String]

  /// 0, or 1 when one is spent or somebody changed the table.
  public var status: ExitStatus {
    quotas.contains(where: \.isSpent) || !differences.isEmpty ? .finding : .good
  }
}
