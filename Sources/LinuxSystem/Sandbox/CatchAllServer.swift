import CLinux
import ConnectionReplay
import Glibc
import NetworkTypes
import Synchronization

/// Answers TCP and UDP of both families on one port, from a thread of its own.
///
/// TCP gets the address and port that the client asked for, as the NAT of this side remembers it,
/// and then the end of the stream, unless the server holds it open. UDP gets its datagram back. Stops
/// when the value goes.
final class CatchAllServer {
  /// The port, the same for all four sockets; send everything here.
  let port: UInt16
  private let sockets: ServerSockets
  private let thread: pthread_t

  /// Whether the server leaves TCP streams open from now on, until it stops.
  func hold(_ isHolding: Bool) { sockets.isHolding.store(isHolding, ordering: .relaxed) }

  /// Starts to serve in a namespace.
  init(in namespace: NetworkNamespace) throws(LinuxError) {
    let sockets = try namespace.visit { () throws(LinuxError) in try ServerSockets() }
    port = sockets.port
    self.sockets = sockets
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(sockets).toOpaque()
    let status = unsafe pthread_create(&thread, nil, { unsafe serve($0) }, argument)
    guard status == 0 else {
      unsafe Unmanaged<ServerSockets>.fromOpaque(argument).release()
      throw .refused(operation: "start a thread", errno: ErrorNumber(rawValue: status))
    }
    self.thread = thread
  }

  deinit {
    var one: UInt64 = 1
    _ = unsafe write(sockets.stop.number, &one, MemoryLayout<UInt64>.size)
    _ = pthread_join(thread, nil)
  }
}

/// The body of the thread: takes over the sockets it is given.
private func serve(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let argument = unsafe argument {
    unsafe Unmanaged<ServerSockets>.fromOpaque(argument).takeRetainedValue().serve()
  }
  return nil
}

/// The sockets of the server and the event that stops it.
private final class ServerSockets: Sendable {
  let port: UInt16
  let stream4: FileDescriptor
  let stream6: FileDescriptor
  let datagram4: FileDescriptor
  let datagram6: FileDescriptor
  let stop: FileDescriptor
  let isHolding = Atomic(false)

  init() throws(LinuxError) {
    stream4 = try ServerSockets.listening(.ipv4, port: 0)
    let port = try stream4.localAddress(.ipv4).port
    stream6 = try ServerSockets.listening(.ipv6, port: port)
    datagram4 = try ServerSockets.bound(.ipv4, .datagram, port: port)
    datagram6 = try ServerSockets.bound(.ipv6, .datagram, port: port)
    stop = FileDescriptor(owning: try checkedShim("make an event", linux_eventfd()))
    self.port = port
  }

  private static func bound(
    _ family: Family, _ kind: SocketKind, port: UInt16
  ) throws(LinuxError) -> FileDescriptor {
    let socket = try FileDescriptor.socket(family, kind)
    if family == .ipv6 { try socket.set(SocketLevel.ipv6, IPV6_V6ONLY) }
    // The usual 208 KB hold fewer datagrams than there can be conversations at a time.
    try socket.set(SOL_SOCKET, SO_RCVBUF, to: 1 << 20)
    try socket.bind(to: SocketAddress(any: family, port: port))
    return socket
  }

  private static func listening(
    _ family: Family, port: UInt16
  ) throws(LinuxError) -> FileDescriptor {
    let socket = try bound(family, .stream, port: port)
    let number = socket.number
    _ = try checked("listen") { listen(number, 4096) }
    return socket
  }

  func serve() {
    var requests = [
      stop.number, stream4.number, stream6.number, datagram4.number, datagram6.number,
    ].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var room = [UInt8](repeating: 0, count: 2048)
    var held: [Int32] = []
    defer { for number in held { close(number) } }
    while true {
      let count = unsafe poll(&requests, nfds_t(requests.count), -1)
      if count < 0 && errno != EINTR { return }
      if requests[0].revents != 0 { return }
      if requests[1].revents != 0 { greetAll(stream4, .ipv4, &held) }
      if requests[2].revents != 0 { greetAll(stream6, .ipv6, &held) }
      if requests[3].revents != 0 { echoAll(datagram4, .ipv4, &room) }
      if requests[4].revents != 0 { echoAll(datagram6, .ipv6, &room) }
    }
  }

  private func greetAll(
    _ listener: borrowing FileDescriptor, _ family: Family, _ held: inout [Int32]
  ) {
    while true {
      let number = accept(listener.number, nil, nil)
      if number < 0 { return }
      var asked = SocketAddress(any: family)
      let status = unsafe asked.fill { address, length in
        unsafe getsockopt(
          number, SocketLevel.of(family), Int32(linux_so_original_dst), address, length)
      }
      // Without NAT in between the client asked for the address that it reached.
      let client = FileDescriptor(owning: number)
      if status < 0 { asked = (try? client.localAddress(family)) ?? asked }
      let text = Array("\(asked)".utf8)
      _ = unsafe send(number, text, text.count, Int32(MSG_NOSIGNAL))
      if isHolding.load(ordering: .relaxed) { held.append(client.takeNumber()) }
    }
  }

  private func echoAll(
    _ socket: borrowing FileDescriptor, _ family: Family, _ room: inout [UInt8]
  ) {
    let number = socket.number
    while true {
      var sender = SocketAddress(any: family)
      let capacity = room.count
      let count = unsafe room.withUnsafeMutableBytes { bytes in
        let start = bytes.baseAddress
        return unsafe sender.fill { address, length in
          unsafe recvfrom(number, start, capacity, 0, address, length)
        }
      }
      if count < 0 { return }
      _ = unsafe sender.lend { address, length in
        unsafe sendto(number, room, count, 0, address, length)
      }
    }
  }
}
