import CNetfilter
import Glibc

/// One `nftnl_chain`, owned.
///
/// Safe because the pointer is private, non-null and freed once.
@safe struct ChainHandle: MessagePayload, ~Copyable {
  private let raw: OpaquePointer

  private init() throws(KernelError) {
    unsafe self.raw = try unsafe allocated(nftnl_chain_alloc())
  }

  /// Makes one with its names.
  static func make(table: String, name: String) throws(KernelError) -> ChainHandle {
    let made = try ChainHandle()
    try unsafe check(nftnl_chain_set_str(made.raw, UInt16(NFTNL_CHAIN_TABLE.rawValue), table))
    try unsafe check(nftnl_chain_set_str(made.raw, UInt16(NFTNL_CHAIN_NAME.rawValue), name))
    return made
  }

  deinit { unsafe nftnl_chain_free(raw) }

  /// Makes it a base chain.
  func set(hook: UInt32, priority: Int32, type: String, policy: UInt32) throws(KernelError) {
    unsafe nftnl_chain_set_u32(raw, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue), hook)
    unsafe nftnl_chain_set_s32(raw, UInt16(NFTNL_CHAIN_PRIO.rawValue), priority)
    unsafe nftnl_chain_set_u32(raw, UInt16(NFTNL_CHAIN_POLICY.rawValue), policy)
    try unsafe check(nftnl_chain_set_str(raw, UInt16(NFTNL_CHAIN_TYPE.rawValue), type))
  }

  /// Sets `NFT_CHAIN_*` flags.
  func set(flags: UInt32) {
    unsafe nftnl_chain_set_u32(raw, UInt16(NFTNL_CHAIN_FLAGS.rawValue), flags)
  }

  /// Sets the devices whose packets it sees.
  func set(devices: [String]) throws(KernelError) {
    var names: [UnsafeMutablePointer<CChar>?] = unsafe devices.map { unsafe strdup($0) }
    unsafe names.append(nil)
    let status = unsafe nftnl_chain_set_data(
      raw, UInt16(NFTNL_CHAIN_DEVICES.rawValue), names, UInt32(names.count))
    // libnftnl has its own copies.
    unsafe names.forEach { unsafe free($0) }
    try check(status)
  }

  /// Sets the user data.
  func set(userData: [UInt8]) throws(KernelError) {
    try unsafe check(
      nftnl_chain_set_data(
        raw, UInt16(NFTNL_CHAIN_USERDATA.rawValue), userData, UInt32(userData.count)))
  }

  /// Writes the payload behind a message header.
  func build(_ header: UnsafeMutablePointer<nlmsghdr>) {
    unsafe nftnl_chain_nlmsg_build_payload(header, raw)
  }
}
