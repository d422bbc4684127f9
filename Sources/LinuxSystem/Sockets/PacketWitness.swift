import CLinux
import ConnectionReplay
import Glibc

/// Sees every packet that comes in by a link, before any filter of that side.
///
/// The packets lie in memory shared with the kernel (`PACKET_RX_RING`, version 2), so looking costs
/// no system call and no limit on socket buffers applies. Safe because the mapping lives as long as
/// the value and no offset beyond its frame is read.
///
/// Source: `Documentation/networking/packet_mmap.rst`, `struct tpacket2_hdr`.
@safe final class PacketWitness {
  private static let frameBytes = 256
  private static let frameCount = 16_384
  private static let ringBytes = frameBytes * frameCount

  private let descriptor: FileDescriptor
  private let ring: UnsafeMutableRawPointer
  private var next = 0

  /// Starts watching a link of the calling thread's network namespace.
  init(linkIndex: UInt32) throws(LinuxError) {
    let everything = Int32(UInt16(linux_eth_p_all).bigEndian)
    let socket = FileDescriptor(
      owning: try checked("open a packet socket") {
        Glibc.socket(
          AF_PACKET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      })
    try socket.set(SocketLevel.packet, PACKET_VERSION, to: Int32(TPACKET_V2.rawValue))
    try socket.set(SocketLevel.packet, Int32(linux_packet_ignore_outgoing))
    let number = socket.number
    var request = tpacket_req(
      tp_block_size: 1 << 16, tp_block_nr: UInt32(PacketWitness.ringBytes >> 16),
      tp_frame_size: UInt32(PacketWitness.frameBytes),
      tp_frame_nr: UInt32(PacketWitness.frameCount))
    _ = try checked("share memory with a packet socket") {
      unsafe setsockopt(
        number, SocketLevel.packet, PACKET_RX_RING, &request,
        socklen_t(MemoryLayout<tpacket_req>.size))
    }
    var address = sockaddr_ll()
    address.sll_family = UInt16(AF_PACKET)
    address.sll_protocol = UInt16(truncatingIfNeeded: everything)
    address.sll_ifindex = Int32(linkIndex)
    _ = try checked("watch link \(linkIndex)") {
      unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bound in
          unsafe bind(number, bound, socklen_t(MemoryLayout<sockaddr_ll>.size))
        }
      }
    }
    let mapping = unsafe mmap(
      nil, PacketWitness.ringBytes, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0)
    guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
      throw .refused(operation: "map a packet ring", errno: ErrorNumber(rawValue: ENOMEM))
    }
    unsafe ring = mapping
    descriptor = socket
  }

  deinit { unsafe munmap(ring, PacketWitness.ringBytes) }

  /// How many packets can wait to be looked at before new ones are lost.
  static var capacity: Int { frameCount }

  /// Shows every packet since the last look, from its IP header on, at most about 180 bytes.
  ///
  /// Returns how many there were.
  func look(_ body: (Span<UInt8>) -> Void) -> Int {
    var count = 0
    while true {
      let frame = unsafe ring + next * PacketWitness.frameBytes
      let status = unsafe frame.load(as: UInt32.self)
      guard status & 1 != 0 else { return count }  // TP_STATUS_USER
      let captured = Int(unsafe frame.load(fromByteOffset: 8, as: UInt32.self))
      let start = Int(unsafe frame.load(fromByteOffset: 14, as: UInt16.self))
      let length = min(captured, PacketWitness.frameBytes - start)
      if start > 0, length > 0 {
        let bytes = unsafe UnsafeRawBufferPointer(start: frame + start, count: length)
        unsafe bytes.withMemoryRebound(to: UInt8.self) { unsafe body($0.span) }
      }
      unsafe frame.storeBytes(of: 0, as: UInt32.self)
      next = (next + 1) % PacketWitness.frameCount
      count += 1
    }
  }

  /// Waits until a packet is there or the time is up; whether one is there.
  func wait(milliseconds: Int32) -> Bool {
    var request = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&request, 1, milliseconds) > 0
  }
}
