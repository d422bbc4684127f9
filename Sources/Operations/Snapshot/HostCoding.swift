import Foundation
public import HostFacts

/// Host facts as the bytes of a snapshot's section `host`: JSON, one spelling for one state.
public enum HostCoding {
  /// The version that this weir writes and reads.
  public static let version = 1

  /// The most bytes that are read: 64 MiB.
  public static let sizeLimitBytes = 64 << 20

  /// Writes a state: keys in order, no spaces, a final newline.
  ///
  /// What does not fit ``sizeLimitBytes`` is written as unknown: first the tracked connections, then
  /// everything. O(n). Example: `{"state":{"addresses":{"known":[]},…},"version":1}`.
  public static func encode(_ state: HostState) -> [UInt8] {
    let whole = written(state)
    if whole.count <= sizeLimitBytes { return whole }
    let reason = "more than \(sizeLimitBytes) bytes of host facts"
    var short = state
    short.conntrack = .unknown(reason)
    let rest = written(short)
    return rest.count <= sizeLimitBytes ? rest : written(HostState(unknown: reason))
  }

  private static func written(_ state: HostState) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Nothing in a state is a floating-point number or anything else that JSON cannot say.
    guard let data = try? encoder.encode(Document(version: version, state: state)) else {
      preconditionFailure("a state of the host is always JSON")
    }
    return Array(data) + [UInt8(ascii: "\n")]
  }

  /// Reads a state, from a file that may be hostile.
  ///
  /// - Throws: ``HostCodingError`` with the place of the first mistake.
  ///
  /// O(n).
  public static func decode(_ bytes: some Collection<UInt8>) throws(HostCodingError)
    -> DecodedHostState
  {
    guard bytes.count <= sizeLimitBytes else { throw .tooLarge(bytes: bytes.count) }
    let tree = try JSONTree(parsing: Array(bytes))
    let notes = TreeDecoder.Notes()
    let decoder = TreeDecoder(tree: tree, codingPath: [], notes: notes)
    // Before anything else: another version may mean other things by the same keys.
    let found = try value(Version.self, decoder).version
    guard found == version else { throw .version(found) }
    notes.unknownKeys = []
    let state = try value(Document.self, decoder).state
    if let mistake = state.firstImplausibility { throw .value(mistake) }
    return DecodedHostState(state: state, unknownKeys: notes.unknownKeys.sorted())
  }

  private struct Document: Codable {
    var version: Int
    var state: HostState
  }

  private struct Version: Decodable {
    var version: Int
  }

  private static func value<Value: Decodable>(
    _ type: Value.Type, _ decoder: TreeDecoder
  ) throws(HostCodingError) -> Value {
    do {
      return try Value(from: decoder)
    } catch let error as DecodingError {
      throw HostCodingError(error)
    } catch {
      throw .notJSON("\(error)")
    }
  }
}

/// Host facts as they were read from a snapshot.
public struct DecodedHostState: Hashable, Sendable {
  /// The facts.
  public var state: HostState
  /// Keys that this weir does not know, as paths, ascending: what they say is not part of any answer.
  ///
  /// The first thousand of them. Example: `state.links.known[].colour`.
  public var unknownKeys: [String]
}
