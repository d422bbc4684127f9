/// Why a ruleset cannot be written in a text form.
///
/// Each case names the place, so that its reader can find the rule or the set.
public enum BytecodeError: Error, Hashable, Sendable {
  /// An expression has no faithful spelling; `rule` counts from 1 within the chain.
  case inexpressible(chain: String, rule: Int, expression: String, reason: String)
  /// A set or map has no faithful spelling.
  case inexpressibleSet(set: String, reason: String)
  /// A chain, a name or a comment has no faithful spelling.
  case inexpressibleObject(name: String, reason: String)
}

extension BytecodeError: CustomStringConvertible {
  /// One line: the place, the expression, and what stands in the way.
  public var description: String {
    switch self {
    case .inexpressible(let chain, let rule, let expression, let reason):
      "chain \(chain), rule \(rule): cannot write [ \(expression) ]: \(reason)"
    case .inexpressibleSet(let set, let reason):
      "set \(set): cannot be written: \(reason)"
    case .inexpressibleObject(let name, let reason):
      "\(name): cannot be written: \(reason)"
    }
  }
}
