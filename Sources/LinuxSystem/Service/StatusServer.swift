import CLinux
import ConnectionReplay
import Glibc
public import NetworkTypes

/// Answers questions of HTTP on this machine: a Unix socket, or a port of the loopback.
///
/// Nothing here waits: who asks slowly, or never, keeps nobody from anything.
public final class StatusServer {
  /// Where to listen.
  public enum Place: Hashable, Sendable {
    /// A Unix socket by its path; only the owner may connect.
    case unix(String)
    /// A port of 127.0.0.1 or ::1; every user of the machine may connect.
    case loopback(IPAddress, port: UInt16)
  }

  /// An answer.
  public struct Answer: Sendable {
    /// `text/plain`, `application/json`.
    public let type: String
    /// The body.
    public let text: String

    /// Makes one.
    public init(type: String, text: String) {
      self.type = type
      self.text = text
    }
  }

  private let listener: FileDescriptor
  private let place: Place
  private var callers: [Int32: (opened: UInt64, question: [UInt8])] = [:]
  private static let mostCallers = 16
  private static let questionBytes = 4096
  private static let patienceNanoseconds: UInt64 = 5_000_000_000

  /// Starts listening; a Unix socket that nobody listens on any more is replaced.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public init(_ place: Place) throws(LinuxError) {
    self.place = place
    switch place {
    case .unix(let path): listener = try Self.unixListener(path)
    case .loopback(let address, let port):
      let socket = try FileDescriptor.socket(address.family, .stream)
      try socket.set(SOL_SOCKET, SO_REUSEADDR)
      let number = socket.number
      _ = try checked("listen on \(address) port \(port)") {
        unsafe SocketAddress(address, port: port).lend { unsafe bind(number, $0, $1) }
      }
      _ = try checked("listen on \(address) port \(port)") { listen(number, 16) }
      listener = socket
    }
  }

  deinit {
    for number in callers.keys { close(number) }
    if case .unix(let path) = place { unsafe unlink(path) }
  }

  private static func unixListener(_ path: String) throws(LinuxError) -> FileDescriptor {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw .refused(operation: "listen on \(path)", errno: ErrorNumber(rawValue: ENAMETOOLONG))
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
      for (place, byte) in bytes.enumerated() { unsafe room[place] = byte }
    }
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    func lend(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
      unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
    }
    let probe = FileDescriptor(
      owning: try checked("listen on \(path)") { socket(AF_UNIX, type, 0) })
    var status = stat()
    if unsafe lstat(path, &status) == 0 {
      let number = probe.number
      guard status.st_mode & S_IFMT == S_IFSOCK,
        unsafe lend({ unsafe connect(number, $0, $1) }) != 0,
        errno == ECONNREFUSED
      else {
        throw .refused(operation: "listen on \(path)", errno: ErrorNumber(rawValue: EADDRINUSE))
      }
      unsafe unlink(path)
    }
    let made = FileDescriptor(
      owning: try checked("listen on \(path)") { socket(AF_UNIX, type, 0) })
    let number = made.number
    // Nobody else may connect at any moment: the mode is right when the name appears.
    let mask = umask(0o177)
    defer { umask(mask) }
    _ = try checked("listen on \(path)") { unsafe lend { unsafe bind(number, $0, $1) } }
    _ = try checked("listen on \(path)") { listen(number, 16) }
    return made
  }

  /// What to wait on.
  public var numbers: [Int32] { [listener.number] + callers.keys }

  /// Takes questions that have come, and answers those that are whole.
  ///
  /// - Parameters:
  ///   - now: nanoseconds of the monotonic clock.
  ///   - answer: from the path asked for to the answer; nil where there is none.
  public func serve(at now: UInt64, _ answer: (String) -> Answer?) {
    while true {
      let number = linux_accept(listener.number)
      guard number >= 0 else { break }
      if callers.count >= Self.mostCallers,
        let oldest = callers.min(by: { $0.value.opened < $1.value.opened })
      {
        hangUp(oldest.key)
      }
      callers[number] = (now, [])
    }
    for (number, caller) in callers {
      var question = caller.question
      var buffer = [UInt8](repeating: 0, count: Self.questionBytes)
      let count = unsafe recv(number, &buffer, buffer.count, 0)
      if count > 0 { question += buffer.prefix(count) }
      let isWaiting = count < 0 && (errno == EAGAIN || errno == EINTR)
      if let path = Self.path(asked: question) {
        reply(number, answer(path))
        hangUp(number)
      } else if count == 0 || count < 0 && !isWaiting || question.count > Self.questionBytes
        || now > caller.opened + Self.patienceNanoseconds
      {
        hangUp(number)
      } else {
        callers[number] = (caller.opened, question)
      }
    }
  }

  private func hangUp(_ number: Int32) {
    close(number)
    callers[number] = nil
  }

  /// The path of a whole question; nil while its end is missing.
  ///
  /// What is no GET asks for nothing.
  private static func path(asked bytes: [UInt8]) -> String? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.contains("\r\n\r\n") || text.contains("\n\n") else { return nil }
    let words = text.prefix { $0 != "\r\n" && $0 != "\n" }.split(separator: " ")
    guard words.count >= 2, words[0] == "GET" else { return "" }
    return String(words[1].prefix { $0 != "?" })
  }

  private func reply(_ number: Int32, _ answer: Answer?) {
    let body = answer?.text ?? "not found\n"
    let head =
      "HTTP/1.1 \(answer == nil ? "404 Not Found" : "200 OK")\r\n"
      + "Content-Type: \(answer?.type ?? "text/plain"); charset=utf-8\r\n"
      + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
    let bytes = Array((head + body).utf8)
    var room = Int32(clamping: bytes.count * 2)
    unsafe setsockopt(
      number, SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
    // What does not fit is not waited for: the length tells the asker that the answer is cut.
    _ = unsafe send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    shutdown(number, Int32(SHUT_WR))
  }
}
