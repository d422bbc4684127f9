import CLinux
import ConnectionReplay
import NetworkTypes

/// One end of a pair of virtual Ethernet links.
struct PairEnd {
  /// The name, at most 15 bytes.
  var name: String
  /// Six bytes, the lowest bit of the first one zero.
  var hardwareAddress: [UInt8]
}

extension RouteSocket {
  /// Makes a pair of links: one end here, the other in `namespace`.
  func makePair(
    _ here: PairEnd, _ there: PairEnd, in namespace: NetworkNamespace
  ) throws(LinuxError) {
    let create = NLM_F_CREATE | NLM_F_EXCL
    try perform("make the link \(here.name)", type: Int(RTM_NEWLINK), flags: create) {
      $0.appendLinkHeader()
      $0.attribute(Int(IFLA_IFNAME), text: here.name)
      $0.attribute(Int(IFLA_ADDRESS), here.hardwareAddress)
      $0.nested(Int(IFLA_LINKINFO)) {
        $0.attribute(Int(IFLA_INFO_KIND), text: "veth")
        $0.nested(Int(IFLA_INFO_DATA)) {
          $0.nested(Int(VETH_INFO_PEER)) {
            $0.appendLinkHeader()
            $0.attribute(Int(IFLA_IFNAME), text: there.name)
            $0.attribute(Int(IFLA_ADDRESS), there.hardwareAddress)
            $0.attribute(Int(IFLA_NET_NS_FD), number: namespace.descriptor.number)
          }
        }
      }
    }
  }

  /// Turns a link on.
  func setUp(_ link: NetworkLink) throws(LinuxError) {
    try perform("turn on \(link.name)", type: Int(RTM_NEWLINK)) {
      $0.appendLinkHeader(index: link.index, flags: 1, change: 1)
    }
  }

  /// Keeps the kernel from giving the link an IPv6 address of its own making.
  func disableGeneratedAddresses(_ link: NetworkLink) throws(LinuxError) {
    try perform("configure \(link.name)", type: Int(RTM_NEWLINK)) {
      $0.appendLinkHeader(index: link.index)
      $0.nested(Int(IFLA_AF_SPEC)) {
        $0.nested(Int(Family.ipv6.rawValue)) {
          $0.attribute(Int(IFLA_INET6_ADDR_GEN_MODE), number: UInt8(1))  // none
        }
      }
    }
  }

  /// Adds an address, without a route to its network and without duplicate detection.
  ///
  /// With a prefix shorter than 31 bits an IPv4 address brings its directed broadcast.
  func addAddress(
    _ address: IPAddress, prefixLength: UInt8, to link: NetworkLink
  ) throws(LinuxError) {
    let noDuplicateDetection: UInt32 = 0x02
    let noPrefixRoute: UInt32 = 0x200
    let create = NLM_F_CREATE | NLM_F_EXCL
    try perform("add the address \(address)", type: Int(RTM_NEWADDR), flags: create) {
      $0.append(address.family.rawValue)
      $0.append(prefixLength)
      $0.append(UInt16(0))
      $0.append(link.index)
      $0.attribute(Int(IFA_LOCAL), address.networkOrderBytes)
      $0.attribute(Int(IFA_ADDRESS), address.networkOrderBytes)
      $0.attribute(Int(IFA_FLAGS), number: noDuplicateDetection | noPrefixRoute)
    }
  }

  /// Adds a route to `destination`/`prefixLength` by `link`.
  ///
  /// With `gateway`, by that neighbour, which need not be in a network of the link.
  func addRoute(
    _ destination: IPAddress, prefixLength: UInt8, by link: NetworkLink,
    gateway: IPAddress? = nil, kind: Route.Kind = .unicast, table: UInt8 = 254
  ) throws(LinuxError) {
    let scope: UInt8 = kind == .local ? 254 : gateway == nil ? 253 : 0
    let create = NLM_F_CREATE | NLM_F_EXCL
    try perform("add a route to \(destination)", type: Int(RTM_NEWROUTE), flags: create) {
      $0.append(destination.family.rawValue)
      $0.append(prefixLength)
      $0.append(UInt16(0))
      $0.append(table)
      $0.append(UInt8(RTPROT_STATIC))
      $0.append(scope)
      $0.append(kind.rawValue)
      $0.append(UInt32(gateway == nil ? 0 : RTNH_F_ONLINK))
      if prefixLength > 0 {
        $0.attribute(Int(RTA_DST.rawValue), destination.networkOrderBytes)
      }
      $0.attribute(Int(RTA_OIF.rawValue), number: link.index)
      if let gateway { $0.attribute(Int(RTA_GATEWAY.rawValue), gateway.networkOrderBytes) }
    }
  }

  /// Adds a neighbour that never expires, so that nobody is asked for its hardware address.
  func addNeighbour(
    _ address: IPAddress, hardwareAddress: [UInt8], on link: NetworkLink
  ) throws(LinuxError) {
    let create = NLM_F_CREATE | NLM_F_REPLACE
    try perform("add the neighbour \(address)", type: Int(RTM_NEWNEIGH), flags: create) {
      $0.append(address.family.rawValue)
      $0.append(UInt8(0))
      $0.append(UInt16(0))
      $0.append(link.index)
      $0.append(UInt16(NUD_PERMANENT))
      $0.append(UInt16(0))
      $0.attribute(Int(NDA_DST), address.networkOrderBytes)
      $0.attribute(Int(NDA_LLADDR), hardwareAddress)
    }
  }
}

extension RouteMessage {
  /// Appends `struct ifinfomsg`, 16 bytes.
  mutating func appendLinkHeader(index: Int32 = 0, flags: UInt32 = 0, change: UInt32 = 0) {
    append(UInt32(0))
    append(index)
    append(flags)
    append(change)
  }
}
