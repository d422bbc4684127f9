public import Bytecode
import LinuxSystem
public import NetfilterLink

/// A snapshot that was read from a file, decoded.
public struct LoadedSnapshot: Sendable {
  /// Every table; what is not modelled is in their `unknown`.
  public let ruleset: Ruleset
  /// The messages that the ruleset was decoded from.
  public let recorded: RecordedRuleset
  /// The release of the kernel that it was taken from.
  public let kernelRelease: String
  /// The machine that it was taken on, `x86_64`.
  public let machine: String
  /// The host facts; nil when the snapshot has none.
  public let host: DecodedHostState?
  /// Sections that this weir does not know: whatever they say is not part of any answer.
  public let unknownSections: [String]

  /// The generation that the rules were read at.
  public var generation: UInt32 { recorded.generation }
}

/// Reads a snapshot, checks it, and decodes its rules; needs no right and no kernel.
///
/// - Parameter path: the file, at most ``SnapshotFile/sizeLimitBytes``.
/// - Returns: the whole snapshot.
/// - Throws: ``OperationFailure``: ``ExitStatus/notFound``, or ``ExitStatus/badData`` for whatever
///   is not a whole, unchanged snapshot.
public func readSnapshot(_ path: String) throws(OperationFailure) -> LoadedSnapshot {
  do {
    let bytes = try BoundedFile.read(path, limitBytes: SnapshotFile.sizeLimitBytes)
    return try LoadedSnapshot(parsing: bytes)
  } catch let error as LinuxError {
    throw OperationFailure(error.exitStatus, "\(error)")
  } catch {
    throw OperationFailure(.badData, "'\(path)': \(error)")
  }
}

extension LoadedSnapshot {
  /// Reads a snapshot's bytes.
  ///
  /// - Throws: ``SnapshotError``, ``HostCodingError``.
  public init(parsing bytes: [UInt8]) throws {
    try self.init(SnapshotFile(parsing: bytes))
  }

  /// Decodes a snapshot.
  ///
  /// - Throws: ``SnapshotError``, ``HostCodingError``.
  init(_ file: SnapshotFile) throws {
    let messages = try file.section("nftables")
    recorded = RecordedRuleset(generation: file.generation, messages: messages)
    ruleset = try recorded.decoded().ruleset
    kernelRelease = file.kernelRelease
    machine = file.machine
    let facts = file.sections.first { $0.name == "host" }
    host = try facts.map { try HostCoding.decode($0.bytes) }
    unknownSections = file.sections.map(\.name).filter { $0 != "nftables" && $0 != "host" }
  }
}
