import HostFacts

extension BPFState {
  /// Hooks of a cgroup at which packets, connections or addresses can be changed or refused.
  ///
  /// Source: `enum bpf_attach_type`, `linux/bpf.h`.
  static let cgroupHooks: [UInt32] = [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22]

  /// Reads what there is on the machine, and what is attached to `links`.
  static func read(links: Fact<[HostLink]>) -> BPFState {
    BPFState(
      programs: HostReading.fact { try readPrograms() },
      links: HostReading.fact { try readLinks() },
      cgroups: HostReading.fact { try readCgroups() },
      devices: HostReading.fact {
        switch links {
        case .known(let links): try readDevices(links)
        case .unknown(let reason): throw Unreadable(description: reason)
        }
      })
  }

  private struct Unreadable: Error, CustomStringConvertible {
    var description: String
  }

  private static func readPrograms() throws -> [BPFProgram] {
    try BPFCall.identifiers(.nextProgram).compactMap { id in
      try BPFCall.information(.programDescriptor, id, size: 80).map { bytes in
        let head = bytes[...]
        return BPFProgram(
          id: id, type: head.number(UInt32.self, at: 0) ?? 0, name: head.dropFirst(64).text)
      }
    }
  }

  private static func readLinks() throws -> [BPFLink] {
    try BPFCall.identifiers(.nextLink).compactMap { id in
      try BPFCall.information(.linkDescriptor, id, size: 64).map { bytes in
        let head = bytes[...]
        func word(_ offset: Int) -> UInt32 { head.number(UInt32.self, at: offset) ?? 0 }
        let type = word(0)
        var target: UInt64?
        var netfilter: NetfilterAttachment?
        switch type {
        case 3: target = head.number(UInt64.self, at: 16)
        case 5, 6, 11, 13: target = UInt64(word(16))
        case 10:
          netfilter = NetfilterAttachment(
            family: word(16), hook: word(20), priority: Int32(bitPattern: word(24)))
        default: break
        }
        return BPFLink(id: id, type: type, program: word(8), target: target, netfilter: netfilter)
      }
    }
  }

  /// At the root what is in effect, which includes what a group above it has; below it what is new.
  private static func readCgroups() throws -> [CgroupAttachment] {
    guard let bytes = try HostReading.file("/proc/thread-self/mountinfo"),
      let root = try MountTable(procText: bytes).mounts.first(where: { $0.type == "cgroup2" })?.path
    else { throw Unreadable(description: "no cgroup2 hierarchy is mounted") }
    var found: [CgroupAttachment] = []
    var waiting = ["/"]
    var seen = 0
    while let path = waiting.popLast() {
      seen += 1
      guard seen <= 100_000 else { throw Unreadable(description: "more than 100000 cgroups") }
      let folder = path == "/" ? root : root + path
      guard let descriptor = try? FileDescriptor.open(folder) else { continue }  // it is gone
      let target = UInt32(bitPattern: descriptor.number)
      for hook in cgroupHooks {
        let programs = try BPFCall.attached(to: target, hook, isEffective: path == "/") ?? []
        guard !programs.isEmpty else { continue }
        found.append(CgroupAttachment(path: path, attachType: hook, programs: programs))
      }
      for name in (try? Folder.names(folder)) ?? [] where Folder.isFolder("\(folder)/\(name)") {
        waiting.append(path == "/" ? "/\(name)" : "\(path)/\(name)")
      }
    }
    return found.sorted { ($0.path, $0.attachType) < ($1.path, $1.attachType) }
  }

  private static func readDevices(_ links: [HostLink]) throws -> [DeviceAttachment] {
    var found: [DeviceAttachment] = []
    for link in links {
      for hook: UInt32 in [46, 47] {
        let index = UInt32(bitPattern: link.index)
        let programs = try BPFCall.attached(to: index, hook, isEffective: false) ?? []
        guard !programs.isEmpty else { continue }
        found.append(DeviceAttachment(link: link.index, attachType: hook, programs: programs))
      }
    }
    return found
  }
}
