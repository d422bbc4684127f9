import CNetfilter

/// One `nftnl_obj` of type counter, owned.
///
/// Safe because the pointer is private, non-null and freed once.
@safe struct CounterHandle: MessagePayload, ~Copyable {
  private let raw: OpaquePointer

  init(table: String, name: String) throws(KernelError) {
    unsafe self.raw = try unsafe allocated(nftnl_obj_alloc())
    unsafe nftnl_obj_set_str(raw, UInt16(NFTNL_OBJ_TABLE), table)
    unsafe nftnl_obj_set_str(raw, UInt16(NFTNL_OBJ_NAME), name)
    unsafe nftnl_obj_set_u32(raw, UInt16(NFTNL_OBJ_TYPE), UInt32(NFT_OBJECT_COUNTER))
  }

  deinit { unsafe nftnl_obj_free(raw) }

  /// Sets what a new counter starts with, and its user data.
  func set(packets: UInt64, bytes: UInt64, userData: [UInt8]) {
    unsafe nftnl_obj_set_u64(raw, UInt16(NFTNL_OBJ_CTR_PKTS), packets)
    unsafe nftnl_obj_set_u64(raw, UInt16(NFTNL_OBJ_CTR_BYTES), bytes)
    guard !userData.isEmpty else { return }
    unsafe nftnl_obj_set_data(
      raw, UInt16(NFTNL_OBJ_USERDATA), userData, UInt32(userData.count))
  }

  /// Writes the payload behind a message header.
  func build(_ header: UnsafeMutablePointer<nlmsghdr>) {
    unsafe nftnl_obj_nlmsg_build_payload(header, raw)
  }
}
