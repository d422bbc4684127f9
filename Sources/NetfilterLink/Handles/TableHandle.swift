import CNetfilter

/// One `nftnl_table`, owned.
///
/// Safe because the pointer is private, non-null and freed once.
@safe struct TableHandle: MessagePayload, ~Copyable {
  private let raw: OpaquePointer

  private init() throws(KernelError) {
    unsafe self.raw = try unsafe allocated(nftnl_table_alloc())
  }

  /// Makes one with its names.
  static func make(name: String) throws(KernelError) -> TableHandle {
    let made = try TableHandle()
    try unsafe check(nftnl_table_set_str(made.raw, UInt16(NFTNL_TABLE_NAME.rawValue), name))
    return made
  }

  deinit { unsafe nftnl_table_free(raw) }

  /// Sets flags and user data of a table to be made.
  func set(flags: UInt32, userData: [UInt8]) throws(KernelError) {
    unsafe nftnl_table_set_u32(raw, UInt16(NFTNL_TABLE_FLAGS.rawValue), flags)
    guard !userData.isEmpty else { return }
    try unsafe check(
      nftnl_table_set_data(
        raw, UInt16(NFTNL_TABLE_USERDATA.rawValue), userData, UInt32(userData.count)))
  }

  /// Writes the payload behind a message header.
  func build(_ header: UnsafeMutablePointer<nlmsghdr>) {
    unsafe nftnl_table_nlmsg_build_payload(header, raw)
  }
}
