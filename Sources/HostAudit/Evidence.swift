public import HostFacts
import NetworkTypes
import PolicyMeaning

/// One thing that is there.
public struct Evidence: Hashable, Sendable {
  /// What, in one line of visible ASCII: `packet socket 4242 on eth0, EtherType 0x0003`.
  public let text: String
  /// The processes behind it; nil where there is no question of any.
  public let processes: Fact<[HostProcess]>?

  /// Makes a piece of evidence.
  ///
  /// Names of links, files and processes are their makers' choice: what is no visible ASCII is
  /// replaced, so that none of them forges a line of a report.
  public init(_ text: String, processes: Fact<[HostProcess]>? = nil) {
    self.text = text.visible
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
  /// `name (pid 7, user 0)`.
  var summary: String { "\(name.visible) (pid \(pid)\(user.map { ", user \($0)" } ?? ""))" }
}

extension String {
  /// The text with everything replaced that is no visible ASCII.
  fileprivate var visible: String {
    String(unicodeScalars.map { 0x20...0x7e ~= $0.value ? Character($0) : "?" })
  }
}

extension Listener: CustomStringConvertible {
  /// `tcp 0.0.0.0:22 (listen), by sshd (pid 7, user 0)`.
  public var description: String {
    let address = socket.localAddress
    let end = address.family == .ipv4 ? "\(address)" : "[\(address)]"
    let text = "\(socket.ipProtocol) \(end):\(socket.localPort) (\(ruling.clause))"
    return "\(Evidence(text, processes: socket.owners))\(doubt.map { "; \($0)" } ?? "")"
  }
}

extension LiveFlow: CustomStringConvertible {
  /// `tcp 10.1.2.3:443 (private), by curl (pid 7, user 0)`.
  public var description: String {
    let asked = askedAddress.map { ", asked for as \($0)" } ?? ""
    let way = isForwarded ? ", forwarded" : ""
    let text = "\(flow) (\(ruling.clause))\(asked)\(way)"
    return "\(Evidence(text, processes: owners))\(doubt.map { "; \($0)" } ?? "")"
  }
}
