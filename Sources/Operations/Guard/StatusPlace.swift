public import LinuxSystem
import NetworkTypes

/// Where a guard answers questions, as it is written on a command line.
public enum StatusPlace {
  /// Reads a path, `127.0.0.1:PORT` or `[::1]:PORT`.
  ///
  /// - Returns: the place.
  /// - Throws: ``OperationFailure`` (64): anything else could be asked from another machine.
  public static func parse(_ text: String) throws(OperationFailure) -> StatusServer.Place {
    if text.hasPrefix("/") || text.hasPrefix("./") { return .unix(text) }
    let places: [(String, IPAddress)] = [("127.0.0.1:", .v4(0x7f00_0001)), ("[::1]:", .v6(1))]
    for (start, address) in places where text.hasPrefix(start) {
      if let port = UInt16(text.dropFirst(start.count)), port != 0 {
        return .loopback(address, port: port)
      }
    }
    throw OperationFailure(
      .usage, "--status takes a path, 127.0.0.1:PORT or [::1]:PORT, not `\(text)`")
  }
}
