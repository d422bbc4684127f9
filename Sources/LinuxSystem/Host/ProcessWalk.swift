import ConnectionReplay
import Glibc
import HostFacts

/// One walk through /proc: who has which socket open, who may go past packet rules, and who is in
/// which network namespace.
///
/// Never follows a link out of /proc, never opens what a process has open. O(threads + descriptors).
struct ProcessWalk {
  /// The most threads and the most descriptors that are looked at.
  static let limit = 2_000_000

  /// Everyone, by number; the reader is not among them.
  private(set) var processes: [Int32: HostProcess] = [:]
  /// Socket inode to the processes that have it open; the reader too.
  private(set) var socketOwners: [UInt64: [HostProcess]] = [:]
  /// Name of a tun device to the processes that hold it.
  private(set) var tunHolders: [String: [HostProcess]] = [:]
  /// Network namespace to the processes with a thread in it, without the reader.
  private(set) var members: [NamespaceID: [HostProcess]] = [:]
  /// Inode of a network namespace to the processes that hold a descriptor of it.
  private(set) var namespaceHolders: [UInt64: [HostProcess]] = [:]
  /// Inode of a network namespace to a file that opens it.
  private(set) var namespacePaths: [UInt64: String] = [:]
  /// Sockets of protocols that nothing lists, by inode; not those of another namespace.
  private(set) var unlisted: [UInt64: UnlistedSocket] = [:]
  /// The survey for the host's state.
  private(set) var survey = ProcessSurvey()

  private var looked = 0
  /// Sockets that are of no interest.
  private var isListed: Set<UInt64> = []

  /// Walks.
  ///
  /// - Parameter own: the namespace whose unlisted sockets are meant; nil where that is not known.
  /// - Throws: ``LinuxError/refused(operation:errno:)`` without /proc, or past ``limit``.
  init(own: NamespaceID?) throws(LinuxError) {
    let names = try Folder.names("/proc")
    for pid in names.compactMap({ Int32($0) }).sorted() {
      try visit(pid, own)
    }
    survey.blindness = ProcessWalk.blindness()
  }

  private mutating func visit(_ pid: Int32, _ own: NamespaceID?) throws(LinuxError) {
    guard let threads = Folder.numbers("/proc/\(pid)/task") else { return }  // it has ended
    guard let first = ProcessWalk.status("/proc/\(pid)/status"), !first.isKernelThread,
      !first.hasEnded
    else { return }
    let program = Folder.target("/proc/\(pid)/exe").map { String(decoding: $0, as: UTF8.self) }
    let process = HostProcess(pid: pid, name: first.name, program: program, user: first.user)
    survey.processCount += 1
    var effective = first.effective
    var permitted = first.permitted
    var networks: Set<NamespaceID> = []
    var isReadable = program != nil
    for thread in threads {
      try count()
      let path = "/proc/\(pid)/task/\(thread)"
      if thread != pid, let status = ProcessWalk.status("\(path)/status") {
        effective |= status.effective
        permitted |= status.permitted
      }
      if let network = ProcessWalk.namespace("\(path)/ns/net") {
        networks.insert(network)
        namespacePaths[network.inode] = namespacePaths[network.inode] ?? "\(path)/ns/net"
      } else {
        isReadable = false
      }
    }
    isReadable = try visitDescriptors(of: process, own) && isReadable
    if !isReadable {
      // It may have ended on the way.
      guard let last = ProcessWalk.status("/proc/\(pid)/status"), !last.hasEnded else { return }
      survey.unreadableCount += 1
    }
    guard pid != getpid() else { return }
    processes[pid] = process
    for network in networks { members[network, default: []].append(process) }
    guard (effective | permitted) & PrivilegedProcess.mask != 0 else { return }
    survey.privileged.append(
      PrivilegedProcess(
        process: process, effective: effective, permitted: permitted,
        userNamespace: ProcessWalk.namespace("/proc/\(pid)/ns/user"),
        networkNamespaces: networks.sorted()))
  }

  /// Whether the descriptors could be listed.
  private mutating func visitDescriptors(
    of process: HostProcess, _ own: NamespaceID?
  ) throws(LinuxError) -> Bool {
    let folder = "/proc/\(process.pid)/fd"
    guard let numbers = Folder.numbers(folder) else { return false }
    var isReadable = true
    for number in numbers {
      try count()
      guard let target = Folder.target("\(folder)/\(number)") else {
        // Closed by now, or hidden although the numbers are not.
        if Folder.exists("\(folder)/\(number)") { isReadable = false }
        continue
      }
      switch ProcLink(target: target) {
      case .socket(let inode):
        ProcessWalk.add(process, to: &socketOwners[inode, default: []])
        visitSocket(inode, "\(folder)/\(number)", number, process, own)
      case .networkNamespace(let inode):
        ProcessWalk.add(process, to: &namespaceHolders[inode, default: []])
        namespacePaths[inode] = namespacePaths[inode] ?? "\(folder)/\(number)"
      case .tun:
        guard let text = try? HostReading.file("/proc/\(process.pid)/fdinfo/\(number)"),
          let name = ProcessWalk.tunName(text)
        else { continue }
        ProcessWalk.add(process, to: &tunHolders[name, default: []])
      case .other: continue
      }
    }
    return isReadable
  }

  /// Notes a socket whose protocol nothing lists, unless it is of another namespace.
  private mutating func visitSocket(
    _ inode: UInt64, _ path: String, _ number: Int32, _ process: HostProcess, _ own: NamespaceID?
  ) {
    if unlisted[inode] != nil {
      if unlisted[inode]?.owners.last != process { unlisted[inode]?.owners.append(process) }
    } else if !isListed.contains(inode) {
      guard let name = ProcessWalk.protocolName(path), !ProcessWalk.isListed(name) else {
        isListed.insert(inode)
        return
      }
      let namespace = ProcessWalk.namespace(ofSocket: number, of: process.pid)
      let isHere = namespace.flatMap { namespace in own.map { $0 == namespace } }
      if isHere == false {
        isListed.insert(inode)
      } else {
        unlisted[inode] = UnlistedSocket(
          protocolName: name, inode: inode, isHere: isHere, owners: [process])
      }
    }
  }

  /// The line `iff:` of a tun descriptor; nil before it is attached to a device.
  ///
  /// Source: `tun_chr_show_fdinfo`, `drivers/net/tun.c`.
  static func tunName(_ bytes: [UInt8]) -> String? {
    guard let lines = try? ProcText.lines(bytes) else { return nil }
    for line in lines where line.starts(with: "iff:".utf8) {
      let name = ProcText.fields(line.dropFirst(4)).first.map { ProcText.text($0) }
      return name == "(null)" ? nil : name
    }
    return nil
  }

  /// The owners of a socket; unknown when none was found and not everyone could be looked at.
  func owners(_ inode: UInt64) -> Fact<[HostProcess]> {
    if let owners = socketOwners[inode] { return .known(owners.sorted()) }
    if inode == 0 { return .known([]) }
    if survey.unreadableCount > 0 {
      return .unknown("\(survey.unreadableCount) processes do not show their open files")
    }
    return survey.blindness.map { .unknown($0) } ?? .known([])
  }

  private mutating func count() throws(LinuxError) {
    looked += 1
    if looked > ProcessWalk.limit {
      throw .refused(operation: "look at every process", errno: ErrorNumber(rawValue: EFBIG))
    }
  }

  private static func add(_ process: HostProcess, to list: inout [HostProcess]) {
    if list.last != process { list.append(process) }
  }

  private static func status(_ path: String) -> ProcessStatus? {
    (try? HostReading.file(path)).flatMap { bytes in
      bytes.flatMap { try? ProcessStatus(procText: $0) }
    }
  }

  private static func namespace(_ path: String) -> NamespaceID? {
    Folder.identity(path).map { NamespaceID(device: $0.device, inode: $0.inode) }
  }

  /// Why there may be processes that /proc does not show to this reader.
  private static func blindness() -> String? {
    // The first PID namespace has a fixed inode: PROC_PID_INIT_INO, include/linux/proc_ns.h.
    guard let own = Folder.identity("/proc/self/ns/pid") else { return "/proc hides namespaces" }
    if own.inode != 0xEFFF_FFFC { return "the reader is in a PID namespace of its own" }
    // hidepid leaves out the processes of other users.
    if geteuid() != 0, (try? HostReading.file("/proc/1/status")) == .some(nil) {
      return "/proc hides the processes of other users"
    }
    return nil
  }
}
