/// A function from packets to small numbers, as a handle into the ``PacketDiagrams`` that made it.
///
/// Two handles of the same diagrams are equal exactly when the functions are. A packet set is a
/// function to 0 (outside) and 1 (inside).
public struct Diagram: Hashable, Sendable {
  /// A node's place, or `~value` for a constant.
  let id: Int32

  init(_ id: Int32) { self.id = id }

  /// The constant function.
  ///
  /// - Parameter value: 0…2³¹-1; its meaning is the client's.
  /// - Returns: the function that has this value for every packet.
  public static func constant(_ value: Int) -> Diagram { Diagram(~Int32(value)) }

  /// The set of no packets.
  public static let nothing = Diagram.constant(0)
  /// The set of all packets.
  public static let everything = Diagram.constant(1)

  /// The value of a constant function; nil for any other.
  public var constantValue: Int? { id < 0 ? Int(~id) : nil }
}

/// Why an operation on diagrams was given up.
public enum PacketSetError: Error, Hashable, Sendable {
  /// The budget of nodes or of steps is spent; the answer is unknown, and the arena of no more use.
  case tooComplex
}

/// How much an operation may cost before it is given up.
public struct DiagramBudget: Hashable, Sendable {
  /// Intervals in all nodes together; 8 bytes each.
  public var intervals: Int
  /// Steps of all operations together; about 100 ns each in a release build.
  public var steps: Int

  /// Makes a budget; by default 64 million intervals and 400 million steps.
  public init(intervals: Int = 64 << 20, steps: Int = 400_000_000) {
    self.intervals = intervals
    self.steps = steps
  }
}

/// An operation on the values of two diagrams.
///
/// ``PacketDiagrams/apply(_:_:_:)`` asks for `shortcut` at every pair of nodes, and for `combine`
/// only at two constants.
public protocol DiagramOperation {
  /// Tells operations apart in the cache; see ``PacketDiagrams/makeOperationNumber()``.
  var number: Int32 { get }
  /// The answer for two functions where it is plain without looking deeper.
  mutating func shortcut(_ left: Diagram, _ right: Diagram) -> Diagram?
  /// The value for two values.
  mutating func combine(_ left: Int, _ right: Int) -> Int
}
