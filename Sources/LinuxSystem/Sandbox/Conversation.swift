import ConnectionReplay
import Glibc
import NetworkTypes

/// One conversation in flight: its sockets, what it waits for, and when it gives up.
final class Conversation {
  /// What the conversation waits for.
  enum Phase {
    /// The TCP handshake.
    case connecting
    /// The server's greeting, or the echo of a datagram.
    case reading
    /// Nobody answers a group; only the witness can tell.
    case watching
  }

  /// Which probe of the list this is.
  let index: Int
  /// The time to give up, on the monotonic clock.
  let deadline: UInt64
  /// What the witness can know it by, for outbound conversations.
  private(set) var mark: WireMark?
  /// Whether the witness saw it outside.
  var wasSeen = false

  private let client: FileDescriptor
  private let listener: FileDescriptor?
  /// Where an answer, or a datagram from outside, arrives.
  private let reader: Int32
  private var phase: Phase
  private let isInbound: Bool

  /// The descriptor and events to poll for.
  var request: pollfd {
    switch phase {
    case .connecting: pollfd(fd: client.number, events: Int16(POLLOUT), revents: 0)
    case .reading: pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
    case .watching: pollfd(fd: -1, events: 0, revents: 0)
    }
  }

  /// Whether only the witness decides.
  var isWatching: Bool { phase == .watching }

  init(
    index: Int, deadline: UInt64, client: consuming FileDescriptor,
    listener: consuming FileDescriptor?, phase: Phase, mark: WireMark?, isInbound: Bool
  ) {
    reader = listener?.number ?? client.number
    self.index = index
    self.deadline = deadline
    self.client = client
    self.listener = listener
    self.phase = phase
    self.mark = mark
    self.isInbound = isInbound
  }

  /// Goes on after poll(2) said that something happened; nil while there is more to wait for.
  func advance() -> ConversationOutcome? {
    switch phase {
    case .connecting:
      if let errno = client.pendingError() { return ConversationOutcome(after: errno) }
      if isInbound { return .answered("") }
      phase = .reading
      return nil
    case .reading:
      return read()
    case .watching:
      return nil
    }
  }

  /// What the conversation comes to when the time is up.
  func expire() -> ConversationOutcome { wasSeen ? .left : .timedOut }

  private func read() -> ConversationOutcome? {
    var room = [UInt8](repeating: 0, count: 128)
    let count = unsafe recv(reader, &room, room.count, 0)
    let code = errno
    if count < 0 {
      return code == EAGAIN || code == EINTR
        ? nil : ConversationOutcome(after: ErrorNumber(rawValue: code))
    }
    return .answered(isEcho(room) ? "" : String(decoding: room[..<count], as: UTF8.self))
  }

  private func isEcho(_ bytes: [UInt8]) -> Bool { bytes.starts(with: Conversation.datagram) }

  /// What a datagram of a conversation says.
  static let datagram = Array("weir probe".utf8)
}

extension ConversationOutcome {
  /// What an errno means that connect(2) or send(2) gave at once.
  ///
  /// A filter gives EPERM, or lets a local reset answer; anything else the kernel found out before
  /// it made a packet, such as a missing route.
  init(atOnce errno: ErrorNumber) {
    switch errno {
    case .connectionRefused: self = .refused
    case .notPermitted: self = .failed(errno)
    default: self = .impossible(errno)
    }
  }

  /// What an errno means that waited on a socket, or that recv(2) gave.
  init(after errno: ErrorNumber) {
    self = errno == .connectionRefused ? .refused : .failed(errno)
  }
}
