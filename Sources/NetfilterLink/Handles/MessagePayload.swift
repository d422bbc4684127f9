import CNetfilter

/// A libnftnl object that can write itself behind a message header.
@safe protocol MessagePayload: ~Copyable {
  /// Writes the payload; the header stands in a buffer with room for it.
  func build(_ header: UnsafeMutablePointer<nlmsghdr>)
}
