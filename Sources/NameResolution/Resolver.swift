public import NetworkTypes

/// Asks name servers for the A and AAAA records of many names at once.
///
/// Sockets open in the network namespace of the calling thread, and no other thread takes part.
/// Only DNS is asked: `/etc/hosts` and search domains play no part, so a policy's name means the
/// same everywhere. Truncated answers are fetched again over TCP.
///
/// Example: `try Resolver().resolve(["smtp.gmail.com"])[0].v4` are the A records.
public struct Resolver: Sendable {
  /// A name server.
  public struct Server: Hashable, Sendable, CustomStringConvertible {
    /// Where it listens.
    public var address: IPAddress
    /// The port, for UDP and TCP.
    public var port: UInt16

    /// Makes a server; port 53 unless told otherwise.
    public init(address: IPAddress, port: UInt16 = 53) {
      self.address = address
      self.port = port
    }

    /// `192.0.2.53:53`, `[2001:db8::53]:53`.
    public var description: String {
      switch address {
      case .v4: "\(address):\(port)"
      case .v6: "[\(address)]:\(port)"
      }
    }
  }

  /// Whom to ask and for how long.
  public struct Configuration: Hashable, Sendable {
    /// The servers in the order in which they are asked; nil takes those of `/etc/resolv.conf`.
    public var servers: [Server]?
    /// How long the first try of a question waits; each round over all servers doubles it.
    ///
    /// 1 millisecond to 60 seconds.
    public var timeout: Duration
    /// How often each server is asked, 1…10.
    public var tries: Int
    /// When to give up on everything that is still open, whatever is left of the tries.
    public var deadline: Duration
    /// How many questions are open at a time, 1…1 000; a name is two questions.
    ///
    /// Many more than a hundred overflow the receive buffer of a server's socket.
    public var concurrency: Int

    /// Makes a configuration; the defaults suit a server nearby.
    public init(
      servers: [Server]? = nil, timeout: Duration = .seconds(2), tries: Int = 3,
      deadline: Duration = .seconds(20), concurrency: Int = 100
    ) {
      self.servers = servers
      self.timeout = timeout
      self.tries = tries
      self.deadline = deadline
      self.concurrency = concurrency
    }
  }

  private let configuration: Configuration

  /// Makes a resolver; nothing is opened before ``resolve(_:)``.
  ///
  /// - Throws: ``NameResolutionError/configuration(_:)``.
  public init(_ configuration: Configuration = .init()) throws(NameResolutionError) {
    guard (.milliseconds(1))...(.seconds(60)) ~= configuration.timeout else {
      throw .configuration("the timeout must be 1 ms to 60 s, not \(configuration.timeout)")
    }
    guard 1...10 ~= configuration.tries else {
      throw .configuration("the tries must be 1 to 10, not \(configuration.tries)")
    }
    guard (.milliseconds(1))...(.seconds(3_600)) ~= configuration.deadline else {
      throw .configuration("the deadline must be 1 ms to 1 h, not \(configuration.deadline)")
    }
    guard 1...1_000 ~= configuration.concurrency else {
      throw .configuration("the concurrency must be 1 to 1000, not \(configuration.concurrency)")
    }
    guard configuration.servers?.isEmpty != true else {
      throw .configuration("the list of servers is empty")
    }
    guard configuration.servers?.contains(where: { $0.port == 0 }) != true else {
      throw .configuration("a server's port must be 1 to 65535")
    }
    self.configuration = configuration
  }

  /// Resolves names, one answer for each, in their order.
  ///
  /// What goes wrong with one name is a failure in its answer and keeps no other name from its
  /// own. Ends at the deadline at the latest.
  ///
  /// - Throws: ``NameResolutionError/resolver(operation:reason:)`` or
  ///   ``NameResolutionError/poll(errno:)``, when nobody can be asked at all.
  public func resolve(_ names: [String]) throws(NameResolutionError) -> [NameAnswer] {
    let run = ResolutionRun(names)
    guard !run.isDone else { return run.answers }
    let channel = try Channel(
      timeoutMilliseconds: Int32(configuration.timeout.wholeMilliseconds),
      tries: Int32(configuration.tries), servers: configuration.servers)
    let clock = ContinuousClock()
    let end = clock.now + configuration.deadline
    while !run.isDone {
      let asked = run.askNext(on: channel, upTo: configuration.concurrency)
      let left = clock.now.duration(to: end)
      guard left > .zero else { break }
      // A server that refuses is noticed by every open question when its error is read before
      // the next one is sent; sending would take the error for that one question alone.
      if !run.isDone { try channel.wait(atMost: asked ? 0 : Int32(left.wholeMilliseconds)) }
    }
    run.stopAsking()
    channel.cancel()
    return run.answers
  }
}

extension Duration {
  /// Rounded up; the durations of a configuration are an hour at most.
  fileprivate var wholeMilliseconds: Int64 {
    components.seconds * 1_000 + (components.attoseconds + 999_999_999_999_999)
      / 1_000_000_000_000_000
  }
}
