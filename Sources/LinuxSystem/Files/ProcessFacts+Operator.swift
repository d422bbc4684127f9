public import HostFacts
import NetworkTypes

extension ProcessFacts {
  /// The processes above this one, its parent first, without the first process of all.
  ///
  /// Example: a shell, `sshd` twice. At most 64.
  public static func ancestors() -> [Int32] {
    var found: [Int32] = []
    var next = parent(of: "self")
    while let pid = next, pid > 1, found.count < 64, !found.contains(pid) {
      found.append(pid)
      next = parent(of: "\(pid)")
    }
    return found
  }

  /// The SSH connections that this process or one above it was started through: the client is the
  /// source.
  ///
  /// Source: `SSH_CONNECTION`, ssh(1), in the environments as the processes were started with. It is
  /// also what remains when a terminal multiplexer has left `sshd`, and may then be out of date.
  public static func sshConnections() -> [ConntrackTuple] {
    (["self"] + ancestors().map { "\($0)" }).compactMap { process in
      guard let bytes = try? BoundedFile.read("/proc/\(process)/environ", limitBytes: 4 << 20)
      else { return nil }
      let name = Array("SSH_CONNECTION=".utf8)
      for entry in bytes.split(separator: 0) where entry.starts(with: name) {
        let fields = String(decoding: entry.dropFirst(name.count), as: UTF8.self)
          .split(separator: " ").map { $0.prefix { $0 != "%" } }
        guard fields.count == 4, let client = try? IPAddress(strict: fields[0]),
          let clientPort = UInt16(fields[1]), let server = try? IPAddress(strict: fields[2]),
          let serverPort = UInt16(fields[3])
        else { continue }
        return ConntrackTuple(
          source: client, destination: server, sourcePort: clientPort, destinationPort: serverPort)
      }
      return nil
    }
  }

  private static func parent(of process: String) -> Int32? {
    guard let bytes = try? BoundedFile.read("/proc/\(process)/status", limitBytes: 65_536) else {
      return nil
    }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("PPid:") {
      return line.split { $0.isWhitespace }.last.flatMap { Int32($0) }
    }
    return nil
  }
}
