/// Reads the words of one expression, from left to right.
struct LineScanner {
  private let text: Substring
  private let words: [Substring]
  private var index = 0
  private let line: Int
  private let firstColumn: Int

  /// Begins with the text between the brackets; `firstColumn` is where it stands in its line.
  init(_ text: Substring, line: Int, firstColumn: Int) {
    self.text = text
    self.line = line
    self.firstColumn = firstColumn
    words = text.split(separator: " ", omittingEmptySubsequences: true)
  }

  /// Whether every word has been read.
  var isAtEnd: Bool { index == words.count }

  /// The next word, not taken.
  var next: Substring? { isAtEnd ? nil : words[index] }

  /// Whether a word is still to come.
  func contains(_ word: String) -> Bool { words[index...].contains { $0 == word } }

  /// An error at the next word.
  func error(_ reason: String) -> BytecodeSyntaxError {
    let place = isAtEnd ? text.endIndex : words[index].startIndex
    let column = firstColumn + text.utf8.distance(from: text.startIndex, to: place)
    return BytecodeSyntaxError(line: line, column: column, reason: reason)
  }

  /// Takes any word.
  mutating func word(_ what: String) throws(BytecodeSyntaxError) -> Substring {
    guard let word = next else { throw error("expected \(what)") }
    index += 1
    return word
  }

  /// Takes these very words.
  mutating func expect(_ expected: String...) throws(BytecodeSyntaxError) {
    for word in expected {
      guard take(word) else { throw error("expected `\(word)`") }
    }
  }

  /// Takes a word if it is next.
  mutating func take(_ word: String) -> Bool {
    guard next == word[...] else { return false }
    index += 1
    return true
  }

  /// Takes what a closure makes of the next word.
  mutating func take<Value>(
    _ what: String, _ read: (Substring) -> Value?
  ) throws(BytecodeSyntaxError) -> Value {
    guard let word = next, let value = read(word) else { throw error("expected \(what)") }
    index += 1
    return value
  }

  /// Takes a number; hexadecimal after `0x`.
  mutating func number<Number: FixedWidthInteger>(
    _ type: Number.Type = Number.self
  ) throws(BytecodeSyntaxError) -> Number {
    try take("a number") { word in
      word.hasPrefix("0x") ? Number(word.dropFirst(2), radix: 16) : Number(word)
    }
  }

  /// Takes a number of a register.
  mutating func register() throws(BytecodeSyntaxError) -> Register {
    try take("a register") { UInt32($0).flatMap(Register.init(netlinkNumber:)) }
  }

  /// Takes words of 4 bytes as long as they come; each is a number that the host would read.
  mutating func bytes() throws(BytecodeSyntaxError) -> [UInt8] {
    var bytes: [UInt8] = []
    while let word = next, word.hasPrefix("0x"), word.utf8.count == 10,
      let value = UInt32(word.dropFirst(2), radix: 16)
    {
      bytes += (0..<4).map { UInt8(value >> (8 * $0) & 0xff) }
      index += 1
    }
    guard !bytes.isEmpty, bytes.count <= 64 else {
      throw error("expected 1 to 16 words of 4 bytes")
    }
    return bytes
  }

  /// Takes bytes written as `4:0a0b`: their number, and their digits without zeros at the end.
  mutating func blob() throws(BytecodeSyntaxError) -> [UInt8] {
    try take("bytes as `4:0a0b`") { word in
      let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let count = Int(parts[0]), (0...1 << 16).contains(count),
        parts[1].utf8.count % 2 == 0, parts[1].utf8.count / 2 <= count
      else { return nil }
      var bytes: [UInt8] = []
      var rest = parts[1]
      while !rest.isEmpty {
        guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
        bytes.append(byte)
        rest = rest.dropFirst(2)
      }
      return bytes + [UInt8](repeating: 0, count: count - bytes.count)
    }
  }

  /// Takes everything before the last of some words, which must follow; for text with spaces.
  ///
  /// Spaces are kept as they stand.
  mutating func text(
    before words: Set<String>
  ) throws(BytecodeSyntaxError) -> String {
    guard index > 0, let end = self.words[index...].lastIndex(where: { words.contains(String($0)) })
    else { throw error("expected one of \(words.sorted().joined(separator: ", "))") }
    let start = text.index(after: self.words[index - 1].endIndex)
    let stop = text.index(before: self.words[end].startIndex)
    guard start <= stop else { throw error("expected text") }
    index = end
    return String(text[start..<stop])
  }

  /// Takes an expression in brackets, as `dynset` and `inner` have them.
  mutating func nested() throws(BytecodeSyntaxError) -> LineScanner {
    try expect("[")
    guard let end = words[index...].firstIndex(of: "]"), end > index else {
      throw error("expected an expression and `]`")
    }
    let range = words[index].startIndex..<words[end - 1].endIndex
    let column = firstColumn + text.utf8.distance(from: text.startIndex, to: range.lowerBound)
    index = end + 1
    return LineScanner(text[range], line: line, firstColumn: column)
  }
}
