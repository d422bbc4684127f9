/// Programs loaded into the kernel, and where they are hooked in.
///
/// Programs and links are of the whole machine, not of one namespace.
public struct BPFState: Hashable, Sendable, Codable {
  /// Every loaded program.
  public var programs: Fact<[BPFProgram]>
  /// Every link between a program and a hook.
  public var links: Fact<[BPFLink]>
  /// What is attached to control groups.
  public var cgroups: Fact<[CgroupAttachment]>
  /// What is attached to links by the multi-program hooks (tcx), by link.
  public var devices: Fact<[DeviceAttachment]>

  /// Makes the state.
  public init(
    programs: Fact<[BPFProgram]>, links: Fact<[BPFLink]>, cgroups: Fact<[CgroupAttachment]>,
    devices: Fact<[DeviceAttachment]>
  ) {
    self.programs = programs
    self.links = links
    self.cgroups = cgroups
    self.devices = devices
  }
}

/// A loaded program.
///
/// Source: `struct bpf_prog_info`, `linux/bpf.h`.
public struct BPFProgram: Hashable, Sendable, Codable {
  /// The kernel's number.
  public var id: UInt32
  /// `enum bpf_prog_type`: 3 tc classifier, 6 XDP, 8 cgroup packets, 18 cgroup addresses,
  /// 32 netfilter.
  public var type: UInt32
  /// The name, at most 15 bytes.
  public var name: String

  /// Makes a program.
  public init(id: UInt32, type: UInt32, name: String) {
    self.id = id
    self.type = type
    self.name = name
  }
}

/// A link between a program and a hook.
///
/// Source: `struct bpf_link_info` and `enum bpf_link_type`, `linux/bpf.h`.
public struct BPFLink: Hashable, Sendable, Codable {
  /// The kernel's number.
  public var id: UInt32
  /// 3 cgroup, 5 network namespace, 6 XDP, 10 netfilter, 11 tcx, 13 netkit; the rest are no network
  /// hooks.
  public var type: UInt32
  /// The program.
  public var program: UInt32
  /// What it is hooked to, by type: the inode of a network namespace, the id of a cgroup, the index
  /// of a link; nil for other types.
  public var target: UInt64?
  /// For netfilter, `NFPROTO_*`, the hook number and the priority.
  public var netfilter: NetfilterAttachment?

  /// Makes a link.
  public init(
    id: UInt32, type: UInt32, program: UInt32, target: UInt64? = nil,
    netfilter: NetfilterAttachment? = nil
  ) {
    self.id = id
    self.type = type
    self.program = program
    self.target = target
    self.netfilter = netfilter
  }
}

/// Where among the netfilter hooks a program runs; in which namespace the kernel does not say.
public struct NetfilterAttachment: Hashable, Sendable, Codable {
  /// `NFPROTO_*`: 2 IPv4, 10 IPv6.
  public var family: UInt32
  /// `enum nf_inet_hooks`: 1 input, 2 forward, 3 output, 4 postrouting.
  public var hook: UInt32
  /// Lower runs first.
  public var priority: Int32

  /// Makes an attachment.
  public init(family: UInt32, hook: UInt32, priority: Int32) {
    self.family = family
    self.hook = hook
    self.priority = priority
  }
}

/// Programs attached to a control group.
public struct CgroupAttachment: Hashable, Sendable, Codable {
  /// The path of the group from the root of the hierarchy, `/` for the root.
  public var path: String
  /// `enum bpf_attach_type`: 0 packets in, 1 packets out, 10 and 11 connect.
  public var attachType: UInt32
  /// The programs, in order.
  public var programs: [UInt32]

  /// Makes an attachment.
  public init(path: String, attachType: UInt32, programs: [UInt32]) {
    self.path = path
    self.attachType = attachType
    self.programs = programs
  }
}

/// Programs attached to a link by a multi-program hook.
public struct DeviceAttachment: Hashable, Sendable, Codable {
  /// The link.
  public var link: Int32
  /// `enum bpf_attach_type`: 46 tcx in, 47 tcx out.
  public var attachType: UInt32
  /// The programs, in order.
  public var programs: [UInt32]

  /// Makes an attachment.
  public init(link: Int32, attachType: UInt32, programs: [UInt32]) {
    self.link = link
    self.attachType = attachType
    self.programs = programs
  }
}
