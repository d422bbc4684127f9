import NetworkTypes

/// Values as nft(8) lists them.
extension TextBuffer {
  /// Writes one value of a type.
  mutating func put(_ bytes: some BidirectionalCollection<UInt8>, as type: ValueType) {
    switch type {
    case .ipv4Address: put(ipv4: UInt32(type.number(bytes)))
    case .ipv6Address: put(ipv6: bytes.reduce(0) { $0 << 8 | UInt128($1) })
    case .raw:
      put("0x")
      put(hex: bytes.reduce(0) { $0 << 8 | UInt128($1) })
    case .mark:
      put("0x")
      put(hex: type.number(bytes), width: 8)
    case .interfaceName:
      put("\"")
      for byte in bytes where byte != 0 { put(byte: byte) }
      put("\"")
    case .etherType where type.words.allSatisfy({ $0.number != type.number(bytes) }):
      put("0x")
      put(hex: type.number(bytes), width: 4)
    case .tcpFlags where type.words.allSatisfy({ $0.number != type.number(bytes) }):
      put("0x")
      put(hex: type.number(bytes))
    case .number: put(decimal: bytes.reduce(0) { $0 << 8 | UInt128($1) })
    case .inetService, .hostNumber: put(decimal: type.number(bytes))
    default:
      let number = type.number(bytes)
      if let word = type.words.first(where: { $0.number == number })?.word {
        put(word)
      } else {
        put(decimal: number)
      }
    }
  }

  /// Writes a range as a value, a prefix or `low-high`.
  mutating func put(range low: [UInt8], _ high: [UInt8], as type: ValueType) {
    put(low, as: type)
    if low == high { return }
    if type.hasPrefixes, let length = prefixLength(low, high) {
      put("/")
      put(decimal: UInt(length))
    } else {
      put("-")
      put(high, as: type)
    }
  }

  /// Writes words with commas, as `syn,ack`.
  mutating func put(bits: UInt64, as type: ValueType) {
    put((type.bitWords(bits) ?? []).joined(separator: ","))
  }
}

/// The length of the prefix that a range is; nil when it is none.
func prefixLength(_ low: [UInt8], _ high: [UInt8]) -> Int? {
  func number(_ bytes: [UInt8]) -> UInt128 { bytes.reduce(0) { $0 << 8 | UInt128($1) } }
  let span = number(low) ^ number(high)
  guard span & (span &+ 1) == 0, number(low) & span == 0 else { return nil }
  return low.count * 8 - (128 - span.leadingZeroBitCount)
}
