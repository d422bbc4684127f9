/// How many letters must change, go, come or swap with a neighbour to make `a` of `b`.
///
/// O(|a| · |b|).
func editDistance(_ a: String, _ b: String) -> Int {
  let left = Array(a.unicodeScalars)
  let right = Array(b.unicodeScalars)
  var older: [Int] = []
  var previous = Array(0...right.count)
  for row in 0..<left.count {
    var current = [row + 1]
    for column in 0..<right.count {
      let cost = left[row] == right[column] ? 0 : 1
      var best = min(previous[column] + cost, previous[column + 1] + 1, current[column] + 1)
      if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
        best = min(best, older[column - 1] + 1)
      }
      current.append(best)
    }
    older = previous
    previous = current
  }
  return previous[right.count]
}

/// The candidate that `text` is a likely slip of the pen for; the alphabetically first of equals.
///
/// A word may be off by one letter in three, so that `a` is never a guess for `bc`.
func closest(to text: String, among candidates: some Sequence<String>) -> String? {
  guard text.unicodeScalars.count <= 64 else { return nil }
  let lowered = text.lowercased()
  return
    candidates
    .map { (distance: editDistance(lowered, $0), candidate: $0) }
    .filter { $0.distance <= max(1, min(text.count, $0.candidate.count) / 3) }
    .min { $0 < $1 }?.candidate
}

/// A note that proposes the closest candidate, if one is close.
func didYouMean(_ text: String, among candidates: some Sequence<String>) -> Diagnostic.Note? {
  closest(to: text, among: candidates).map { Diagnostic.Note("did you mean `\($0)`?") }
}
