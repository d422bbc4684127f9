import CLinux

/// One rtnetlink message as the kernel sent it.
struct RouteReply {
  /// The message type, such as `RTM_NEWLINK`.
  let type: Int
  /// The flags of the header.
  let flags: Int32
  /// The sequence number of the request that this answers.
  let sequence: UInt32
  /// What follows the 16-byte header.
  let payload: ArraySlice<UInt8>

  /// The attributes after a fixed part of `fixedBytes` bytes, first of each type.
  func attributes(after fixedBytes: Int) -> [Int: ArraySlice<UInt8>] {
    payload.count < fixedBytes ? [:] : payload.dropFirst(fixedBytes).attributes()
  }

  /// Cuts a datagram into messages; nil when a length does not add up.
  static func all(in datagram: [UInt8]) -> [RouteReply]? {
    var messages: [RouteReply] = []
    var rest = datagram[...]
    while !rest.isEmpty {
      guard let length = rest.number(UInt32.self, at: 0), length >= 16, length <= rest.count,
        let type = rest.number(UInt16.self, at: 4), let flags = rest.number(UInt16.self, at: 6),
        let sequence = rest.number(UInt32.self, at: 8)
      else { return nil }
      messages.append(
        RouteReply(
          type: Int(type), flags: Int32(flags), sequence: sequence,
          payload: rest.prefix(Int(length)).dropFirst(16)))
      rest = rest.dropFirst((Int(length) + 3) & ~3)
    }
    return messages
  }
}

extension ArraySlice<UInt8> {
  /// A number as the machine stores it, `offset` bytes from the start; nil past the end.
  func number<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number? {
    guard offset >= 0, offset + Number.bitWidth / 8 <= count else { return nil }
    var value: Number = 0
    for index in 0..<(Number.bitWidth / 8) {
      let byte = Number(truncatingIfNeeded: self[startIndex + offset + index])
      #if _endian(little)
        value |= byte << (8 * index)
      #else
        value = value << 8 | byte
      #endif
    }
    return value
  }

  /// Reads attributes up to the first that does not fit, first of each type.
  func attributes() -> [Int: ArraySlice<UInt8>] {
    var found: [Int: ArraySlice<UInt8>] = [:]
    var rest = self
    while let length = rest.number(UInt16.self, at: 0), let type = rest.number(UInt16.self, at: 2),
      length >= 4, length <= rest.count
    {
      let key = Int(type & 0x3fff)  // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
      if found[key] == nil { found[key] = rest.prefix(Int(length)).dropFirst(4) }
      rest = rest.dropFirst((Int(length) + 3) & ~3)
    }
    return found
  }

  /// The text up to the final zero byte.
  var text: String { String(decoding: prefix { $0 != 0 }, as: UTF8.self) }
}
