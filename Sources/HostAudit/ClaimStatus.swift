/// What can be said of a claim, or of one part of it.
public enum ClaimStatus: String, Hashable, Sendable, CaseIterable {
  /// Everything was seen, and nothing speaks against it.
  case holds
  /// Something speaks against it.
  case fails
  /// Nothing seen speaks against it, and not everything could be seen or decided.
  case unknown

  /// Failing beats unknown, unknown beats holding.
  ///
  /// - Parameters:
  ///   - hasFailures: whether something speaks against the claim.
  ///   - hasUnknowns: whether something could not be seen or decided.
  public init(hasFailures: Bool, hasUnknowns: Bool) {
    self = hasFailures ? .fails : hasUnknowns ? .unknown : .holds
  }
}
