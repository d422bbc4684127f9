import ConnectionReplay
import Glibc

/// Users by name.
public enum UserAccount {
  /// The name of a user; nil where the number has none.
  public static func name(of user: UInt32) -> String? {
    var account = unsafe passwd()
    var found: UnsafeMutablePointer<passwd>?
    var room = [CChar](repeating: 0, count: 1 << 16)
    // Safe: the name lies in `room`, which lives until it is copied.
    guard unsafe getpwuid_r(user, &account, &room, room.count, &found) == 0, unsafe found != nil
    else { return nil }
    return unsafe String(cString: account.pw_name)
  }

  /// The number of a user.
  ///
  /// - Parameter text: a name, or a number from 0 to 4294967294.
  /// - Returns: the number.
  /// - Throws: ``LinuxError``: there is no such user.
  public static func id(of text: String) throws(LinuxError) -> UInt32 {
    if let number = UInt32(text), number != .max { return number }
    var account = unsafe passwd()
    var found: UnsafeMutablePointer<passwd>?
    var room = [CChar](repeating: 0, count: 1 << 16)
    let status = unsafe getpwnam_r(text, &account, &room, room.count, &found)
    guard status == 0, unsafe found != nil else {
      throw .refused(
        operation: "find user \(text)", errno: status == 0 ? .noSuchFile : .init(rawValue: status))
    }
    return unsafe account.pw_uid
  }
}
