import Glibc
import LinuxSystem
import TestSupport

/// A packet socket of the calling thread's namespace: writes frames to a link, or sees those that come in.
///
/// Safe: the kernel reads and writes within arrays and a mapping that live until the calls are back.
final class PacketSocket {
  /// How frames get from the program to the link.
  enum Way: CaseIterable {
    /// `SOCK_RAW`: the program writes the link-layer header.
    case raw
    /// `SOCK_DGRAM`: the kernel does.
    case datagram
    /// `PACKET_QDISC_BYPASS`.
    case pastQueue
    /// `PACKET_TX_RING`.
    case ring
    /// `PACKET_VNET_HDR`.
    case offloaded
  }

  private static let level: Int32 = 263
  private static let patienceMilliseconds = 100
  private let descriptor: Int32
  private let link: Int32
  private let way: Way

  /// Opens a socket.
  ///
  /// - Parameters:
  ///   - way: how it sends.
  ///   - link: its link.
  ///   - receives: whether it sees what comes in.
  /// - Throws: `HostPlant.Failed`.
  init(_ way: Way = .raw, on link: String, receives: Bool = false) throws {
    self.way = way
    self.link = Int32(unsafe if_nametoindex(link))
    descriptor = try HostPlant.socket(
      AF_PACKET, (way == .datagram ? SOCK_DGRAM : SOCK_RAW).rawValue, 0)
    var timeout = timeval(tv_sec: 0, tv_usec: Self.patienceMilliseconds * 1000)
    _ = unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    switch way {
    case .raw, .datagram: break
    case .pastQueue: try set(20, [1])  // PACKET_QDISC_BYPASS
    case .offloaded: try set(15, [1])  // PACKET_VNET_HDR
    case .ring:
      try set(10, [1])  // PACKET_VERSION, TPACKET_V2
      try set(13, [4096, 1, 2048, 2])  // PACKET_TX_RING
    }
    let address = self.address(etherType: receives ? 0x0003 : 0)
    let status = unsafe address.withUnsafeBytes { pointer in
      unsafe bind(
        descriptor, pointer.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t(pointer.count))
    }
    guard status == 0 else {
      throw HostPlant.Failed(what: "bind to \(link): errno \(errno)")
    }
  }

  deinit { close(descriptor) }

  /// Writes a frame; the error's number where the kernel did not take it.
  func send(_ frame: [UInt8]) throws -> Int32? {
    let etherType = UInt16(frame[12]) << 8 | UInt16(frame[13])
    var bytes = frame
    switch way {
    case .raw, .pastQueue: break
    case .datagram: bytes.removeFirst(14)
    case .offloaded: bytes.insert(contentsOf: [UInt8](repeating: 0, count: 10), at: 0)
    case .ring:
      try fillRing(frame)
      bytes = []
    }
    let address = self.address(etherType: etherType)
    let sent = unsafe address.withUnsafeBytes { pointer in
      unsafe sendto(
        descriptor, bytes, bytes.count, 0,
        pointer.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(pointer.count))
    }
    return sent < 0 ? errno : nil
  }

  /// Whether a frame with these bytes in it comes in within so many milliseconds.
  func sees(_ bytes: [UInt8], within milliseconds: Int) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    for _ in 0...milliseconds / Self.patienceMilliseconds {
      while true {
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { break }
        if Self.contains(buffer[..<count], bytes) { return true }
      }
    }
    return false
  }

  private static func contains(_ all: ArraySlice<UInt8>, _ part: [UInt8]) -> Bool {
    all.indices.dropLast(part.count - 1).contains { all[$0...].starts(with: part) }
  }

  private func set(_ option: Int32, _ values: [Int32]) throws {
    let status = unsafe setsockopt(
      descriptor, Self.level, option, values, socklen_t(values.count * 4))
    guard status == 0 else {
      throw HostPlant.Failed(what: "packet socket option \(option): errno \(errno)")
    }
  }

  /// `struct sockaddr_ll`, `linux/if_packet.h`.
  private func address(etherType: UInt16) -> [UInt8] {
    let index = (0..<4).map { UInt8(UInt32(bitPattern: link) >> ($0 * 8) & 0xff) }
    return [17, 0, UInt8(etherType >> 8), UInt8(etherType & 0xff)] + index + [0, 0, 0, 6]
      + SealTests.far + [0, 0]
  }

  /// Puts a frame into the first slot: `struct tpacket2_hdr`, then the frame at byte 32.
  private func fillRing(_ frame: [UInt8]) throws {
    let mapping = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
      throw HostPlant.Failed(what: "mmap: errno \(errno)")
    }
    defer { unsafe munmap(mapping, 4096) }
    for (offset, byte) in frame.enumerated() {
      unsafe mapping.storeBytes(of: byte, toByteOffset: 32 + offset, as: UInt8.self)
    }
    unsafe mapping.storeBytes(of: UInt32(frame.count), toByteOffset: 4, as: UInt32.self)
    unsafe mapping.storeBytes(of: 1, as: UInt32.self)  // TP_STATUS_SEND_REQUEST
  }
}
