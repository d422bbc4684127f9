import LinuxSystem
public import NetfilterLink

/// Takes a snapshot: everything nf_tables holds in a namespace, at one generation, and then the host
/// facts on which it depends as well what can leave.
///
/// Needs CAP_NET_ADMIN there; reading the snapshot needs nothing. Host facts that may not be read are
/// in it as unknown.
///
/// - Parameters:
///   - namespace: a namespace by name, process id or path; nil for the caller's own.
///   - includesHost: whether host facts are read.
/// - Returns: the snapshot; ``SnapshotFile/encoded()`` is the file. The same state, the same bytes.
/// - Throws: ``OperationFailure``, ``ExitStatus/unknown`` when the rules change during every attempt.
public func takeSnapshot(
  of namespace: String?, includesHost: Bool = true
) throws(OperationFailure) -> SnapshotFile {
  var target = InstallTarget()
  target.namespace = namespace
  return try target.withSession { session in
    let recorded = try session.recordRuleset()
    var sections = [SnapshotFile.Section(name: "nftables", bytes: recorded.messages)]
    if includesHost {
      let host = HostCoding.encode(HostReader.readHere())
      sections.append(SnapshotFile.Section(name: "host", bytes: host[...]))
    }
    return SnapshotFile(
      kernelRelease: ProcessFacts.kernelRelease(), machine: ProcessFacts.machine(),
      generation: recorded.generation, sections: sections)
  }
}

/// Writes a snapshot to a file that its owner alone can read, or to standard output.
///
/// - Parameters:
///   - file: the snapshot.
///   - path: where to; nil for standard output, which must not be a terminal.
/// - Throws: ``OperationFailure``; a file that was there is then as it was.
public func writeSnapshot(_ file: SnapshotFile, to path: String?) throws(OperationFailure) {
  do throws(LinuxError) {
    guard let path else { return try WholeFile.writeToStandardOutput(file.pieces) }
    try WholeFile.write(file.pieces, to: path)
  } catch {
    throw OperationFailure(error.exitStatus, "\(error)")
  }
}

/// Refuses a terminal as the place for a snapshot.
///
/// - Throws: ``OperationFailure``, ``ExitStatus/usage``.
public func checkSnapshotOutput(_ path: String?) throws(OperationFailure) {
  if path == nil, ProcessFacts.isOutputTerminal {
    throw OperationFailure(
      .usage, "a snapshot is no text for a terminal; give --output FILE, or redirect")
  }
}
