import CNetfilter
import Glibc

/// One `nftnl_expr`, owned; freed at the end of its life unless a rule takes it.
///
/// Safe because the pointer is private, non-null, and given away at most once.
@safe struct ExpressionHandle: ~Copyable {
  private let raw: OpaquePointer

  init(named name: String) throws(KernelError) {
    guard let raw = unsafe nftnl_expr_alloc(name) else {
      throw KernelError(
        operation: "encoding expression \(name)",
        cause: .notExpressible("libnftnl does not know it"))
    }
    unsafe self.raw = raw
  }

  deinit { unsafe nftnl_expr_free(raw) }

  /// Gives the expression away; the taker frees it.
  consuming func relinquish() -> OpaquePointer {
    let pointer = unsafe raw
    discard self
    return unsafe pointer
  }

  /// Sets a number; `attribute` is an `NFTNL_EXPR_*`.
  func set(_ attribute: Int, _ value: UInt32) {
    unsafe nftnl_expr_set_u32(raw, UInt16(attribute), value)
  }

  /// Sets a one-byte number.
  func set(_ attribute: Int, byte value: UInt8) {
    unsafe nftnl_expr_set_u8(raw, UInt16(attribute), value)
  }

  /// Sets a two-byte number.
  func set(_ attribute: Int, half value: UInt16) {
    unsafe nftnl_expr_set_u16(raw, UInt16(attribute), value)
  }

  /// Sets an eight-byte number.
  func set(_ attribute: Int, wide value: UInt64) {
    unsafe nftnl_expr_set_u64(raw, UInt16(attribute), value)
  }

  /// Sets register data.
  ///
  /// - Throws: when there are more bytes than a register file of 64; libnftnl copies unchecked.
  func set(_ attribute: Int, _ value: [UInt8]) throws(KernelError) {
    guard (1...64).contains(value.count) else {
      throw KernelError(
        operation: "encoding an expression",
        cause: .notExpressible("\(value.count) bytes of data; 1 to 64 fit"))
    }
    try unsafe check(nftnl_expr_set(raw, UInt16(attribute), value, UInt32(value.count)))
  }

  /// Sets the structure of a match or target, of which libnftnl keeps and frees the copy it is given.
  func give(_ attribute: Int, _ bytes: [UInt8]) {
    let copy = unsafe malloc(max(bytes.count, 1))
    guard let copy = unsafe copy else { return }
    unsafe copy.copyMemory(from: bytes, byteCount: bytes.count)
    unsafe nftnl_expr_set(raw, UInt16(attribute), copy, UInt32(bytes.count))
  }

  /// Appends an expression to a list of this one's; this one owns it from here on.
  func append(_ expression: consuming ExpressionHandle, to attribute: Int) {
    unsafe nftnl_expr_add_expr(raw, UInt32(attribute), expression.relinquish())
  }

  /// The attributes of its name and its data, as a list entry holds them.
  func attributes() -> [UInt8] {
    let headerBytes = MemoryLayout<nlmsghdr>.size
    var buffer = MessageBuffer(capacity: 1 << 16)
    unsafe buffer.write(atMost: 1 << 16) { start in
      let header = unsafe start.assumingMemoryBound(to: nlmsghdr.self)
      unsafe header.initialize(to: nlmsghdr())
      unsafe header.pointee.nlmsg_len = UInt32(headerBytes)
      unsafe nftnl_expr_build_payload(header, raw)
      return unsafe Int(header.pointee.nlmsg_len)
    }
    return buffer.copy(from: headerBytes)
  }

  /// Sets a name.
  func set(_ attribute: Int, _ value: String) throws(KernelError) {
    try unsafe check(nftnl_expr_set_str(raw, UInt16(attribute), value))
  }
}

/// Turns a libnftnl status into an error.
func check(_ status: Int32) throws(KernelError) {
  guard status >= 0 else {
    throw KernelError(
      operation: "encoding a message", cause: .notExpressible("libnftnl refused a value"))
  }
}

/// Turns a libnftnl allocation into an error when memory is short.
func allocated(_ pointer: OpaquePointer?) throws(KernelError) -> OpaquePointer {
  guard let pointer = unsafe pointer else {
    throw KernelError(operation: "encoding a message", cause: .notExpressible("out of memory"))
  }
  return unsafe pointer
}
