import LinuxSystem

/// Begins quotas anew whose window is over, once a minute, for services.
struct QuotaKeeper {
  /// When quotas are looked after next, in nanoseconds on the monotonic clock.
  private(set) var due: UInt64 = 0

  private static let intervalNanoseconds: UInt64 = 60_000_000_000

  /// Looks after them if it is time.
  ///
  /// - Parameter target: where.
  /// - Returns: what there is to tell, if anything.
  mutating func roll(_ target: InstallTarget) -> (kind: GuardEvent.Kind, text: String)? {
    let now = ProcessFacts.monotonicNanoseconds()
    guard now >= due else { return nil }
    due = now + Self.intervalNanoseconds
    do throws(OperationFailure) {
      let begun = try rollQuotas(target).begun
      return begun > 0 ? (.quotas, "\(begun) quotas began anew") : nil
    } catch {
      return (.failed, "quotas: \(error.message)")
    }
  }
}
