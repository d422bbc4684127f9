import CLinux
import Glibc
import HostFacts
import LinuxSystem
import TestSupport
import Testing

/// Programs that do nothing, hooked into namespaces and a control group made for the test.
@Suite(.enabled(if: KernelAccess.isThere && BPFPlant.isThere, "needs root and bpf(2)"))
struct BPFReaderTests {
  /// Reads a fresh namespace while a program is hooked in.
  private func read(_ hook: () throws -> Int32) throws -> HostState {
    try NetworkNamespace.make().run {
      try NetworkNamespace.assertThrowAway()
      try HostPlant.run("ip link set lo up")
      let link = try hook()
      defer { close(link) }
      return HostReader.readHere()
    }
  }

  @Test func `kernel: a program among the netfilter hooks is found with its hook and priority`()
    throws
  {
    let state = try read {
      try BPFPlant.link(type: 32, attachType: 45, target: 0, result: 1, detail: [2, 3, 77, 0])
    }
    let links = try #require(state.bpf.links.value).filter { $0.netfilter?.priority == 77 }
    #expect(links.map(\.netfilter) == [NetfilterAttachment(family: 2, hook: 3, priority: 77)])
    let program = try #require(links.first?.program)
    let programs = try #require(state.bpf.programs.value)
    #expect(programs.first { $0.id == program } == BPFProgram(id: program, type: 32, name: "weir"))
  }

  @Test func `kernel: an XDP program is found on its link`() throws {
    let state = try read {
      // XDP_FLAGS_SKB_MODE; XDP_PASS
      try BPFPlant.link(type: 6, attachType: 37, target: 1, flags: 2, result: 2)
    }
    let attached = try #require(state.links.value?.first?.xdp.first)
    #expect(attached.mode == "generic")
    let links = try #require(state.bpf.links.value)
    #expect(links.contains { $0.type == 6 && $0.program == attached.program && $0.target == 1 })
  }

  @Test func `kernel: a tcx program is found on its link`() throws {
    let state = try read { try BPFPlant.link(type: 3, attachType: 47, target: 1, result: 0) }
    let attached = try #require(state.bpf.devices.value?.first)
    #expect(attached.link == 1)
    #expect(attached.attachType == 47)
    #expect(attached.programs.count == 1)
    #expect(
      try read {
        try BPFPlant.link(type: 32, attachType: 45, target: 0, result: 1, detail: [2, 3, 78, 0])
      }.bpf.devices == .known([]))
  }

  @Test func `kernel: a program of a control group is found with the group's path`() throws {
    let mounts = try String(
      decoding: BoundedFile.read("/proc/self/mountinfo", limitBytes: 1 << 20), as: UTF8.self)
    let line = mounts.split(separator: "\n").first { $0.contains(" - cgroup2 ") }
    let root = try #require(line?.split(separator: " ")[4])
    let name = "weir-test-\(getpid())"
    let path = "\(root)/\(name)"
    guard unsafe mkdir(path, 0o700) == 0 else { throw HostPlant.Failed(what: "mkdir") }
    defer { unsafe rmdir(path) }
    let group = unsafe open(path, O_RDONLY | O_CLOEXEC)
    defer { close(group) }
    let state = try read { try BPFPlant.link(type: 8, attachType: 1, target: group, result: 1) }
    let found = try #require(state.bpf.cgroups.value).filter { $0.path == "/\(name)" }
    #expect(found.map(\.attachType) == [1])
    #expect(found.first?.programs.count == 1)
  }
}

/// Loads and hooks programs of two instructions.
enum BPFPlant {
  static let isThere: Bool = {
    guard let program = try? load(type: 32, attachType: 45, result: 1) else { return false }
    close(program)
    return true
  }()

  /// A descriptor of a link; closing it takes the program out again.
  static func link(
    type: UInt32, attachType: UInt32, target: Int32, flags: UInt32 = 0, result: Int32,
    detail: [UInt32] = []
  ) throws -> Int32 {
    try NetworkNamespace.assertThrowAway()
    let program = try load(type: type, attachType: attachType, result: result)
    defer { close(program) }
    var attributes = [UInt32(bitPattern: program), UInt32(bitPattern: target), attachType, flags]
    attributes += detail + [UInt32](repeating: 0, count: 12 - detail.count)
    let status = unsafe linux_bpf(28, &attributes, UInt32(attributes.count * 4))
    guard status >= 0 else { throw HostPlant.Failed(what: "link \(type): \(status)") }
    return status
  }

  /// `r0 = result; exit`, as `union bpf_attr` for `BPF_PROG_LOAD` wants it.
  private static func load(type: UInt32, attachType: UInt32, result: Int32) throws -> Int32 {
    let code: [UInt64] = [UInt64(UInt32(bitPattern: result)) << 32 | 0xb7, 0x95]
    let license = Array("Apache-2.0".utf8) + [0]
    let status = unsafe code.withUnsafeBytes { code in
      unsafe license.withUnsafeBytes { license in
        var attributes = [type, 2]
        for address in [
          UInt(bitPattern: code.baseAddress), UInt(bitPattern: license.baseAddress),
        ] {
          let pointer = UInt64(address)
          attributes += [UInt32(truncatingIfNeeded: pointer), UInt32(pointer >> 32)]
        }
        attributes += [UInt32](repeating: 0, count: 6)
        attributes += [0x7269_6577, 0, 0, 0, 0, attachType]  // "weir"
        return unsafe linux_bpf(5, &attributes, UInt32(attributes.count * 4))
      }
    }
    guard status >= 0 else { throw HostPlant.Failed(what: "load \(type): \(status)") }
    return status
  }
}
