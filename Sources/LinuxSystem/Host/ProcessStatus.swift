/// What `/proc/PID/status` says, as far as it is needed.
///
/// Source: `proc_pid_status`, `fs/proc/array.c`.
struct ProcessStatus: Hashable {
  /// The name, as the kernel escapes it.
  var name: String
  /// The effective user, in the reader's user namespace.
  var user: UInt32
  /// Bit n is capability n.
  var permitted: UInt64
  /// Bit n is capability n.
  var effective: UInt64
  /// Whether it is a thread of the kernel.
  var isKernelThread: Bool
  /// Whether it has ended and only waits to be reaped; it has nothing open.
  var hasEnded: Bool

  /// Reads a status text.
  ///
  /// - Throws: ``MalformedText`` when a line that is needed is missing or odd.
  init(procText bytes: [UInt8]) throws(MalformedText) {
    var values: [String: [ArraySlice<UInt8>]] = [:]
    let lines = try ProcText.lines(bytes)
    for line in lines {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let key = ProcText.text(line[..<colon])
      guard ProcessStatus.keys.contains(key), values[key] == nil else { continue }
      values[key] = ProcText.fields(line[line.index(after: colon)...])
    }
    func field(_ key: String, _ index: Int) throws(MalformedText) -> ArraySlice<UInt8> {
      guard let fields = values[key], index < fields.count else {
        throw MalformedText(line: lines.count + 1, expected: "a \(key)")
      }
      return fields[index]
    }
    name = (values["Name"] ?? []).map { ProcText.text($0) }.joined(separator: " ")
    guard let user = ProcText.decimal(try field("Uid", 1), as: UInt32.self),
      let permitted = ProcText.hexadecimal(try field("CapPrm", 0), as: UInt64.self),
      let effective = ProcText.hexadecimal(try field("CapEff", 0), as: UInt64.self)
    else { throw MalformedText(line: lines.count + 1, expected: "a user and capabilities") }
    self.user = user
    self.permitted = permitted
    self.effective = effective
    hasEnded = values["State"]?.first.map { ["Z", "X"].contains(ProcText.text($0)) } ?? false
    // Older kernels do not say; their threads are children of process 2.
    if let kernelThread = values["Kthread"]?.first {
      isKernelThread = ProcText.text(kernelThread) == "1"
    } else {
      let parent = values["PPid"]?.first.map { ProcText.text($0) }
      let own = values["Pid"]?.first.map { ProcText.text($0) }
      isKernelThread = values["VmSize"] == nil && (parent == "2" || own == "2")
    }
  }

  private static let keys: Set = [
    "Name", "State", "Uid", "CapPrm", "CapEff", "Kthread", "PPid", "Pid", "VmSize",
  ]
}
