import ConnectionReplay
import Glibc
import HostFacts

extension LegacyTables {
  /// Reads the tables of the calling thread's namespace; asking never makes the kernel add one.
  ///
  /// - Parameter links: the namespace's links: without a bridge no table of ebtables sees a packet.
  /// - Returns: the tables, each list known or unknown by itself.
  static func read(links: Fact<[HostLink]>) -> LegacyTables {
    let hasBridge = links.value?.contains { $0.kind == "bridge" } ?? true
    return LegacyTables(
      ip: names("ip_tables_names"), ip6: names("ip6_tables_names"),
      arp: names("arp_tables_names"), bridge: hasBridge ? bridgeTables() : .known([]))
  }

  /// Reads a list of table names, one a line; ascending.
  ///
  /// - Throws: ``MalformedText``.
  ///
  /// Source: `xt_table_seq_show`, `net/netfilter/x_tables.c`.
  static func names(procText bytes: [UInt8]) throws(MalformedText) -> [String] {
    var names: [String] = []
    for (index, line) in try ProcText.lines(bytes).enumerated() {
      let isName = line.allSatisfy { 0x21...0x7e ~= $0 }
      guard isName, line.count <= 32 else {
        throw MalformedText(line: index + 1, expected: "a table's name")
      }
      names.append(ProcText.text(line))
    }
    return names.sorted()
  }

  /// A missing file is a kernel without such tables.
  private static func names(_ file: String) -> Fact<[String]> {
    HostReading.fact { try HostReading.netFile(file).map { try names(procText: $0) } ?? [] }
  }

  /// The kernel lists ebtables nowhere, and asking for a table by name would make it, so that only a
  /// kernel without the code is certain.
  private static func bridgeTables() -> Fact<[String]> {
    let hasCode = HostReading.fact {
      guard var symbols = try HostReading.file("/proc/kallsyms"), !symbols.isEmpty else {
        throw LinuxError.unreadableFile(path: "/proc/kallsyms", problem: .missing)
      }
      symbols.append(0)
      // Safe: the text ends with the zero just appended.
      return unsafe symbols.withUnsafeBytes { buffer in
        guard let start = buffer.baseAddress else { return false }
        return unsafe strstr(start.assumingMemoryBound(to: CChar.self), " ebt_register_table")
          != nil
      }
    }
    switch hasCode {
    case .known(false): return .known([])
    case .known(true):
      return .unknown("ebtables is loaded, and the kernel does not list its tables")
    case .unknown(let reason): return .unknown(reason)
    }
  }
}
