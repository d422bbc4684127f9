import NetworkTypes

/// A domain name as messages carry it: labels of any bytes, compared without regard to ASCII case.
struct DomainName: Hashable {
  /// The labels in lower case, the topmost last, each 1…63 bytes.
  let labels: [[UInt8]]

  /// Labels as a message has them, any bytes; the caller checked the lengths.
  init(labels: [[UInt8]]) {
    self.labels = labels.map { $0.map(DomainName.lowercased) }
  }

  /// The labels of a host name.
  init(_ name: HostName) {
    self.init(labels: name.text.utf8.split(separator: UInt8(ascii: ".")).map(Array.init))
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

extension DomainName: CustomStringConvertible {
  /// Lower case without a final dot; bytes that no host name has are written `\ddd`, in decimal.
  ///
  /// Safe on a terminal whatever a server sent. Source: RFC 4343 section 2.1.
  var description: String {
    labels.map { label in
      label.map { byte in
        if DomainName.isHostByte(byte) { return String(UnicodeScalar(byte)) }
        let digits = String(byte)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }.joined()
    }.joined(separator: ".")
  }
}
