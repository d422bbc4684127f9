import Foundation
import Glibc
import LinuxSystem

/// A web server on 127.0.0.1 that publishes what it is told to.
///
/// Listens in the network namespace of the calling thread, which must not be the machine's own.
public final class ListServer: Sendable {
  /// What is published at a path.
  public enum Answer: Sendable {
    case text(String)
    /// Fewer bytes than are announced, and then nothing.
    case cutOff(String)
    /// So many bytes, without an end in sight.
    case endless
    case moved(String)
    case failure
    /// The question is taken, and never answered.
    case silence
  }

  private struct State {
    var answers: [String: Answer] = [:]
    var asked: [String] = []
  }

  /// The port it listens on.
  public let port: UInt16
  private let listener: Int32
  private let lock = NSLock()
  nonisolated(unsafe) private var state = State()

  /// Starts it.
  public init(port: UInt16 = 8080) throws {
    try NetworkNamespace.assertThrowAway()
    self.port = port
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var yes: Int32 = 1
    unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let bound = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard bound == 0, listen(number, 64) == 0 else { throw Child.Failure.cannotStart("server") }
    listener = number
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(number, nil, nil)
        guard connection >= 0 else { return }
        guard let self else {
          close(connection)
          return
        }
        Thread.detachNewThread { self.answer(connection) }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// Publishes something at `/name`.
  public func publish(_ name: String, _ answer: Answer) {
    lock.withLock { unsafe state.answers["/" + name] = answer }
  }

  /// The paths that were asked for.
  public var asked: [String] { lock.withLock { unsafe state.asked } }

  /// Where a name is published.
  public func address(_ name: String) -> String { "http://127.0.0.1:\(port)/\(name)" }

  private func answer(_ connection: Int32) {
    defer { close(connection) }
    var question = [UInt8](repeating: 0, count: 4096)
    let count = unsafe recv(connection, &question, question.count, 0)
    guard count > 0 else { return }
    let words = String(decoding: question.prefix(count), as: UTF8.self).split(separator: " ")
    guard words.count > 1 else { return }
    let path = String(words[1])
    let answer = lock.withLock {
      unsafe state.asked.append(path)
      return unsafe state.answers[path]
    }
    func send(_ text: String) {
      let bytes = Array(text.utf8)
      var sent = 0
      while sent < bytes.count {
        let step = unsafe bytes[sent...].withUnsafeBytes {
          unsafe Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard step > 0 else { return }
        sent += step
      }
    }
    func head(_ status: String, _ length: Int, _ more: String = "") -> String {
      "HTTP/1.1 \(status)\r\nContent-Length: \(length)\r\nConnection: close\r\n\(more)\r\n"
    }
    switch answer {
    case .text(let text): send(head("200 OK", text.utf8.count) + text)
    case .cutOff(let text): send(head("200 OK", text.utf8.count + 100) + text)
    case .endless:
      send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
      let line = String(repeating: "192.0.2.1\n", count: 6000)
      for _ in 0..<2000 { send(line) }
    case .moved(let place): send(head("302 Found", 0, "Location: \(place)\r\n"))
    case .failure: send(head("503 Service Unavailable", 0))
    case .silence: sleep(120)
    case nil: send(head("404 Not Found", 0))
    }
  }
}
