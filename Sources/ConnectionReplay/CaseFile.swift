public import NetworkTypes

/// One line of a file of extra cases.
public struct ReplayCase: Hashable, Sendable {
  /// The flow to try.
  public let flow: Flow
  /// The host name to reach instead of the flow's remote address, if the line says one.
  public let remoteName: String?
  /// What should become of it.
  public let expected: Decision
  /// The line it was written on, from 1.
  public let line: Int
}

/// A file of extra cases, one a line, four columns with tabs between.
///
/// ```
/// # protocol  destination  port  verdict
/// udp 8.8.8.8 53  allow
/// tcp 2001:db8::1 443 deny
/// icmp  1.1.1.1 - deny
/// ```
/// The port is `-` for protocols without ports; the verdict is `allow` or `deny`. Empty lines and
/// lines that start with `#` are left out.
public struct CaseFile: Hashable, Sendable {
  /// The cases in the order of the lines.
  public let cases: [ReplayCase]

  /// A line that is no case.
  public struct Problem: Hashable, Sendable {
    /// The line, from 1.
    public let line: Int
    /// The column where the wrong text starts, in characters from 1.
    public let column: Int
    /// What is wrong and what to write.
    public let message: String
  }

  /// Every problem of a file, in the order of the lines.
  public struct Problems: Error, Hashable, Sendable {
    /// At least one.
    public let problems: [Problem]
  }

  /// Reads a whole file.
  ///
  /// - Throws: ``Problems`` with every line that is wrong, not only the first.
  public init(parsing text: String) throws(Problems) {
    var cases: [ReplayCase] = []
    var problems: [Problem] = []
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    for (index, line) in lines.enumerated() {
      if line.isEmpty || line.hasPrefix("#") { continue }
      switch CaseFile.parse(line, number: index + 1) {
      case .success(let parsed): cases.append(parsed)
      case .failure(let problem): problems.append(problem)
      }
    }
    if !problems.isEmpty { throw Problems(problems: problems) }
    self.cases = cases
  }

  private static func parse(_ line: Substring, number: Int) -> Result<ReplayCase, Problem> {
    let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
    func fail(_ column: Int, _ message: String) -> Result<ReplayCase, Problem> {
      let before = columns.prefix(column).reduce(0) { $0 + $1.count + 1 }
      return .failure(Problem(line: number, column: before + 1, message: message))
    }
    guard columns.count == 4 else {
      return fail(0, "expected protocol, destination, port and verdict with tabs between")
    }
    guard let ipProtocol = IPProtocol(text: columns[0]) else {
      return fail(0, "`\(columns[0])` is no protocol; expected tcp, udp, icmp … or 0 to 255")
    }
    guard let expected = Decision(rawValue: String(columns[3])) else {
      return fail(3, "`\(columns[3])` is no verdict; expected allow or deny")
    }
    let end =
      columns[2] == "-"
      ? columns[1]
      : columns[1].contains(":") ? "[\(columns[1])]:\(columns[2])" : columns[1] + ":" + columns[2]
    do throws(LiteralError) {
      let parsed = try FlowText.parse("\(ipProtocol) \(end)")
      return .success(
        ReplayCase(
          flow: parsed.flow, remoteName: parsed.remoteName, expected: expected, line: number))
    } catch {
      return fail(1, [error.description, error.advice].compactMap { $0 }.joined(separator: "; "))
    }
  }
}

extension CaseFile.Problem: Error {}
