import CAres
import Glibc
import NetworkTypes

/// One c-ares channel, owned: its sockets, its servers, its open questions.
///
/// No thread stands behind it: sockets open and callbacks run inside ``ask(_:type:completion:)``,
/// ``wait(at:)`` and ``cancel()``, on the calling thread and so in its network namespace.
///
/// Safe: the pointer is made in `init`, never leaves, and is destroyed once, in `deinit`; what
/// c-ares is given to hold is retained until c-ares gives it back.
@safe struct Channel: ~Copyable {
  /// What c-ares makes of a question: its status, and the message if there is one.
  typealias Completion = (_ status: Status, _ message: [UInt8]) -> Void

  private let raw: OpaquePointer
  private let sockets: Unmanaged<WatchedSockets>

  /// Opens a channel.
  ///
  /// - Throws: ``NameResolutionError/resolver(operation:reason:)``.
  init(timeoutMilliseconds: Int32, tries: Int32, servers: [Resolver.Server]?)
    throws(NameResolutionError)
  {
    try Channel.libraryStatus.check("start c-ares")
    let sockets = unsafe Unmanaged.passRetained(WatchedSockets())
    var options = unsafe ares_options()
    unsafe options.timeout = timeoutMilliseconds
    unsafe options.tries = tries
    unsafe options.sock_state_cb = unsafe socketStateChanged
    unsafe options.sock_state_cb_data = unsafe sockets.toOpaque()
    let mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB
    var raw: OpaquePointer?
    var status = Status(unsafe ares_init_options(&raw, &options, mask))
    if let raw = unsafe raw, status.isSuccess, let servers {
      let list = servers.map(\.description).joined(separator: ",")
      status = Status(unsafe ares_set_servers_ports_csv(raw, list))
    }
    guard status.isSuccess, let raw = unsafe raw else {
      if let raw = unsafe raw { unsafe ares_destroy(raw) }
      unsafe sockets.release()
      throw .resolver(operation: "open a c-ares channel", reason: status.description)
    }
    unsafe self.raw = unsafe raw
    unsafe self.sockets = unsafe sockets
  }

  deinit {
    // Completes the open questions, then closes the sockets and says so to `sockets`.
    unsafe ares_destroy(raw)
    unsafe sockets.release()
  }

  /// Started once for the process and never ended: other channels may be alive.
  private static let libraryStatus = Status(ares_library_init(ARES_LIB_INIT_ALL))

  /// Sends a question; `completion` runs exactly once, at the latest when the channel ends.
  func ask(_ name: HostName, type: RecordType, completion: @escaping Completion) {
    let question = unsafe Unmanaged.passRetained(Question(completion))
    unsafe ares_query(
      raw, name.text, internetClass, Int32(type.rawValue), questionEnded,
      question.toOpaque())
  }

  /// Completes every open question with a cancelled status.
  func cancel() { unsafe ares_cancel(raw) }

  /// Waits for sockets or for the next retry, at most `limit` milliseconds, and handles them.
  ///
  /// - Throws: ``NameResolutionError/poll(errno:)``.
  func wait(atMost limit: Int32) throws(NameResolutionError) {
    var descriptors = unsafe sockets.takeUnretainedValue().pollList
    let timeout = milliseconds(atMost: limit)
    let ready = unsafe poll(&descriptors, nfds_t(descriptors.count), timeout)
    let code = errno
    guard ready >= 0 || code == EINTR else { throw .poll(errno: code) }
    if ready > 0 {
      for descriptor in descriptors { process(descriptor) }
    }
    // Handles what is overdue.
    unsafe ares_process_fd(raw, ARES_SOCKET_BAD, ARES_SOCKET_BAD)
  }

  private func process(_ descriptor: pollfd) {
    let failed = Int32(descriptor.revents) & (POLLERR | POLLHUP | POLLNVAL) != 0
    func isReady(_ event: Int32) -> Bool {
      Int32(descriptor.events) & event != 0 && (failed || Int32(descriptor.revents) & event != 0)
    }
    unsafe ares_process_fd(
      raw, isReady(POLLIN) ? descriptor.fd : ARES_SOCKET_BAD,
      isReady(POLLOUT) ? descriptor.fd : ARES_SOCKET_BAD)
  }

  /// The time until c-ares wants to be called, rounded up, at most `limit`.
  private func milliseconds(atMost limit: Int32) -> Int32 {
    var room = timeval()
    guard let next = unsafe ares_timeout(raw, nil, &room) else { return limit }
    let time = unsafe next.pointee
    let exact = Int64(time.tv_sec) * 1_000 + (Int64(time.tv_usec) + 999) / 1_000
    return Int32(clamping: min(Int64(limit), max(0, exact)))
  }
}

/// A c-ares status, `ARES_SUCCESS` or an error number of `ares.h`.
struct Status: Hashable, CustomStringConvertible {
  let rawValue: Int32

  init(_ rawValue: Int32) { self.rawValue = rawValue }

  var isSuccess: Bool { rawValue == ARES_SUCCESS }

  /// The text of c-ares for it.
  var description: String { unsafe String(cString: ares_strerror(rawValue)) }

  func check(_ operation: String) throws(NameResolutionError) {
    guard isSuccess else { throw .resolver(operation: operation, reason: description) }
  }
}

/// The sockets of a channel and what to wait for on each.
private final class WatchedSockets {
  private var events: [Int32: Int32] = [:]

  /// Sorted by descriptor, so that a run is repeatable.
  var pollList: [pollfd] {
    events.sorted { $0.key < $1.key }
      .map { pollfd(fd: $0.key, events: Int16(truncatingIfNeeded: $0.value), revents: 0) }
  }

  func watch(_ socket: Int32, reads: Bool, writes: Bool) {
    let wanted = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0)
    events[socket] = wanted == 0 ? nil : wanted
  }
}

/// Carries a completion through the `void *` of C.
private final class Question {
  let completion: Channel.Completion

  init(_ completion: @escaping Channel.Completion) { self.completion = completion }
}

/// `C_IN`, `arpa/nameser.h`.
private let internetClass: Int32 = 1

/// The channel holds a reference on its sockets for as long as c-ares can call this.
private func socketStateChanged(
  context: UnsafeMutableRawPointer?, socket: Int32, reads: Int32, writes: Int32
) {
  guard let context = unsafe context else { return }
  let sockets = unsafe Unmanaged<WatchedSockets>.fromOpaque(context).takeUnretainedValue()
  sockets.watch(socket, reads: reads != 0, writes: writes != 0)
}

/// c-ares calls this once for a question, which is when the reference given to it comes back.
private func questionEnded(
  context: UnsafeMutableRawPointer?, status: Int32, timeouts: Int32,
  bytes: UnsafeMutablePointer<UInt8>?, count: Int32
) {
  guard let context = unsafe context else { return }
  let question = unsafe Unmanaged<Question>.fromOpaque(context).takeRetainedValue()
  let message = unsafe UnsafeBufferPointer(start: bytes, count: max(0, Int(count)))
  question.completion(Status(status), unsafe Array(message))
}
