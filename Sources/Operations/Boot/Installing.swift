import Bytecode
import ConnectionReplay
import LinuxSystem
import NetfilterLink
import NetworkTypes
import PolicyLanguage
import RuleCompiler

/// What an installation for the next boot wrote.
public struct InstallReport: Encodable, Sendable {
  /// Version of this form.
  public let version = 1
  /// The policy's name.
  public let policy: String
  /// The compiled policy's digest.
  public let digest: String
  /// `inet weir`.
  public let table: String
  /// The files, or those that would be written.
  public let files: [String]
  /// Whether nothing was written.
  public let isDryRun: Bool
  /// One report a name: the addresses that hold from boot until a refresh.
  public let names: [NameReport]
  /// What the operator should know.
  public let warnings: [String]
}

/// Writes what puts a policy in force at every boot, before the network.
///
/// The rules are written as text, loaded into a namespace made for it, read back and compared with
/// what was compiled, before any file takes its place. The rules that are in force now are left alone.
///
/// - Parameters:
///   - request: the policy, the table's name and the pins; its namespace is not used.
///   - extras: what is written beside the rules; completions only for shells whose folder is there.
///   - root: the folder that stands for `/`; nil for the running system.
/// - Returns: what was written.
/// - Throws: ``OperationFailure``; files that are there are then as they were.
public func install(
  _ request: ApplyRequest, _ extras: InstallExtras = InstallExtras(), root: String? = nil
) throws(OperationFailure) -> InstallReport {
  let policy = request.policy.policy
  let table = request.target.table
  let compiled = compile(policy, tableName: table)
  let (names, answers) = try fillNames(
    compiled.names, pins: request.pins, servers: request.servers)
  var warnings: [String] = []
  for name in names where name.isEmpty {
    guard request.allowsUnresolved else {
      throw OperationFailure(
        .notFound,
        "\(name.name) has no usable address; nothing was written. Pin it with --resolve"
          + " \(name.name)=ADDRESS, or leave its exception shut with --allow-unresolved")
    }
    warnings.append("\(name.name) has no usable address: its exception stays shut")
  }
  let files = BootFiles(root: root ?? "/", table: table)
  let nft = try nftProgram(files.root, &warnings)
  let texts = files.texts(extras, nft: nft)
  func report() -> InstallReport {
    let written = Set([files.rules, files.closed, files.want] + texts.map(\.path))
    let wants = extras.services.map { files.want($0.service) }
    return InstallReport(
      policy: policy.name, digest: compiled.digest, table: "inet \(table)",
      files: files.all.filter(written.union(wants).contains),
      isDryRun: request.isDryRun, names: names, warnings: warnings)
  }
  for path in files.all where !files.links.contains(path) { try requireOurs(path) }
  if request.isDryRun { return report() }
  do throws(LinuxError) {
    for folder in files.folders { try FileTree.makeFolder(folder) }
  } catch {
    throw OperationFailure(error.exitStatus, "\(error)")
  }
  let rules = compiled.table(answers: answers)
  let shut = compile(policy.closed, tableName: table)
  let drafts = [files.rules, files.closed].map { ($0, "\($0).draft") }
  defer { for (_, draft) in drafts { _ = try? FileTree.remove(draft) } }
  // Both are proved before either takes its place.
  try prove(rules, as: drafts[0].1)
  try prove(shut.table(), as: drafts[1].1)
  do throws(LinuxError) {
    for (path, draft) in drafts { try WholeFile.rename(draft, to: path) }
    for (path, text) in texts {
      try WholeFile.write([Array(text.utf8)[...]], to: path, isPublic: true)
    }
    try FileTree.link(files.want, to: files.wantTarget)
    for (service, _) in extras.services {
      try FileTree.link(files.want(service), to: files.wantTarget(service))
    }
  } catch {
    throw OperationFailure(error.exitStatus, "\(error)")
  }
  return report()
}

/// Removes what ``install(_:root:)`` wrote, and nothing else; rules in force stay.
///
/// - Parameters:
///   - table: the name of the nftables table.
///   - root: the folder that stands for `/`; nil for the running system.
/// - Returns: the files that were removed.
/// - Throws: ``OperationFailure``, also for a file of that name which weir did not write.
public func uninstall(
  table: String, root: String? = nil
) throws(OperationFailure) -> [String] {
  let files = BootFiles(root: root ?? "/", table: table)
  for path in files.all where !files.links.contains(path) { try requireOurs(path) }
  do throws(LinuxError) {
    var removed: [String] = []
    // The link first: a boot in between finds no unit rather than one without rules.
    for path in files.all.reversed() where try FileTree.remove(path) { removed.append(path) }
    FileTree.removeEmptyFolder(files.stateFolder)
    return removed
  } catch {
    throw OperationFailure(error.exitStatus, "\(error)")
  }
}

extension BootFiles {
  /// The files that are text for people and programs, with what is in them.
  fileprivate func texts(_ extras: InstallExtras, nft: String) -> [(path: String, text: String)] {
    var texts = [
      (path: unit, text: unitText(nft: nft)),
      (path: manual, text: BootFiles.marked(ManualPage.text, by: ".\\\"")),
    ]
    for shell in InstallExtras.Shell.allCases {
      let path = completion(shell)
      let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/"
      guard let script = extras.completions[shell], FileTree.isFolder(folder) else { continue }
      texts.append((path, shell.marked(script)))
    }
    return texts
      + extras.services.map { service, file in
        (unit(service), text(service, extras, reading: file))
      }
  }
}

/// Writes a table as text, and has a kernel show that it means what was compiled.
private func prove(_ table: Table, as draft: String) throws(OperationFailure) {
  do {
    let text = try "\(BootFiles.mark)\n" + Ruleset(tables: [table]).nftText()
    try WholeFile.write([Array(text.utf8)[...]], to: draft)
    let loaded = try loadNftFile(draft)
    let live = loaded.ruleset.tables.first { $0.family == .inet && $0.name == table.name }
    guard let drift = live?.drift(from: { _ in table }), drift.differences.isEmpty else {
      throw OperationFailure(
        .unknown,
        "the text of the rules, loaded by nft, is not what was compiled; nothing was written")
    }
  } catch {
    if let failure = error as? OperationFailure { throw failure }
    if let error = error as? LinuxError { throw OperationFailure(error.exitStatus, "\(error)") }
    throw OperationFailure(.internalError, "\(error)")
  }
}

/// Refuses to replace or remove a file that weir did not write.
private func requireOurs(_ path: String) throws(OperationFailure) {
  let bytes: [UInt8]
  do throws(LinuxError) {
    bytes = try BoundedFile.read(path, limitBytes: 1 << 30)
  } catch {
    if error.isMissingFile { return }
    throw OperationFailure(error.exitStatus, "\(error)")
  }
  guard BootFiles.isOurs(bytes) else {
    throw OperationFailure(
      .finding, "'\(path)' was not written by weir install; nothing was changed. Move it away")
  }
}

/// Where nft(8) is, for the unit.
private func nftProgram(
  _ root: String, _ warnings: inout [String]
) throws(OperationFailure) -> String {
  let places = ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"]
  if let place = places.first(where: { FileTree.isFile(root + $0) }) { return place }
  guard !root.isEmpty else {
    throw OperationFailure(
      .unsupported, "nft is not installed: the unit loads the rules with it, package nftables")
  }
  warnings.append("no nft in '\(root)': the unit expects it at \(places[0])")
  return places[0]
}

extension Policy {
  /// The policy with nothing allowed: what holds when the rules of the real one cannot be loaded.
  ///
  /// What it lets in stays as it is, so that a host is not out of reach for a damaged file.
  fileprivate var closed: Policy {
    var policy = self
    policy.name = "closed"
    policy.allow = []
    policy.deny = []
    policy.tests = []
    policy.defaultDecision = Sourced(.deny)
    policy.idleSeconds = Sourced(nil)
    return policy
  }
}
