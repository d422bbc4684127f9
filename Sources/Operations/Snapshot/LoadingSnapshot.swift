import Bytecode
import HostFacts
import LinuxSystem
import NetfilterLink

/// A link that a copy of a snapshot's rules needs.
public struct PlaceholderLink: Hashable, Sendable {
  /// The name, at most 15 bytes.
  public var name: String
  /// The number that rules compare; nil for any.
  public var index: Int32?

  /// Names a link.
  public init(name: String, index: Int32? = nil) {
    self.name = name
    self.index = index
  }
}

extension LoadedSnapshot {
  /// Links are made one by one; a snapshot that asks for more is told so.
  private static let mostLinks = 4096

  /// Makes the snapshot's rules anew in the calling thread's network namespace, a throw-away one.
  ///
  /// Links that are not there yet are made as placeholders that swallow what is sent to them: those
  /// given, and those that chains and flowtables bind.
  ///
  /// - Parameter links: which, `lo` may be among them; nil for those of the machine that the snapshot
  ///   was taken on, by name and number, as far as it says.
  /// - Returns: what the copy may do otherwise than the original, one sentence each.
  /// - Throws: ``OperationFailure``; in the machine's own namespace before anything is done. The
  ///   namespace is then to be thrown away. What cannot be loaded is in the message.
  public func loadCopy(links: [PlaceholderLink]? = nil) throws(OperationFailure) -> [String] {
    let given =
      links ?? host?.state.links.value?.map { .init(name: $0.name, index: $0.index) } ?? []
    guard given.count <= Self.mostLinks else {
      throw OperationFailure(
        .unknown, "\(given.count) links, more than the \(Self.mostLinks) that a copy is made with")
    }
    do {
      try NetworkNamespace.assertThrowAway()
      let socket = try RouteSocket()
      var known = Set(try socket.links().map(\.name))
      let bound = ruleset.boundDevices.map { PlaceholderLink(name: $0) }
      for link in given + bound where known.insert(link.name).inserted {
        try socket.makePlaceholder(name: link.name, index: link.index)
      }
      var session = NetfilterSession(try NetlinkSocket.open())
      return try session.load(recorded)
    } catch let error as LinuxError {
      throw OperationFailure(error.exitStatus, "\(error)")
    } catch LoadError.kernel(let error) {
      throw OperationFailure(error.exitStatus, "\(error)")
    } catch {
      throw OperationFailure(.badData, "\(error)")
    }
  }
}

extension Ruleset {
  /// The devices that base chains and flowtables are bound to, each once, in order.
  fileprivate var boundDevices: [String] {
    let names = tables.flatMap { table in
      table.chains.flatMap { $0.hook?.devices ?? [] } + table.flowtables.flatMap(\.devices)
    }
    return Array(Set(names)).sorted()
  }
}
