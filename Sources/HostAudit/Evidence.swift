public import HostFacts

/// One thing that is there.
public struct Evidence: Hashable, Sendable {
  /// What, in one line: `packet socket 4242 on eth0, EtherType 0x0003`.
  public var text: String
  /// The processes behind it; nil where there is no question of any.
  public var processes: Fact<[HostProcess]>?

  /// Makes a piece of evidence.
  public init(_ text: String, processes: Fact<[HostProcess]>? = nil) {
    self.text = text
    self.processes = processes
  }
}

extension Evidence: CustomStringConvertible {
  /// The text with the processes behind it: `… by tcpdump (123, user 0)`.
  public var description: String {
    switch processes {
    case nil: text
    case .unknown(let reason): "\(text), owner unknown: \(reason)"
    case .known(let processes) where processes.isEmpty: "\(text), open in no process"
    case .known(let processes):
      "\(text), by " + processes.map { $0.summary }.joined(separator: ", ")
    }
  }
}

extension HostProcess {
  /// `name (pid 7, user 0)`; bytes that are no visible ASCII are replaced, since the process chose
  /// them.
  var summary: String {
    let shown = String(name.unicodeScalars.map { 0x20...0x7e ~= $0.value ? Character($0) : "?" })
    return "\(shown) (pid \(pid)\(user.map { ", user \($0)" } ?? ""))"
  }
}
