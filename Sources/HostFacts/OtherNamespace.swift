/// A network namespace that is not the one that was read; it has rules of its own.
public struct OtherNamespace: Hashable, Sendable, Codable {
  /// Which.
  public var id: NamespaceID
  /// The number that this namespace has for it in ``HostLink/peerNamespace``; nil for none.
  public var number: Int32?
  /// The number that it has for the namespace that was read, in its own links; nil for none.
  public var ownNumber: Int32?
  /// Its links, by index.
  public var links: Fact<[HostLink]>
  /// Names under `/run/netns`.
  public var names: [String]
  /// Processes in it, lowest numbers first, at most eight.
  public var processes: [HostProcess]
  /// How many processes are in it.
  public var processCount: Int

  /// Makes a namespace.
  public init(
    id: NamespaceID, number: Int32? = nil, ownNumber: Int32? = nil,
    links: Fact<[HostLink]> = .unknown("not looked for"), names: [String] = [],
    processes: [HostProcess] = [],
    processCount: Int = 0
  ) {
    self.id = id
    self.number = number
    self.ownNumber = ownNumber
    self.links = links
    self.names = names
    self.processes = processes
    self.processCount = processCount
  }
}
