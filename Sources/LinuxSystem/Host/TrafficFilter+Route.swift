import ConnectionReplay
import HostFacts

extension RouteSocket {
  /// Every classifier of the namespace, by link, place and priority.
  ///
  /// Asks at the hooks of `clsact` and `ingress` and at every other queueing discipline with a
  /// handle.
  func trafficFilters() throws(LinuxError) -> [TrafficFilter] {
    var found: [TrafficFilter] = []
    let disciplines = try exchange("list queueing disciplines", type: 38, flags: 0x300) {
      $0.appendTrafficHeader()
    }
    for discipline in disciplines {
      guard let link = discipline.payload.number(Int32.self, at: 4),
        let handle = discipline.payload.number(UInt32.self, at: 8)
      else { throw .malformedReply(operation: "list queueing disciplines") }
      let parents: [UInt32] =
        switch discipline.attributes(after: 20)[1]?.text {
        case "clsact": [0xffff_fff2, 0xffff_fff3]
        case "ingress": [0xffff_0000]
        default: handle == 0 ? [] : [handle]
        }
      for parent in parents { found += try trafficFilters(link: link, parent: parent) }
    }
    return found.sorted {
      ($0.link, $0.parent, $0.priority, $0.kind) < ($1.link, $1.parent, $1.priority, $1.kind)
    }
  }

  private func trafficFilters(link: Int32, parent: UInt32) throws(LinuxError) -> [TrafficFilter] {
    do throws(LinuxError) {
      return try exchange("list traffic filters", type: 46, flags: 0x300) {
        $0.appendTrafficHeader(link: link, parent: parent)
      }.compactMap { TrafficFilter($0) }
    } catch .refused(_, .invalidArgument) where parent < 0xffff_0000 {
      return []  // a discipline without classes has no filters
    } catch .refused(_, ErrorNumber(rawValue: 95)) where parent < 0xffff_0000 {
      return []
    }
  }
}

extension TrafficFilter {
  /// Reads one `RTM_NEWTFILTER` message; nil for the head of a classifier that has no entry.
  ///
  /// Source: `tcf_fill_node`, `net/sched/cls_api.c`.
  init?(_ reply: RouteReply) {
    let head = reply.payload
    guard reply.type == 44, let link = head.number(Int32.self, at: 4),
      let handle = head.number(UInt32.self, at: 8), let parent = head.number(UInt32.self, at: 12),
      let info = head.number(UInt32.self, at: 16)
    else { return nil }
    let attributes = reply.attributes(after: 20)
    guard let kind = attributes[1]?.text, handle != 0 else { return nil }
    let options = attributes[2]?.attributes() ?? [:]
    let nest: ArraySlice<UInt8>? =
      switch kind {
      case "bpf": options[1]
      case "u32": options[7]
      case "flower": options[3]
      case "matchall", "cgroup": options[kind == "cgroup" ? 1 : 2]
      default: nil
      }
    let actions = (nest?.attributes() ?? [:]).sorted { $0.key < $1.key }
      .compactMap { $0.value.attributes()[1]?.text }
    self.init(
      link: link, parent: parent, kind: kind,
      etherType: UInt16(bigEndian: UInt16(info & 0xffff)), priority: UInt16(info >> 16),
      program: kind == "bpf" ? options[7]?.text : nil, actions: actions)
  }
}

extension RouteMessage {
  /// Appends `struct tcmsg`, 20 bytes.
  fileprivate mutating func appendTrafficHeader(link: Int32 = 0, parent: UInt32 = 0) {
    append(UInt32(0))
    append(link)
    append(UInt32(0))
    append(parent)
    append(UInt32(0))
  }
}
