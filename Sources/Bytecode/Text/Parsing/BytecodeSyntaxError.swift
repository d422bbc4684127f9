/// Why a text is no bytecode listing.
public struct BytecodeSyntaxError: Error, Hashable, Sendable {
  /// The line, 1 first.
  public var line: Int
  /// The column of the first byte that does not fit, 1 first.
  public var column: Int
  /// What is wrong, for people.
  public var reason: String

  /// Makes an error.
  public init(line: Int, column: Int, reason: String) {
    self.line = line
    self.column = column
    self.reason = reason
  }
}

extension BytecodeSyntaxError: CustomStringConvertible {
  /// `3:17: expected a register`.
  public var description: String { "\(line):\(column): \(reason)" }
}
