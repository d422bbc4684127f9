import HostFacts

extension PacketSocket {
  /// Reads `/proc/net/packet`.
  ///
  /// - Throws: ``MalformedText``.
  ///
  /// Source: `packet_seq_show`, `net/packet/af_packet.c`.
  static func all(procText bytes: [UInt8]) throws(MalformedText) -> [PacketSocket] {
    var sockets: [PacketSocket] = []
    for (index, line) in try ProcText.lines(bytes).enumerated().dropFirst() {
      let fields = ProcText.fields(line)
      guard fields.count >= 9, let type = ProcText.decimal(fields[2], as: UInt8.self),
        let etherType = ProcText.hexadecimal(fields[3], as: UInt16.self),
        let link = ProcText.decimal(fields[4], as: Int32.self),
        let user = ProcText.decimal(fields[7], as: UInt32.self),
        let inode = ProcText.decimal(fields[8], as: UInt64.self)
      else { throw MalformedText(line: index + 1, expected: "a packet socket") }
      sockets.append(
        PacketSocket(
          inode: inode, type: type, etherType: etherType, link: link == 0 ? nil : link, user: user))
    }
    return sockets
  }
}

extension SocketCount {
  /// Reads `/proc/net/protocols`.
  ///
  /// A name may hold spaces, and kernels differ in how many flags end the line, so that the columns
  /// are counted from the first flag back: module, slab, header, pressure, memory, sockets, size.
  ///
  /// - Throws: ``MalformedText``.
  ///
  /// Source: `proto_seq_printf`, `net/core/sock.c`.
  static func all(procText bytes: [UInt8]) throws(MalformedText) -> [SocketCount] {
    var counts: [SocketCount] = []
    for (index, line) in try ProcText.lines(bytes).enumerated().dropFirst() {
      let fields = ProcText.fields(line)
      let flags = fields.reversed().prefix {
        $0.count == 1 && ($0.first == 0x79 || $0.first == 0x6e)
      }
      let columns = fields.dropLast(flags.count)
      guard flags.count >= 12, columns.count >= 8 else {
        throw MalformedText(line: index + 1, expected: "a protocol")
      }
      let field = columns[columns.count - 6]
      let isUncounted = ProcText.text(field) == "-1"
      guard let count = isUncounted ? -1 : ProcText.decimal(field, as: Int.self) else {
        throw MalformedText(line: index + 1, expected: "a protocol")
      }
      let name = columns.dropLast(7).map { ProcText.text($0) }.joined(separator: " ")
      counts.append(SocketCount(name: name, count: count))
    }
    return counts.sorted { ($0.name, $0.count) < ($1.name, $1.count) }
  }
}

extension UnixListener {
  /// Reads `/proc/net/unix` and keeps what listens under a name.
  ///
  /// - Throws: ``MalformedText``.
  ///
  /// Source: `unix_seq_show`, `net/unix/af_unix.c`; flag 0x10000 is `__SO_ACCEPTCON`.
  static func all(procText bytes: [UInt8]) throws(MalformedText) -> [UnixListener] {
    var listeners: [UnixListener] = []
    for (index, line) in try ProcText.lines(bytes).enumerated().dropFirst() {
      let fields = line.split(
        separator: UInt8(ascii: " "), maxSplits: 7, omittingEmptySubsequences: true)
      // A path may hold newlines: what is no socket continues the name before it.
      guard fields.count >= 7, fields[0].last == UInt8(ascii: ":"),
        let flags = ProcText.hexadecimal(fields[3], as: UInt32.self),
        let inode = ProcText.decimal(fields[6], as: UInt64.self)
      else {
        if index > 1 { continue }
        throw MalformedText(line: index + 1, expected: "a Unix socket")
      }
      if flags & 0x10000 != 0, fields.count == 8 {
        listeners.append(UnixListener(path: ProcText.text(fields[7]), inode: inode))
      }
    }
    return listeners.sorted { ($0.path, $0.inode) < ($1.path, $1.inode) }
  }
}
