/// The ways through what nobody knows, tried one after the other.
///
/// A walk asks at every point where it could go on in several ways; ``advance()`` then takes the
/// next combination, like an odometer, until all were walked.
struct Choices {
  /// Where something is not known.
  enum Point: Hashable {
    /// An instruction, and what it lacks if that is not plain from the instruction.
    case instruction(Int32, missing: String?)
    /// A base chain, and why it is not decided.
    case chain(Int32, reason: Int32)
    /// The packet as a whole.
    case packet(String)
  }

  private var taken: [(value: Int, count: Int)] = []
  private var next = 0
  /// Where there were several ways, each once, in the order met.
  private(set) var points: [Point] = []

  /// Which of `count` ways to go now.
  mutating func choose(_ count: Int, at point: @autoclosure () -> Point) -> Int {
    guard count > 1 else { return 0 }
    if next == taken.count {
      taken.append((0, count))
      note(point())
    }
    next += 1
    return taken[next - 1].value
  }

  /// Keeps a point; the first sixteen are enough for a report.
  mutating func note(_ point: Point) {
    if points.count < 16, !points.contains(point) { points.append(point) }
  }

  /// Forgets the walk at hand, and starts the next; false when every way was walked.
  mutating func advance() -> Bool {
    next = 0
    while let last = taken.popLast() {
      if last.value + 1 < last.count {
        taken.append((last.value + 1, last.count))
        return true
      }
    }
    return false
  }
}
