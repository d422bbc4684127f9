import Glibc
import TestSupport

/// What tests do with descriptors beside using them.
enum Descriptors {
  /// Passes a descriptor over a Unix socket; the new one is what the receiver got.
  ///
  /// Safe: the kernel reads and writes within the arrays, which live until the calls are back.
  static func passed(_ descriptor: Int32) throws -> Int32 {
    var pair: [Int32] = [0, 0]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else {
      throw HostPlant.Failed(what: "socketpair: errno \(errno)")
    }
    defer { pair.forEach { close($0) } }
    // struct cmsghdr: length 20, level SOL_SOCKET, type SCM_RIGHTS, one descriptor, padding.
    var control: [UInt64] = [20, 1 | 1 << 32, UInt64(UInt32(bitPattern: descriptor))]
    let sent = try unsafe exchange(&control) { unsafe sendmsg(pair[0], $0, 0) }
    control = [0, 0, 0]
    let received = try unsafe exchange(&control) { unsafe recvmsg(pair[1], $0, 0) }
    guard sent == 1, received == 1, control[0] == 20 else {
      throw HostPlant.Failed(what: "pass a descriptor")
    }
    return Int32(truncatingIfNeeded: control[2])
  }

  private static func exchange(
    _ control: inout [UInt64], _ call: (UnsafeMutablePointer<msghdr>) -> Int
  ) throws -> Int {
    var byte: UInt8 = 7
    return unsafe withUnsafeMutablePointer(to: &byte) { data in
      var piece = unsafe iovec(iov_base: data, iov_len: 1)
      return unsafe control.withUnsafeMutableBytes { bytes in
        unsafe withUnsafeMutablePointer(to: &piece) { pieces in
          var message = unsafe msghdr()
          unsafe message.msg_iov = pieces
          unsafe message.msg_iovlen = 1
          unsafe message.msg_control = bytes.baseAddress
          unsafe message.msg_controllen = bytes.count
          return unsafe call(&message)
        }
      }
    }
  }

  /// Opens sockets as another user: this thread's file system user, which files keep.
  ///
  /// Safe: `setfsuid(2)` takes one number and returns one; Glibc's module does not show it.
  static func owned(by user: uid_t, _ body: () throws -> [Int32]) throws -> [Int32] {
    guard let symbol = unsafe dlsym(nil, "setfsuid") else {
      throw HostPlant.Failed(what: "find setfsuid")
    }
    typealias Call = @convention(c) (uid_t) -> Int32
    let call = unsafe unsafeBitCast(symbol, to: Call.self)
    _ = call(user)
    defer { _ = call(0) }
    return try body()
  }
}
