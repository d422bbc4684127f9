import Testing

/// Expects two texts to be equal, and shows the first lines that are not.
func expectSameText(
  _ found: String, _ expected: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  if found == expected { return }
  let left = found.split(separator: "\n", omittingEmptySubsequences: false)
  let right = expected.split(separator: "\n", omittingEmptySubsequences: false)
  let differing = (0..<max(left.count, right.count)).filter { line in
    left.dropFirst(line).first != right.dropFirst(line).first
  }
  for line in differing.prefix(5) {
    Issue.record(
      """
      line \(line + 1)
      found    \(left.dropFirst(line).first ?? "nothing")
      expected \(right.dropFirst(line).first ?? "nothing")
      """, sourceLocation: sourceLocation)
  }
}
