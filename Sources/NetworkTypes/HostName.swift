/// A host name as the DNS carries it: lower case, no final dot.
///
/// Letters, digits, dashes and underscores in labels of 1…63, at most 253 in all. The last label
/// is no number, because such a name is an IPv4 address to some programs (`127.1`, `1.0x10`).
public struct HostName: Hashable, Sendable {
  /// The name.
  public let text: String

  /// Reads a name in any case, with or without the final dot; nil when it is none.
  ///
  /// Example: `"SMTP.gmail.com."` → `smtp.gmail.com`.
  public init?(_ text: some StringProtocol) {
    let name = text.lowercased()
    let bare = name.hasSuffix(".") ? Substring(name.dropLast()) : Substring(name)
    let labels = bare.split(separator: ".", omittingEmptySubsequences: false)
    guard bare.utf8.count <= 253, labels.allSatisfy(HostName.isLabel), let last = labels.last,
      !LiteralError.isNumber(last)
    else { return nil }
    self.text = String(bare)
  }

  private static func isLabel(_ label: Substring) -> Bool {
    1...63 ~= label.utf8.count && label.first != "-" && label.last != "-"
      && label.utf8.allSatisfy {
        switch $0 {
        case 0x61...0x7a, 0x30...0x39, 0x2d, 0x5f: true
        default: false
        }
      }
  }
}
