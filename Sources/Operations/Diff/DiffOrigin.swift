import LinuxSystem
import NetfilterLink
import PolicyLanguage

/// What a side of a comparison was read from.
enum DiffOrigin {
  /// Where rules come from that no policy says; the raw value is what reports call it.
  enum Source: String {
    /// A snapshot file.
    case snapshot
    /// The running kernel.
    case live
    /// A file of nft text, as the kernel holds it once it is loaded.
    case nft
  }

  case policy(LoadedPolicy)
  case rules(LoadedSnapshot, from: Source)

  /// Reads `live`, a file of nft text (`nft:FILE`, or a name that ends in `.nft`), a snapshot file, or
  /// else a policy.
  init(
    _ argument: String, _ target: InstallTarget, _ progress: (String) -> Void
  ) throws(OperationFailure) {
    if argument == "live" {
      progress("reading the kernel …")
      let file = try takeSnapshot(of: target.namespace)
      self = .rules(try LoadedSnapshot(justTaken: file), from: .live)
      return
    }
    if argument.hasPrefix("nft:") || argument.hasSuffix(".nft") {
      progress("loading nft text in a namespace made for it …")
      let path = argument.hasPrefix("nft:") ? String(argument.dropFirst(4)) : argument
      self = .rules(try loadNftFile(path), from: .nft)
      return
    }
    let start = Array("weir-snapshot ".utf8)
    let bytes = try? BoundedFile.read(argument, limitBytes: SnapshotFile.sizeLimitBytes)
    if bytes?.starts(with: start) == true {
      self = .rules(try readSnapshot(argument), from: .snapshot)
    } else {
      self = .policy(try loadPolicy(argument))
    }
  }

  /// `policy`, `snapshot`, `live` or `nft`.
  var kind: String {
    switch self {
    case .policy: "policy"
    case .rules(_, let source): source.rawValue
    }
  }

  /// The rules as they were read; nil for a policy.
  var snapshot: LoadedSnapshot? {
    if case .rules(let snapshot, _) = self { return snapshot }
    return nil
  }

  /// The snapshot, where it tells about a host and not only about rules.
  var host: LoadedSnapshot? {
    if case .rules(_, .nft) = self { return nil }
    return snapshot
  }

  var policy: Policy? {
    if case .policy(let loaded) = self { return loaded.policy }
    return nil
  }

  var warnings: [String] {
    if case .policy(let loaded) = self { return loaded.warnings }
    return []
  }
}

extension LoadedSnapshot {
  /// Decodes a snapshot that this process has taken.
  init(justTaken file: SnapshotFile) throws(OperationFailure) {
    do {
      self = try LoadedSnapshot(file)
    } catch {
      throw OperationFailure(.internalError, "the snapshot that was just taken: \(error)")
    }
  }
}
