/// Which namespace: the device and inode numbers that `stat(2)` gives for its file.
public struct NamespaceID: Hashable, Sendable, Codable, Comparable {
  /// The device of the kernel's namespace file system.
  public var device: UInt64
  /// The number in `net:[4026531840]`.
  public var inode: UInt64

  /// Makes an identity.
  public init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  /// Orders by device, then inode.
  public static func < (left: NamespaceID, right: NamespaceID) -> Bool {
    (left.device, left.inode) < (right.device, right.inode)
  }
}
