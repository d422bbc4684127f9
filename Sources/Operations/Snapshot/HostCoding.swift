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
  /// O(n). Example: `{"state":{"addresses":{"known":[]},…},"version":1}`.
  public static func encode(_ state: HostState) -> [UInt8] {
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
  /// O(n), twice.
  public static func decode(_ bytes: some Collection<UInt8>) throws(HostCodingError)
    -> DecodedHostState
  {
    guard bytes.count <= sizeLimitBytes else { throw .tooLarge(bytes: bytes.count) }
    let content = Array(bytes)
    let shape = try JSONShape(content)
    let data = Data(content)
    // Before anything else: another version may mean other things by the same keys.
    let found = try value(Version.self, data).version
    guard found == version else { throw .version(found) }
    let state = try value(Document.self, data).state
    if let mistake = state.firstImplausibility { throw .value(mistake) }
    let known = try JSONShape(encode(state))
    return DecodedHostState(
      state: state, unknownKeys: shape.paths.subtracting(known.paths).sorted())
  }

  private struct Document: Codable {
    var version: Int
    var state: HostState
  }

  private struct Version: Decodable {
    var version: Int
  }

  private static func value<Value: Decodable>(
    _ type: Value.Type, _ data: Data
  ) throws(HostCodingError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: data)
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
  /// Example: `state.links.known[].colour`.
  public var unknownKeys: [String]
}
