extension Expression {
  /// The expression without what changes by itself when packets pass: counts and times.
  public var withoutState: Expression {
    switch self {
    case .counter: return .counter(Counter())
    case .last: return .last(Last())
    case .quota(var quota):
      quota.consumed = 0
      quota.isDepleted = false
      return .quota(quota)
    case .dynamicSet(var dynamic):
      dynamic.expressions = dynamic.expressions.map(\.withoutState)
      return .dynamicSet(dynamic)
    default: return self
    }
  }
}
