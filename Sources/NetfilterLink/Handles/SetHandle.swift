import CNetfilter

/// One `nftnl_set` without elements, owned.
///
/// Safe because the pointer is private, non-null and freed once.
@safe struct SetHandle: MessagePayload, ~Copyable {
  private let raw: OpaquePointer

  private init() throws(KernelError) {
    unsafe self.raw = try unsafe allocated(nftnl_set_alloc())
  }

  /// Makes one with its names.
  static func make(table: String, name: String) throws(KernelError) -> SetHandle {
    let made = try SetHandle()
    try unsafe check(nftnl_set_set_str(made.raw, UInt16(NFTNL_SET_TABLE.rawValue), table))
    try unsafe check(nftnl_set_set_str(made.raw, UInt16(NFTNL_SET_NAME.rawValue), name))
    return made
  }

  deinit { unsafe nftnl_set_free(raw) }

  /// Sets a number.
  func set(_ attribute: nftnl_set_attr, _ value: UInt32) {
    unsafe nftnl_set_set_u32(raw, UInt16(attribute.rawValue), value)
  }

  /// Sets an eight-byte number.
  func set(_ attribute: nftnl_set_attr, wide value: UInt64) {
    unsafe nftnl_set_set_u64(raw, UInt16(attribute.rawValue), value)
  }

  /// Appends an expression that every element carries; the set owns it from here on.
  func append(_ expression: consuming ExpressionHandle) {
    unsafe nftnl_set_add_expr(raw, expression.relinquish())
  }

  /// Sets bytes.
  func set(_ attribute: nftnl_set_attr, _ value: [UInt8]) throws(KernelError) {
    try unsafe check(
      nftnl_set_set_data(raw, UInt16(attribute.rawValue), value, UInt32(value.count)))
  }

  /// Writes the payload behind a message header.
  func build(_ header: UnsafeMutablePointer<nlmsghdr>) {
    unsafe nftnl_set_nlmsg_build_payload(header, raw)
  }
}
