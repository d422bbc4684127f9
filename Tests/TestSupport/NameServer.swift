import Glibc
import LinuxSystem
public import NameResolution
import NetworkTypes

/// A dnsmasq that knows the names it was told and refuses all others.
///
/// Runs in the network namespace of the calling thread, which must not be the machine's own. Ends
/// with this value, by its process id; with the thread in any case.
public final class NameServer {
  /// Why there is no server.
  public enum Failure: Error {
    /// It was started and is silent.
    case doesNotAnswer
  }

  /// The port it listens on, UDP and TCP.
  public static let port: UInt16 = 5353
  /// The server by its IPv4 address.
  public static let v4 = Resolver.Server(address: .v4(0x7f00_0001), port: port)
  /// The server by its IPv6 address.
  public static let v6 = Resolver.Server(address: .v6(1), port: port)

  private let folder: TemporaryFolder
  private let process: Child

  /// Starts it and waits until it answers.
  ///
  /// `lines` are lines of its configuration, `hosts` lines of a hosts file.
  public init(_ lines: [String], hosts: [String] = []) throws {
    try NetworkNamespace.assertThrowAway()
    folder = try TemporaryFolder()
    let hostsFile = try folder.file("hosts", hosts.joined(separator: "\n") + "\n")
    let fixed = [
      "port=\(NameServer.port)", "listen-address=127.0.0.1,::1", "bind-interfaces", "no-resolv",
      "no-hosts", "no-poll", "cache-size=10000", "addn-hosts=\(hostsFile)",
      "host-record=ready.weir.test,192.0.2.1",
    ]
    let configuration = try folder.file(
      "dnsmasq.conf", (fixed + lines).joined(separator: "\n") + "\n")
    process = try Child([
      "setpriv", "--pdeathsig", "KILL", "dnsmasq",
      "--no-daemon", "--conf-file=\(configuration)",
    ])
    try waitUntilReady()
  }

  deinit { stop() }

  /// Ends the server and frees its port.
  public func stop() {
    process.signal(SIGKILL)
    _ = process.waitForExit()
  }

  /// Makes it keep its sockets open and answer no more.
  public func freeze() { process.signal(SIGSTOP) }

  private func waitUntilReady() throws {
    for _ in 0..<100 {
      let resolver = try Resolver(
        .init(servers: [NameServer.v4], timeout: .milliseconds(200), tries: 1))
      if case .success = try resolver.resolve(["ready.weir.test"])[0].v4 { return }
      guard process.isRunning else { break }
      usleep(20_000)
    }
    stop()
    throw Failure.doesNotAnswer
  }
}
