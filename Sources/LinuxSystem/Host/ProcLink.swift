/// What a link under `/proc/PID/fd` or `/proc/PID/ns` points to.
enum ProcLink: Hashable {
  /// `socket:[12345]`.
  case socket(inode: UInt64)
  /// `net:[4026531840]`.
  case networkNamespace(inode: UInt64)
  /// `/dev/net/tun`.
  case tun
  /// Anything else.
  case other

  /// Reads the target of a link.
  ///
  /// Example: `socket:[7]` is the socket with inode 7; `socket:[x]` is something else.
  init(target: [UInt8]) {
    if target.elementsEqual("/dev/net/tun".utf8) {
      self = .tun
    } else if let inode = ProcLink.inode(target, "socket:[") {
      self = .socket(inode: inode)
    } else if let inode = ProcLink.inode(target, "net:[") {
      self = .networkNamespace(inode: inode)
    } else {
      self = .other
    }
  }

  private static func inode(_ target: [UInt8], _ prefix: String) -> UInt64? {
    guard target.starts(with: prefix.utf8), target.last == UInt8(ascii: "]") else { return nil }
    return ProcText.decimal(target.dropFirst(prefix.utf8.count).dropLast(), as: UInt64.self)
  }
}
