public import ConnectionReplay
import NetworkTypes

/// Packets of any content, one by one.
extension PacketSandbox {
  /// The index of the link by which packets leave.
  public var linkIndex: UInt32 { topology.insideLinkIndex }

  /// Sends the bytes as they are, to the destination that their header names.
  ///
  /// The kernel fills in the length and the checksum of an IPv4 header.
  ///
  /// - Parameters:
  ///   - packet: an IPv4 or IPv6 packet from its header on, at least the header.
  ///   - bypassesReassembly: whether by a socket with `IP_NODEFRAG`, IPv4 only.
  /// - Returns: nil when the kernel took it, else why not; EPERM is netfilter's drop.
  /// - Throws: ``LinuxError/machinesOwnNamespace`` should the sandbox not be one.
  public func send(
    _ packet: [UInt8], bypassesReassembly: Bool = false
  ) throws(LinuxError) -> ErrorNumber? {
    guard !inside.identity.isMachinesOwn else { throw .machinesOwnNamespace }
    let isFour = packet[0] >> 4 == 4
    let field = isFour ? packet[16..<20] : packet[24..<40]
    guard let destination = IPAddress(networkOrderBytes: field) else { return nil }
    let sender = isFour ? bypassesReassembly ? unassembledSender4 : sender4 : sender6
    return sender.send(packet, to: destination)
  }

  /// What has left since the last look, from the IP header on, at most about 180 bytes each.
  ///
  /// - Parameter waitMilliseconds: how long to wait when nothing is there yet.
  /// - Returns: in the order they left.
  public func departures(waitMilliseconds: Int32 = 0) -> [[UInt8]] {
    var packets: [[UInt8]] = []
    func look() {
      _ = witness.look { bytes in
        packets.append((0..<bytes.count).map { bytes[$0] })
      }
    }
    look()
    if packets.isEmpty, waitMilliseconds > 0, witness.wait(milliseconds: waitMilliseconds) {
      look()
    }
    return packets
  }
}
