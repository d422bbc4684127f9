import HostFacts

extension HostLink {
  /// Reads one `RTM_NEWLINK` message; nil when it is something else or cut short.
  ///
  /// Source: `rtnl_fill_ifinfo`, `net/core/rtnetlink.c`.
  init?(_ reply: RouteReply) {
    let head = reply.payload
    guard reply.type == 16, let hardwareType = head.number(UInt16.self, at: 2),
      let index = head.number(Int32.self, at: 4), let flags = head.number(UInt32.self, at: 8)
    else { return nil }
    let attributes = reply.attributes(after: 16)
    guard let name = attributes[LinkAttribute.name]?.text else { return nil }
    let info = attributes[LinkAttribute.info]?.attributes() ?? [:]
    let kind = info[1]?.text
    self.init(
      index: index, name: name, kind: kind,
      group: attributes[LinkAttribute.group]?.number(UInt32.self, at: 0) ?? 0,
      hardwareType: hardwareType,
      hardwareAddress: HostLink.text(attributes[LinkAttribute.address] ?? []),
      flags: flags, mtu: attributes[LinkAttribute.mtu]?.number(UInt32.self, at: 0) ?? 0,
      master: attributes[LinkAttribute.master]?.number(Int32.self, at: 0),
      peer: attributes[LinkAttribute.link]?.number(Int32.self, at: 0),
      peerNamespace: attributes[LinkAttribute.linkNamespace]?.number(Int32.self, at: 0),
      xdp: HostLink.xdp(attributes[LinkAttribute.xdp]?.attributes() ?? [:]),
      tun: kind == "tun" ? TunOwner(info[2]?.attributes() ?? [:]) : nil)
  }

  private static func text(_ address: ArraySlice<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in address {
      if !text.isEmpty { text.append(UInt8(ascii: ":")) }
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// `IFLA_XDP_ATTACHED` 2 is one mode, or 4 for several; the numbers are in 4 and 5 to 7.
  private static func xdp(_ nest: [Int: ArraySlice<UInt8>]) -> [AttachedXDP] {
    func program(_ attribute: Int) -> UInt32? { nest[attribute]?.number(UInt32.self, at: 0) }
    switch nest[2]?.first {
    case nil, 0: return []
    case 1: return [AttachedXDP(mode: "driver", program: program(4) ?? program(5))]
    case 2: return [AttachedXDP(mode: "generic", program: program(4) ?? program(6))]
    case 3: return [AttachedXDP(mode: "offload", program: program(4) ?? program(7))]
    default:
      return [(5, "driver"), (6, "generic"), (7, "offload")].compactMap { attribute, mode in
        program(attribute).map { AttachedXDP(mode: mode, program: $0) }
      }
    }
  }
}

extension TunOwner {
  /// `IFLA_TUN_OWNER` 1, `IFLA_TUN_GROUP` 2, `IFLA_TUN_TYPE` 3 (1 tun, 2 tap).
  fileprivate init(_ nest: [Int: ArraySlice<UInt8>]) {
    self.init(
      user: nest[1]?.number(UInt32.self, at: 0), group: nest[2]?.number(UInt32.self, at: 0),
      isTap: nest[3]?.first == 2)
  }
}

/// `IFLA_*`, `linux/if_link.h`.
private enum LinkAttribute {
  static let address = 1
  static let name = 3
  static let mtu = 4
  static let link = 5
  static let master = 10
  static let info = 18
  static let group = 27
  static let linkNamespace = 37
  static let xdp = 43
}
