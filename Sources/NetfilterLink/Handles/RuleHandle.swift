import CNetfilter

/// One `nftnl_rule`, owned, with the expressions appended to it.
///
/// Safe because the pointer is private, non-null and freed once.
@safe struct RuleHandle: MessagePayload, ~Copyable {
  private let raw: OpaquePointer

  private init() throws(KernelError) {
    unsafe self.raw = try unsafe allocated(nftnl_rule_alloc())
  }

  /// Makes one with its names.
  static func make(table: String, chain: String) throws(KernelError) -> RuleHandle {
    let made = try RuleHandle()
    try unsafe check(nftnl_rule_set_str(made.raw, UInt16(NFTNL_RULE_TABLE.rawValue), table))
    try unsafe check(nftnl_rule_set_str(made.raw, UInt16(NFTNL_RULE_CHAIN.rawValue), chain))
    return made
  }

  deinit { unsafe nftnl_rule_free(raw) }

  /// Appends an expression; the rule owns it from here on.
  func append(_ expression: consuming ExpressionHandle) {
    unsafe nftnl_rule_add_expr(raw, expression.relinquish())
  }

  /// Sets the user data.
  func set(userData: [UInt8]) throws(KernelError) {
    try unsafe check(
      nftnl_rule_set_data(
        raw, UInt16(NFTNL_RULE_USERDATA.rawValue), userData, UInt32(userData.count)))
  }

  /// Writes the payload behind a message header.
  func build(_ header: UnsafeMutablePointer<nlmsghdr>) {
    unsafe nftnl_rule_nlmsg_build_payload(header, raw)
  }
}
