/// A network interface.
///
/// Source: `struct ifinfomsg` and `IFLA_*`, `linux/if_link.h`.
public struct HostLink: Hashable, Sendable, Codable {
  /// The number within its namespace, from 1.
  public var index: Int32
  /// The name, at most 15 bytes; bytes that are no UTF-8 are replaced.
  public var name: String
  /// The driver's word, such as `veth`, `bridge`, `tun`; nil for a physical device and for `lo`.
  public var kind: String?
  /// The group, `meta oifgroup`.
  public var group: UInt32
  /// The hardware type, `ARPHRD_*`: 1 Ethernet, 772 loopback, 65534 none.
  public var hardwareType: UInt16
  /// The link-layer address as colon-separated hex; empty where there is none.
  public var hardwareAddress: String
  /// `IFF_*`: 1 up, 8 loopback, 256 promiscuous.
  public var flags: UInt32
  /// The largest packet in bytes.
  public var mtu: UInt32
  /// The link that this one is a port of (a bridge, a bond, a VRF).
  public var master: Int32?
  /// The link this one rests on or is paired with, `IFLA_LINK`.
  ///
  /// In the namespace ``peerNamespace`` where that is set.
  public var peer: Int32?
  /// This namespace's number for the namespace of ``peer``; nil when it is this one.
  public var peerNamespace: Int32?
  /// Programs at the driver's hook, one for each mode in use.
  public var xdp: [AttachedXDP]
  /// The owner of a tun or tap device; nil for other kinds.
  public var tun: TunOwner?

  /// Makes a link; only index and name have no default.
  public init(
    index: Int32, name: String, kind: String? = nil, group: UInt32 = 0, hardwareType: UInt16 = 1,
    hardwareAddress: String = "", flags: UInt32 = 0, mtu: UInt32 = 1500, master: Int32? = nil,
    peer: Int32? = nil, peerNamespace: Int32? = nil, xdp: [AttachedXDP] = [],
    tun: TunOwner? = nil
  ) {
    self.index = index
    self.name = name
    self.kind = kind
    self.group = group
    self.hardwareType = hardwareType
    self.hardwareAddress = hardwareAddress
    self.flags = flags
    self.mtu = mtu
    self.master = master
    self.peer = peer
    self.peerNamespace = peerNamespace
    self.xdp = xdp
    self.tun = tun
  }

  /// Whether it leads back to this host and nowhere else: `IFF_LOOPBACK`.
  public var isLoopback: Bool { flags & 8 != 0 }
  /// Whether an administrator turned it on: `IFF_UP`.
  public var isUp: Bool { flags & 1 != 0 }
}

/// An XDP program on a link.
///
/// Source: `XDP_ATTACHED_*` and `IFLA_XDP_*`, `linux/if_link.h`.
public struct AttachedXDP: Hashable, Sendable, Codable {
  /// `driver`, `generic` or `offload`.
  public var mode: String
  /// The kernel's number for the program; nil where it did not say.
  public var program: UInt32?

  /// Makes an attachment.
  public init(mode: String, program: UInt32?) {
    self.mode = mode
    self.program = program
  }
}

/// Who may write into a tun or tap device.
///
/// Source: `IFLA_TUN_*`, `linux/if_link.h`.
public struct TunOwner: Hashable, Sendable, Codable {
  /// The user who may attach; nil for nobody in particular.
  public var user: UInt32?
  /// The group that may attach; nil for none.
  public var group: UInt32?
  /// Whether frames (tap) rather than IP packets (tun) go through it.
  public var isTap: Bool
  /// Processes that hold it open now.
  public var processes: Fact<[HostProcess]>

  /// Makes an owner.
  public init(
    user: UInt32? = nil, group: UInt32? = nil, isTap: Bool = false,
    processes: Fact<[HostProcess]> = .unknown("not looked for")
  ) {
    self.user = user
    self.group = group
    self.isTap = isTap
    self.processes = processes
  }
}
