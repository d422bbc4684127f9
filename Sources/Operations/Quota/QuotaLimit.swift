/// How much may leave in which time.
public struct QuotaLimit: Hashable, Sendable {
  /// After how long a quota begins anew.
  public enum Window: String, Hashable, Sendable, CaseIterable {
    /// Each hour of UTC.
    case hour
    /// Each day of UTC.
    case day
    /// Seven days, from a Thursday of UTC on, as 1970 began.
    case week

    var seconds: Int {
      switch self {
      case .hour: 3600
      case .day: 86_400
      case .week: 604_800
      }
    }

    /// The number of the window that a moment is in.
    func number(at secondsSince1970: Int) -> Int { secondsSince1970 / seconds }
  }

  /// Bytes from the IP header on; nil to count alone.
  public let bytes: UInt64?
  /// When it begins anew; nil for never.
  public let window: Window?

  /// Reads `10GiB/day`, `500MB`, `none/day`.
  ///
  /// - Throws: ``OperationFailure`` (64) for anything else.
  public init(_ text: String) throws(OperationFailure) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let units: [(String, UInt64)] = [
      ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("kB", 1_000),
      ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
    ]
    func bytes(_ text: String) -> UInt64?? {
      if text == "none" { return .some(nil) }
      guard let (unit, size) = units.first(where: { text.hasSuffix($0.0) }),
        let count = UInt64(text.dropLast(unit.count)), count > 0
      else { return nil }
      let (product, isTooLarge) = count.multipliedReportingOverflow(by: size)
      return isTooLarge || product >= Self.unlimited ? nil : .some(product)
    }
    guard 1...2 ~= parts.count, let bytes = bytes(parts[0]),
      parts.count == 1 || Window(rawValue: parts[1]) != nil
    else {
      throw OperationFailure(
        .usage,
        "a quota is written like 10GiB/day: bytes in B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, or none,"
          + " and hour, day or week; not `\(text)`")
    }
    self.bytes = bytes
    window = parts.count == 2 ? Window(rawValue: parts[1]) : nil
  }

  /// What the kernel is told where nothing is limited; it takes no more than 2⁶³ - 1.
  static let unlimited: UInt64 = 1 << 62
}
