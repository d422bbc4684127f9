public import ConnectionReplay
import Glibc
import NetworkTypes

/// Sends single packets out of a throw-away host and sees which ones leave it.
///
/// Load the rules under test into ``filter``, then observe. One raw socket per family sends, an
/// errno and a witness on the other end of the wire decide together. Not for two threads at once.
public final class PacketSandbox {
  /// Where the probes come from.
  public var inside: NetworkNamespace { topology.inside }
  /// Where the rules under test belong.
  public var filter: NetworkNamespace { topology.filter }

  let topology: SandboxTopology
  let sender4: RawSender
  let sender6: RawSender
  let unassembledSender4: RawSender
  let witness: PacketWitness
  /// The tag of the next batch's first packet, so that no two batches in a row share one.
  private var firstTag: UInt16 = 1

  /// Makes the namespaces and opens the sockets.
  ///
  /// - Parameters:
  ///   - addresses: of both ends.
  ///   - linkName: the name of the link that packets leave by, at most 15 bytes.
  ///   - isRouted: whether a router with the rules stands between both ends.
  /// - Throws: ``LinuxError``, above all where namespaces may not be made.
  public init(
    addresses: SandboxAddresses = SandboxAddresses(),
    linkName: String = SandboxTopology.linkName, isRouted: Bool = false
  ) throws(LinuxError) {
    let topology = try SandboxTopology(
      .silent, addresses: addresses, insideLink: linkName, isRouted: isRouted)
    let link = topology.insideLinkIndex
    witness = try topology.outside.visit { () throws(LinuxError) in
      try PacketWitness(linkIndex: topology.outsideLinkIndex)
    }
    sender4 = try topology.inside.visit { () throws(LinuxError) in
      try RawSender(.ipv4, linkIndex: link)
    }
    sender6 = try topology.inside.visit { () throws(LinuxError) in
      try RawSender(.ipv6, linkIndex: link)
    }
    unassembledSender4 = try topology.inside.visit { () throws(LinuxError) in
      try RawSender(.ipv4, linkIndex: link, bypassesReassembly: true)
    }
    self.topology = topology
  }

  /// The addresses of both ends.
  public var addresses: SandboxAddresses { topology.addresses }
}

extension PacketSandbox: NetworkSandbox {
  /// Sends every outbound probe, sorted by destination, which the kernel's route lookups like.
  ///
  /// - Parameter probes: inbound ones are answered with ``Observation/notTried(_:)``.
  /// - Returns: one ``PacketFate`` per outbound probe, in the order of `probes`.
  /// - Throws: ``LinuxError/machinesOwnNamespace`` should the sandbox not be one.
  public func observe(_ probes: [Probe]) throws(LinuxError) -> [Observation] {
    try observe(probes) { _, _ in }
  }

  /// As ``observe(_:)``, and tells of each packet right after it was sent.
  ///
  /// - Parameters:
  ///   - probes: what to send.
  ///   - afterSend: gets the place of the probe in `probes` and the tag of its packet, by which a
  ///     trace or a log of the kernel can be told to be about it.
  /// - Returns: as ``observe(_:)``.
  /// - Throws: as ``observe(_:)``.
  public func observe(
    _ probes: [Probe], afterSend: (Int, PacketTag) -> Void
  ) throws(LinuxError) -> [Observation] {
    guard !inside.identity.isMachinesOwn else { throw .machinesOwnNamespace }
    var observations = [Observation](
      repeating: .notTried("inbound packets are tried as conversations"), count: probes.count)
    let order = probes.indices.filter { probes[$0].flow.direction == .outbound }
      .sorted { probes[$0].flow.remoteAddress < probes[$1].flow.remoteAddress }
    var start = 0
    while start < order.count {
      let batch = order[start..<min(start + PacketSandbox.batchCount, order.count)]
      let unseen = send(probes, batch, &observations, afterSend)
      collect(probes, batch, unseen, &observations)
      firstTag += UInt16(batch.count)
      start += batch.count
    }
    return observations
  }

  /// Below the witness's capacity, and below half of the tags there are.
  private static let batchCount = 8192

  /// Sends a batch with tags from ``firstTag`` on; returns how many packets should be seen.
  private func send(
    _ probes: [Probe], _ batch: ArraySlice<Int>, _ observations: inout [Observation],
    _ afterSend: (Int, PacketTag) -> Void
  ) -> Int {
    if firstTag > UInt16.max - UInt16(PacketSandbox.batchCount) { firstTag = 1 }
    var builder = PacketBuilder()
    var unseen = 0
    _ = witness.look { _ in }
    for (offset, index) in batch.enumerated() {
      let probe = probes[index]
      let destination = probe.flow.remoteAddress
      let tag = firstTag + UInt16(offset)
      builder.build(probe, host: addresses.inside(probe.family), tag: tag)
      if let errno = sender(for: probe).send(builder.bytes, to: destination) {
        observations[index] = .packet(.refused(errno))
      } else if addresses.isOwn(destination) {
        observations[index] = .packet(.keptLocal)
      } else {
        observations[index] = .packet(.vanished)
        unseen += 1
      }
      afterSend(index, PacketTag(number: tag, destination: destination))
    }
    return unseen
  }

  /// Marks what the witness sees, until all is seen or nothing comes for a while.
  private func collect(
    _ probes: [Probe], _ batch: ArraySlice<Int>, _ expected: Int,
    _ observations: inout [Observation]
  ) {
    var unseen = expected
    let first = Int(firstTag)
    while unseen > 0 {
      let count = witness.look { packet in
        guard let tag = PacketTag(packet: packet) else { return }
        let place = batch.startIndex + Int(tag.number) - first
        guard batch.indices.contains(place),
          probes[batch[place]].flow.remoteAddress == tag.destination,
          observations[batch[place]] == .packet(.vanished)
        else { return }
        observations[batch[place]] = .packet(.left)
        unseen -= 1
      }
      if count == 0, !witness.wait(milliseconds: 20) { return }
    }
  }

  private func sender(for probe: Probe) -> RawSender {
    probe.family == .ipv6
      ? sender6 : probe.shape.bypassesReassembly ? unassembledSender4 : sender4
  }
}
