public import ConnectionReplay
import Glibc
public import NetworkTypes

/// What became of one packet that a sandbox sent.
public struct SingleObservation: Hashable, Sendable {
  /// Why the kernel did not take it; EPERM is a drop by netfilter.
  public var refusal: ErrorNumber?
  /// What was seen on the wire since, from the IP header on; at most about 180 bytes of each.
  public var seen: [[UInt8]]
}

extension PacketSandbox {
  /// Sends one packet as it is, and says what was then seen on the wire.
  ///
  /// - Parameters:
  ///   - bytes: the packet from its IP header on, its source an address of anybody.
  ///   - destination: where it goes.
  ///   - mark: `meta mark` of its socket.
  ///   - bypassesReassembly: whether an IPv4 fragment goes out as it is (`IP_NODEFRAG`).
  /// - Returns: the refusal, or what left within 100 ms.
  /// - Throws: ``LinuxError``.
  public func observe(
    packet bytes: [UInt8], to destination: IPAddress, mark: UInt32 = 0,
    bypassesReassembly: Bool = false
  ) throws(LinuxError) -> SingleObservation {
    guard !inside.identity.isMachinesOwn else { throw .machinesOwnNamespace }
    let sender =
      destination.family == .ipv6 ? sender6 : bypassesReassembly ? unassembledSender4 : sender4
    try sender.set(mark: mark)
    _ = witness.look { _ in }
    var observation = SingleObservation(
      refusal: sender.send(bytes, to: destination), seen: [])
    for _ in 0..<5 {
      _ = witness.wait(milliseconds: 20)
      _ = witness.look { packet in
        var copy: [UInt8] = []
        copy.reserveCapacity(packet.count)
        for index in packet.indices { copy.append(packet[index]) }
        observation.seen.append(copy)
      }
      if !observation.seen.isEmpty { break }
    }
    return observation
  }
}
