import Foundation
import Glibc
import LinuxSystem
import NameResolution
import NetworkTypes

/// A dnsmasq that knows the names it was told and refuses all others.
///
/// Runs in the network namespace of the calling thread, which must not be the machine's own. Ends with this value, by its process
/// id; with the thread in any case.
final class NameServer {
  enum Failure: Error {
    case doesNotAnswer
  }

  static let port: UInt16 = 5353
  static let v4 = Resolver.Server(address: .v4(0x7f00_0001), port: port)
  static let v6 = Resolver.Server(address: .v6(1), port: port)

  private let folder: URL
  private let process: Child

  /// Starts it and waits until it answers.
  ///
  /// `lines` are lines of its configuration, `hosts` lines of a hosts file.
  init(_ lines: [String], hosts: [String] = []) throws {
    try NetworkNamespace.assertThrowAway()
    folder = FileManager.default.temporaryDirectory.appending(path: "weir-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let configuration = folder.appending(path: "dnsmasq.conf")
    let hostsFile = folder.appending(path: "hosts")
    let fixed = [
      "port=\(NameServer.port)", "listen-address=127.0.0.1,::1", "bind-interfaces", "no-resolv",
      "no-hosts", "no-poll", "cache-size=10000", "addn-hosts=\(hostsFile.path)",
      "host-record=ready.weir.test,192.0.2.1",
    ]
    try (hosts.joined(separator: "\n") + "\n").write(
      to: hostsFile, atomically: false, encoding: .utf8)
    try ((fixed + lines).joined(separator: "\n") + "\n").write(
      to: configuration, atomically: false, encoding: .utf8)
    process = try Child([
      "setpriv", "--pdeathsig", "KILL", "dnsmasq",
      "--no-daemon", "--conf-file=\(configuration.path)",
    ])
    try waitUntilReady()
  }

  deinit { stop() }

  /// Ends the server and frees its port.
  func stop() {
    process.signal(SIGKILL)
    _ = process.waitForExit()
    try? FileManager.default.removeItem(at: folder)
  }

  /// Makes it keep its sockets open and answer no more.
  func freeze() { process.signal(SIGSTOP) }

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
