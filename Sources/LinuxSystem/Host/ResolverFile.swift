public import NetworkTypes

/// The DNS servers that programs of a host ask, as resolv.conf(5) has them.
public enum ResolverFile {
  /// The file of a namespace: its own where ip-netns(8) or a process of it brings one.
  ///
  /// - Parameter namespace: a name, process id or path as users write it; nil for the caller's own.
  /// - Returns: the file that programs there read; it need not exist.
  public static func path(of namespace: String?) -> String {
    guard let namespace else { return usual }
    switch NetworkNamespace.Reference(text: namespace) {
    case .name(let name):
      let own = "/etc/netns/\(name)/resolv.conf"
      return (try? BoundedFile.read(own, limitBytes: limitBytes)) == nil ? usual : own
    case .process(let number): return "/proc/\(number)/root\(usual)"
    case .path: return usual
    }
  }

  /// Whether a file is the machine's and the calling thread's network namespace is another: programs
  /// there may ask its servers, or may never get there.
  public static func isInherited(_ path: String) -> Bool {
    guard path == usual, let here = try? NetworkNamespace.current(),
      let ours = try? BoundedFile.read(usual, limitBytes: limitBytes)
    else { return false }
    // The oldest process above this one that may be looked at stands for the machine. ip-netns(8) lays
    // a namespace's own file over the usual one, which that process does not see.
    for process in ProcessFacts.ancestors().reversed() {
      guard let outside = try? NetworkNamespace.open(.process(process)),
        let theirs = try? BoundedFile.read("/proc/\(process)/root\(usual)", limitBytes: limitBytes)
      else { continue }
      return outside.identity != here.identity && theirs == ours
    }
    return false
  }

  /// The servers of a file, and those that systemd-resolved asks in turn where the file names its stub.
  ///
  /// - Parameter path: the file.
  /// - Returns: the addresses in order, each once; none where there is no file.
  /// - Throws: ``LinuxError/unreadableFile(path:problem:)`` for a file that is there and cannot be read.
  public static func servers(_ path: String) throws(LinuxError) -> [IPAddress] {
    var found = try addresses(path)
    let stubs: [IPAddress] = [.v4(0x7f00_0035), .v4(0x7f00_0036)]
    if path == usual, found.contains(where: stubs.contains) { found += try addresses(upstream) }
    var seen: Set<IPAddress> = []
    return found.filter { seen.insert($0).inserted }
  }

  private static let usual = "/etc/resolv.conf"
  private static let upstream = "/run/systemd/resolve/resolv.conf"
  private static let limitBytes = 1 << 16

  private static func addresses(_ path: String) throws(LinuxError) -> [IPAddress] {
    let bytes: [UInt8]
    do throws(LinuxError) {
      bytes = try BoundedFile.read(path, limitBytes: limitBytes)
    } catch .unreadableFile(_, .missing) {
      return []
    }
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
      .compactMap { line in
        let words = line.split { $0 == " " || $0 == "\t" }
        guard words.count >= 2, words[0] == "nameserver" else { return nil }
        // A link's name may follow the address: fe80::1%eth0.
        let text = words[1].prefix { $0 != "%" }
        return try? IPAddress(strict: text)
      }
  }
}
