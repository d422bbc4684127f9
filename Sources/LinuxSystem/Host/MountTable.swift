/// Where file systems of interest are mounted.
///
/// Source: `proc(5)`, `/proc/self/mountinfo`; `show_mountinfo`, `fs/proc_namespace.c`.
struct MountTable: Hashable {
  /// One line of the table.
  struct Mount: Hashable {
    /// The path inside the file system: `net:[4026532…]` for a namespace.
    var root: String
    /// Where it is mounted, spelled out.
    var path: String
    /// The type: `nsfs`, `cgroup2`.
    var type: String
  }

  /// In the order of the file.
  var mounts: [Mount]

  /// Reads a mountinfo text.
  ///
  /// - Throws: ``MalformedText``.
  init(procText bytes: [UInt8]) throws(MalformedText) {
    mounts = []
    for (index, line) in try ProcText.lines(bytes).enumerated() {
      let fields = ProcText.fields(line)
      guard let dash = fields.dropFirst(6).firstIndex(where: { $0.elementsEqual("-".utf8) }),
        dash + 1 < fields.count
      else { throw MalformedText(line: index + 1, expected: "a mount") }
      mounts.append(
        Mount(
          root: MountTable.unescaped(fields[3]), path: MountTable.unescaped(fields[4]),
          type: ProcText.text(fields[dash + 1])))
    }
  }

  /// `\040` is a space: spaces, tabs, newlines and backslashes are written in octal.
  private static func unescaped(_ field: ArraySlice<UInt8>) -> String {
    var bytes: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ 0x30...0x37 ~= $0 }) {
        let number = digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
        bytes.append(UInt8(number & 0xff))
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
