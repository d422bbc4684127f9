/// One end of a flow as text: `192.0.2.1`, `192.0.2.1:53`, `[2001:db8::1]:53`, `:22`, `name:443`.
struct FlowEnd {
  var address: IPAddress?
  var name: String?
  var port: UInt16?

  init(_ text: String) throws(LiteralError) {
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else {
        throw .flow("`\(text)` lacks the closing bracket")
      }
      let address = try IPAddress(strict: text[text.index(after: text.startIndex)..<close])
      guard address.family == .ipv6 else {
        throw .flow("brackets are for IPv6; write \(address)")
      }
      self.address = address
      let rest = text[text.index(after: close)...]
      guard rest.isEmpty || rest.hasPrefix(":") else {
        throw .flow("expected `:port` behind the bracket, found `\(rest)`")
      }
      if !rest.isEmpty { port = try FlowEnd.port(rest.dropFirst()) }
      return
    }
    let colons = text.utf8.count { $0 == UInt8(ascii: ":") }
    if colons > 1 {
      address = try IPAddress(strict: text)
      return
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count == 2 { port = try FlowEnd.port(parts[1]) }
    guard !parts[0].isEmpty else { return }
    if let name = HostName(parts[0]) {
      self.name = name.text
    } else {
      address = try IPAddress(strict: parts[0])
    }
  }

  /// How the end would look with a port, for messages.
  var example: String { name.map { "\($0):443" } ?? FlowEnd.text(address, 443) }

  /// The canonical spelling.
  static func text(_ address: IPAddress?, _ port: UInt16?) -> String {
    switch (address, port) {
    case (nil, let port): ":\(port ?? 0)"
    case (let address?, nil): "\(address)"
    case (.v4(let bits)?, let port?): "\(IPAddress.v4(bits)):\(port)"
    case (.v6(let bits)?, let port?): "[\(IPAddress.v6(bits))]:\(port)"
    }
  }

  private static func port(_ text: some StringProtocol) throws(LiteralError) -> UInt16 {
    guard let port = UInt16(text), String(port) == text else { throw .port(String(text)) }
    return port
  }
}
