import HostFacts
import NetworkTypes

extension ConntrackEntry {
  /// Every tracked conversation of the calling thread's namespace, in the kernel's order.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``; reading them needs CAP_NET_ADMIN.
  static func all() throws(LinuxError) -> [ConntrackEntry] {
    let replies = try replies()
    var entries: [ConntrackEntry] = []
    entries.reserveCapacity(replies.count)
    for reply in replies {
      guard let entry = ConntrackEntry(reply) else { throw .malformedReply(operation: listing) }
      entries.append(entry)
    }
    return entries
  }

  private static let listing = "list tracked connections"

  /// The messages that list them.
  static func replies() throws(LinuxError) -> [RouteReply] {
    // Subsystem 1, IPCTNL_MSG_CT_GET 1; struct nfgenmsg of every family.
    try KernelSocket(.netfilter).exchange(listing, type: 1 << 8 | 1, flags: 0x300) {
      $0.append(UInt32(0))
    }
  }

  /// Reads one entry; nil when it is something else or lacks a tuple.
  ///
  /// Numbers inside are in network order. Source: `ctnetlink_fill_info`,
  /// `net/netfilter/nf_conntrack_netlink.c`.
  init?(_ reply: RouteReply) {
    guard reply.type == 1 << 8 else { return nil }
    let attributes = reply.attributes(after: 4)
    guard let (ipProtocol, original) = ConntrackTuple.read(attributes[1]),
      let (_, answer) = ConntrackTuple.read(attributes[2])
    else { return nil }
    func word(_ attribute: Int) -> UInt32? {
      attributes[attribute]?.number(UInt32.self, at: 0).map { UInt32(bigEndian: $0) }
    }
    let tcp = attributes[4]?.attributes()[1]?.attributes()
    self.init(
      ipProtocol: ipProtocol, original: original, reply: answer, status: word(3) ?? 0,
      mark: word(8) ?? 0,
      zone: attributes[18]?.number(UInt16.self, at: 0).map { UInt16(bigEndian: $0) } ?? 0,
      timeoutSeconds: word(7), tcpState: tcp?[1]?.first,
      helper: attributes[5]?.attributes()[1]?.text, isExpected: attributes[14] != nil,
      counters: ConntrackCounters(attributes[9], attributes[10]))
  }
}

extension ConntrackTuple {
  fileprivate static func read(
    _ bytes: ArraySlice<UInt8>?
  ) -> (IPProtocol, ConntrackTuple)? {
    guard let parts = bytes?.attributes(), let addresses = parts[1]?.attributes(),
      let transport = parts[2]?.attributes(), let number = transport[1]?.first,
      let source = (addresses[1] ?? addresses[3]).flatMap({ IPAddress(networkOrderBytes: $0) }),
      let destination = (addresses[2] ?? addresses[4]).flatMap({ IPAddress(networkOrderBytes: $0) })
    else { return nil }
    func port(_ attribute: Int) -> UInt16? {
      transport[attribute]?.number(UInt16.self, at: 0).map { UInt16(bigEndian: $0) }
    }
    let tuple = ConntrackTuple(
      source: source, destination: destination, sourcePort: port(2), destinationPort: port(3))
    return (IPProtocol(rawValue: number), tuple)
  }
}

extension ConntrackCounters {
  fileprivate init?(_ original: ArraySlice<UInt8>?, _ reply: ArraySlice<UInt8>?) {
    func number(_ nest: [Int: ArraySlice<UInt8>], _ attribute: Int) -> UInt64? {
      nest[attribute]?.number(UInt64.self, at: 0).map { UInt64(bigEndian: $0) }
    }
    guard let there = original?.attributes(), let back = reply?.attributes(),
      let originalPackets = number(there, 1), let originalBytes = number(there, 2),
      let replyPackets = number(back, 1), let replyBytes = number(back, 2)
    else { return nil }
    self.init(
      originalPackets: originalPackets, originalBytes: originalBytes, replyPackets: replyPackets,
      replyBytes: replyBytes)
  }
}
