/// Joins and checks the paths of included files, without touching a file system.
enum PolicyPath {
  /// Everything before the last slash, with it; empty for a bare file name.
  static func directory(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }

  /// `relative` as seen from `directory`, `.` and `..` resolved; nil when that leaves `root`.
  ///
  /// Both directories end with a slash or are empty, `directory` lies in `root`, and absolute
  /// paths always leave. Symbolic links are the source's business.
  ///
  /// Example: `../b.yaml` from `rules/sub/` under `rules/` → `rules/b.yaml`.
  static func resolve(_ relative: String, from directory: String, under root: String) -> String? {
    guard !relative.hasPrefix("/") else { return nil }
    var parts: [Substring] = []
    for part in (directory.dropFirst(root.count) + relative).split(separator: "/") {
      switch part {
      case ".": continue
      case "..":
        if parts.popLast() == nil { return nil }
      default: parts.append(part)
      }
    }
    return root + parts.joined(separator: "/")
  }
}
