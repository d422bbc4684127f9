import ConnectionReplay
import LinuxSystem
import NetfilterLink

/// The most bytes of nft text that are read.
private let nftTextLimitBytes = 256 << 20

/// Loads a file of nft text with nft(8) into a network namespace made for it, and reads back what the
/// kernel then holds.
///
/// A text whose chains are bound to devices is refused: the namespace has none but `lo`. The machine's
/// own namespace is never touched.
///
/// - Parameter path: the file; `include` lines in it are nft's affair, relative to its own folders.
/// - Returns: the rules, without any fact about a host.
/// - Throws: ``OperationFailure``: the file cannot be read, nft is not installed, nft refuses the text
///   (with its own message), or no namespace can be made.
func loadNftFile(_ path: String) throws(OperationFailure) -> LoadedSnapshot {
  do throws(LinuxError) {
    // So that a file that is none is told apart from one that nft refuses.
    _ = try BoundedFile.read(path, limitBytes: nftTextLimitBytes)
    try UserNamespace.enter()
  } catch {
    throw OperationFailure(error.exitStatus, "\(error)")
  }
  do {
    return try NetworkNamespace.make().run {
      let outcome = try ChildProgram.run("nft", ["-f", path])
      guard outcome.exitCode == 0 else {
        throw OperationFailure(.badData, "nft refuses '\(path)':\n\(outcome.error.trimmed)")
      }
      return try LoadedSnapshot(justTaken: takeSnapshot(of: nil, includesHost: false))
    }
  } catch let failure as OperationFailure {
    throw failure
  } catch LinuxError.refused(let operation, .noSuchFile) where operation.hasPrefix("start") {
    throw OperationFailure(
      .notFound, "nft is not installed: a file of nft text needs it, package nftables")
  } catch let error as LinuxError {
    throw OperationFailure(error.exitStatus, "\(error)")
  } catch {
    throw OperationFailure(.internalError, "\(error)")
  }
}

extension String {
  /// Without white space at the end.
  fileprivate var trimmed: String { String(reversed().drop { $0.isWhitespace }.reversed()) }
}
