import KernelTrials
import NetworkTypes
import SeededRandom

/// Makes packets of every shape, each the first of its flow.
struct PacketSource {
  var random: SeededGenerator
  /// Counts up, so that no two packets have the same ports or identifiers.
  private var number: UInt16

  /// Addresses and ports that the random rules are about as well.
  static let destinations4: [UInt32] = [
    0x0808_0808, 0x0808_0404, 0xc633_6401, 0xc633_6402, 0x0a01_0203, 0x0a01_02ff, 0xc612_4d01,
    0xc0a8_0101,
  ]
  static let destinations6: [UInt128] = [
    0x2001_4860_4860 << 80 | 0x8888, 0x2001_4860_4860 << 80 | 0x8844, 0x2001_0db8 << 96 | 1,
    0x2001_0db8 << 96 | 2, 0x2001_0db8_0077 << 80 | 1, 0xfd00 << 112 | 1,
  ]
  static let ports: [UInt16] = [53, 80, 443, 8080, 25, 1000, 2000]

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    // Far enough apart that the rulesets of one sandbox share no flow.
    number = UInt16(2000 + (seed &* 977) % 60_000)
  }

  private mutating func chance(_ percent: Int) -> Bool { random.next(upperBound: 100) < percent }
  private mutating func pick<Value>(_ values: [Value]) -> Value {
    values[random.next(upperBound: values.count)]
  }

  mutating func next() -> TrialPacket {
    number = number == 65_000 ? 2000 : number + 1
    return chance(55) ? ipv4() : ipv6()
  }

  // MARK: Network layer

  private mutating func ipv4() -> TrialPacket {
    let ipProtocol = pick([6, 6, 6, 17, 17, 17, 1, 132, 33, 47, 253, 136, 4])
    let destination = pick(Self.destinations4)
    // Protocols without ports are told apart by the sender.
    let sender: UInt32 =
      [47, 253, 4, 33].contains(ipProtocol) ? 0xc613_0000 | UInt32(number) : 0xc612_4d02
    let ends =
      IPAddress.v4(sender).networkOrderBytes + IPAddress.v4(destination).networkOrderBytes
    let payload = transport(UInt8(ipProtocol), ends)
    let options: [UInt8] =
      chance(10)
      ? pick([
        [148, 4, 0, 0], [1, 1, 1, 0], [131, 7, 4, 10, 0, 0, 1, 0], [7, 7, 4, 0, 0, 0, 0, 0],
        [68, 8, 5, 0, 0, 0, 0, 0],
      ]) : []
    var fragment: UInt16 = 0
    var isExempt = false
    if chance(8) {
      fragment = pick([0x2000, 0x0001, 0x2001, 0x00b9])
      isExempt = chance(50)
    } else if chance(20) {
      fragment = 0x4000
    }
    let length = 20 + options.count + payload.count
    var header: [UInt8] =
      [
        UInt8(0x45 + options.count / 4), pick([0, 0, 0x10, 0xb8, 0x2e]), UInt8(length >> 8),
        UInt8(length & 0xff), UInt8(number >> 8), UInt8(number & 0xff), UInt8(fragment >> 8),
        UInt8(fragment & 0xff), pick([64, 64, 1, 255, 128]), UInt8(ipProtocol), 0, 0,
      ] + ends + options
    let sum = checksum(header)
    header[10] = UInt8(sum >> 8)
    header[11] = UInt8(sum & 0xff)
    return TrialPacket(header + payload, isExempt: isExempt)
  }

  private mutating func ipv6() -> TrialPacket {
    let ipProtocol = pick([6, 6, 6, 17, 17, 17, 58, 58, 132, 33, 47, 253, 136, 59])
    let destination = pick(Self.destinations6)
    let ends =
      IPAddress.v6(
        0x2001_0db8_0077 << 80
          | ([47, 253, 59, 33].contains(ipProtocol) ? UInt128(number) << 16 : 2)
      ).networkOrderBytes
      + IPAddress.v6(destination).networkOrderBytes
    var payload = ipProtocol == 59 ? [] : transport(UInt8(ipProtocol), ends)
    var next = UInt8(ipProtocol)
    if chance(25) {
      for _ in 0..<1 + random.next(upperBound: 2) {
        let (number, bytes) = extensionHeader(next)
        payload = bytes + payload
        next = number
      }
    }
    let length = payload.count
    let header: [UInt8] =
      [
        0x60 | pick([0, 0, 1, 11]), pick([0, 0x25, 0x81]), UInt8(number >> 8), UInt8(number & 0xff),
        UInt8(length >> 8), UInt8(length & 0xff), next, pick([64, 64, 1, 255]),
      ] + ends
    return TrialPacket(header + payload)
  }

  private mutating func extensionHeader(_ next: UInt8) -> (UInt8, [UInt8]) {
    let overlong: UInt8 = chance(5) ? 15 : 0
    switch random.next(upperBound: 6) {
    case 0: return (0, [next, overlong, 1, 4, 0, 0, 0, 0])
    case 1: return (60, [next, overlong, 1, 4, 0, 0, 0, 0])
    case 2: return (43, [next, 0, pick([0, 4]), 0, 0, 0, 0, 0])
    case 3: return (51, [next, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
    default:
      let offset: UInt16 = pick([0x0001, 0x0008, 0x0009, 0x05c8])
      return (
        44,
        [
          next, 0, UInt8(offset >> 8), UInt8(offset & 0xff), 0, 0, UInt8(number >> 8),
          UInt8(number & 0xff),
        ]
      )
    }
  }

  // MARK: Layer 4

  private mutating func transport(_ ipProtocol: UInt8, _ ends: [UInt8]) -> [UInt8] {
    var bytes: [UInt8]
    let own = [UInt8(number >> 8), UInt8(number & 0xff)]
    let port = chance(85) ? pick(Self.ports) : UInt16(truncatingIfNeeded: random.next())
    let ports = own + [UInt8(port >> 8), UInt8(port & 0xff)]
    var place = -1
    switch ipProtocol {
    case 6:
      let options: [UInt8] = pick([
        [], [2, 4, 5, 180], [2, 4, 5, 180, 4, 2, 1, 1], [3, 3, 7, 1],
        [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0],
        [2, 200, 5, 180], [30, 0, 1, 1],
      ])
      let flags: UInt8 = pick([2, 2, 2, 2, 0x10, 0x12, 0x18, 4, 1, 0x29, 0xc2, 0])
      let offset = UInt8(5 + options.count / 4) << 4
      bytes =
        ports + [0, 0, 0, pick([1, 2, 3])] + [0, 0, 0, 0]
        + [chance(4) ? pick([0x40, 0xf0, 0x60]) : offset, flags, 0x10, 0, 0, 0, 0, 0] + options
      place = 16
    case 17, 136:
      bytes = ports + [0, 0, 0, 0]
      bytes += (0..<random.next(upperBound: 12)).map { UInt8($0) }
      let length = bytes.count + (chance(4) ? pick([-3, 9]) : 0)
      bytes[5] = UInt8(max(length, 0))
      place = ipProtocol == 17 && chance(15) ? -1 : 6
    case 1:
      let type: UInt8 = pick([8, 8, 8, 0, 3, 13, 11, 5, 42])
      bytes = [type, pick([0, 0, 1, 3]), 0, 0] + own + [0, 1, 1, 2, 3, 4]
      place = 2
    case 58:
      let type: UInt8 = pick([128, 128, 128, 129, 1, 2, 3, 133, 135, 136, 143, 130, 139, 200])
      bytes = [type, pick([0, 0, 1, 4]), 0, 0] + own + [0, 1, 1, 2, 3, 4]
      place = 2
    case 132:
      bytes = ports + [0, 0, 0, 0, 0, 0, 0, 0]
      bytes += pick([
        [1, 0, 0, 20] + [UInt8](repeating: 7, count: 16),
        [0, 3, 0, 16, 0, 0, 0, 1, 0, 2, 0, 3, 0, 0, 0, 0],
        [3, 0, 0, 4, 0, 0, 0, 5, 9, 0, 0, 0], [],
      ])
    case 33:
      bytes =
        ports + [6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1] + [0, 0, 0, 0] + [2, 0, 0, 0, 44, 4, 0, 0]
    case 47: bytes = [0x20, 0, 8, 0] + own + [0, 1, 1, 2, 3, 4]
    case 4: bytes = [0x45, 0, 0, 20, 0, 1, 0, 0, 64, 253, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
    default:
      bytes =
        own
        + (0..<random.next(upperBound: 20)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
    if place >= 0, place + 2 <= bytes.count { seal(&bytes, place, ipProtocol, ends) }
    if chance(6) { bytes.removeLast(random.next(upperBound: bytes.count + 1)) }
    return bytes
  }

  private func seal(_ bytes: inout [UInt8], _ place: Int, _ ipProtocol: UInt8, _ ends: [UInt8]) {
    let pseudo =
      ipProtocol == 1
      ? [] : ends + [0, ipProtocol, UInt8(bytes.count >> 8), UInt8(bytes.count & 0xff)]
    var sum = checksum(pseudo + bytes)
    if sum == 0, ipProtocol == 17 { sum = 0xffff }
    bytes[place] = UInt8(sum >> 8)
    bytes[place + 1] = UInt8(sum & 0xff)
  }

  private func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count, by: 2) {
      sum += UInt32(bytes[index]) << 8 + (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
    }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    return ~UInt16(sum)
  }
}
