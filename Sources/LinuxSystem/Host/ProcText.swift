/// Why a text under /proc or /sys is not what a kernel writes.
struct MalformedText: Error, Hashable {
  /// The line, from 1.
  var line: Int
  /// What should stand there.
  var expected: String
}

extension MalformedText: CustomStringConvertible {
  var description: String { "line \(line) is not \(expected)" }
}

/// Cuts the lines of a /proc file into fields.
///
/// Bytes, not characters: names in these files are whatever a process chose.
enum ProcText {
  /// The most lines that a file may have.
  static let lineLimit = 2_000_000

  /// The lines without their newline; a last line without one counts.
  ///
  /// O(n).
  static func lines(_ bytes: [UInt8]) throws(MalformedText) -> [ArraySlice<UInt8>] {
    let lines = bytes.split(
      separator: UInt8(ascii: "\n"), maxSplits: lineLimit, omittingEmptySubsequences: true)
    guard lines.count <= lineLimit else {
      throw MalformedText(line: lineLimit, expected: "the last of so many lines")
    }
    return lines
  }

  /// The fields of a line: what spaces and tabs separate.
  static func fields(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
  }

  /// A decimal number without sign.
  static func decimal<Number: FixedWidthInteger>(
    _ field: ArraySlice<UInt8>, as type: Number.Type = Number.self
  ) -> Number? {
    number(field, radix: 10)
  }

  /// A hexadecimal number without sign and prefix.
  static func hexadecimal<Number: FixedWidthInteger>(
    _ field: ArraySlice<UInt8>, as type: Number.Type = Number.self
  ) -> Number? {
    number(field, radix: 16)
  }

  /// The bytes as text; what is no UTF-8 is replaced.
  static func text(_ field: ArraySlice<UInt8>) -> String { String(decoding: field, as: UTF8.self) }

  private static func number<Number: FixedWidthInteger>(
    _ field: ArraySlice<UInt8>, radix: Number
  ) -> Number? {
    guard !field.isEmpty else { return nil }
    var value: Number = 0
    for byte in field {
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x61...0x66: digit = byte - 0x61 + 10
      case 0x41...0x46: digit = byte - 0x41 + 10
      default: return nil
      }
      guard Number(digit) < radix else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: radix)
      let (sum, carry) = product.addingReportingOverflow(Number(digit))
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }
}
