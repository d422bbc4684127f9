import Bytecode
import BytecodeInterpreter
import NetworkTypes
import PacketSets
import PolicyLanguage
import PolicyMeaning
import SymbolicAnalysis

/// A packet that speaks against a claim, seen by the other reader of the rules as well.
struct Witness {
  /// What the interpreter, which shares no code with the symbolic analysis, makes of the packet.
  enum Agreement {
    /// The same.
    case agrees
    /// Something else.
    case disagrees(String)
    /// It cannot decide.
    case undecided(String)
  }

  var finding: AuditFinding
  var agreement: Agreement
}

/// The links of a witness, as rules see them.
struct WitnessLinks {
  var input: Link?
  var output: Link?
  /// The number of the socket's cgroup at the level that rules ask for.
  var cgroup: (id: [UInt8], level: UInt32)?
}

/// Puts packets that the symbolic analysis found into words, and asks the interpreter about them.
struct WitnessReader {
  private let subject: AuditSubject
  /// Nil for a ruleset that no kernel would hold.
  private let interpreter: Interpreter?
  /// Nil when packets are not to be replayed.
  private let confirmer: Confirmer?

  init(_ subject: AuditSubject, confirms: Bool) {
    self.subject = subject
    confirmer = confirms ? Confirmer(subject: subject) : nil
    interpreter = try? Interpreter(
      ruleset: subject.ruleset, kernel: subject.quirks.interpreter)
  }

  /// Plausible values first: a packet that people recognise.
  static func preferences(_ field: PacketField, _ point: PacketPoint) -> [UInt32] {
    let isIPv6 = point[.family] == 1
    switch field {
    case .conntrackState: return [3, 1, 4]
    case .inputInterface, .outputInterface: return [2, 3, 1]
    case .socket: return [1]
    case .socketUser, .socketGroup: return [1000, 65534]
    case .fragment: return [0, 0x4000, 0x8000]
    case .firstNextHeader: return isIPv6 ? [6, 17, 58, 47, 253] : [0]
    case .transportProtocol:
      return isIPv6 ? [point[.firstNextHeader], 6, 17, 58] : [6, 17, 1, 47, 253]
    case .transportLength: return [64, 20, 8]
    case .destinationType: return [1]
    case .sourceType: return [2, 1]
    case .destination0: return isIPv6 ? [0x2001_0db8, 0x2606_4700] : [0]
    case .destination1: return isIPv6 ? [0xffff_0000, 0] : [0]
    case .destination3: return isIPv6 ? [1] : [0xc633_6401, 0xc000_0201, 0x0101_0101]
    case .source0: return isIPv6 ? [0x2001_0db8] : [0]
    case .source1: return isIPv6 ? [0x00aa_0000] : [0]
    case .source3: return isIPv6 ? [2] : [0xc000_0202]
    case .destinationPort: return [443, 80, 53, 22]
    case .sourcePort:
      switch point[.transportProtocol] {
      case 1: return [0x0800]
      case 58: return [0x8000]
      default: return [40000, 1024]
      }
    case .tcpFlags: return point[.transportProtocol] == 6 ? [2, 0x10] : [0]
    case .hopLimit: return [64, 255, 1]
    default: return [0]
    }
  }

  /// Describes a packet that comes through, or that is held back when `isBlocked`.
  func read(
    _ point: PacketPoint, _ way: PacketWay, _ links: WitnessLinks, isBlocked: Bool,
    _ message: String, _ ruling: Ruling?
  ) -> Witness {
    var finding = AuditFinding(message, facts: point.facts(links))
    finding.packet = "\(FlowText(point.flow(way)))"
    finding.bytes = point.bytes.map { $0.map(\.hexadecimal).joined() }
    finding.clause = ruling?.clause
    finding.at = ruling?.location.map { "\($0)" }
    guard let interpreter else {
      return Witness(
        finding: finding, agreement: .undecided("the interpreter cannot run these rules"))
    }
    guard let packet = point.context(links) else {
      return Witness(
        finding: finding, agreement: .undecided("the packet cannot be written as bytes"))
    }
    let passage = interpreter.passage(of: packet, path: way.path, in: .asRead)
    finding.path = passage.trace.compactMap { subject.ruleset.step($0) }
    finding.confirmation = confirmer?.confirmation(point, way, links, isBlocked: isBlocked)
    switch passage.fate {
    case .passes(let passed):
      if !isBlocked, let bytes = point.bytes, passed.bytes != bytes {
        finding.facts.append("as it leaves: \(passed.bytes.map(\.hexadecimal).joined())")
        if let end = passed.bytes.destinationAddress {
          finding.message += ", after its destination became \(end)"
        }
      }
      return Witness(
        finding: finding,
        agreement: isBlocked ? .disagrees("the interpreter lets it pass") : .agrees)
    case .dropped, .rejected, .stolen:
      return Witness(
        finding: finding,
        agreement: isBlocked ? .agrees : .disagrees("the interpreter sees it dropped"))
    case .queued:
      return Witness(finding: finding, agreement: .undecided("a rule gives it to user space"))
    case .cannotDecide(let obstacles):
      return Witness(
        finding: finding,
        agreement: .undecided(obstacles.map(\.description).joined(separator: "; ")))
    }
  }
}

extension Surroundings {
  /// No time has passed since the rules were read, and sets hold what they held.
  static var asRead: Surroundings {
    var surroundings = Surroundings()
    surroundings.elapsedMilliseconds = 0
    surroundings.areDynamicSetsAsRead = true
    return surroundings
  }
}

extension Ruleset {
  /// A rule that had a part in the packet's way; nil for one that broke.
  func step(_ visited: VisitedRule) -> PathStep? {
    let verdict: String
    switch visited.result {
    case .broke: return nil
    case .verdict(let value): verdict = value.text
    case .reject: verdict = "reject"
    case .queue: verdict = "queue"
    case .stolen: verdict = "stolen"
    case .policy(let value): verdict = "policy \(value.text)"
    }
    let place = visited.place
    let text = text(of: place) ?? "policy \(verdict)"
    return PathStep(
      table: "\(place.family.keyword) \(place.table)", chain: place.chain, handle: place.handle,
      rule: text, verdict: verdict)
  }

  /// A rule as nft writes it, or as a listing of its bytecode where nft has no words; nil for the
  /// end of a chain.
  fileprivate func text(of place: RulePlace) -> String? {
    guard let index = place.ruleIndex,
      let table = tables.first(where: { $0.family == place.family && $0.name == place.table })
    else { return nil }
    let rules = table.chains.first { $0.name == place.chain }?.rules ?? []
    return rules.indices.contains(index) ? rules[index].readable(in: table) : nil
  }
}

extension Verdict {
  /// As nft writes it.
  fileprivate var text: String {
    switch self {
    case .accept: "accept"
    case .drop: "drop"
    case .continue: "continue"
    case .break: "break"
    case .return: "return"
    case .jump(let chain): "jump \(chain)"
    case .goto(let chain): "goto \(chain)"
    }
  }
}

extension PacketWay {
  var path: Path {
    switch self {
    case .egress: .output
    case .forwarding: .forward
    case .ingress: .input
    }
  }
}

extension PacketPoint {
  /// The flow that the packet's addresses and ports name.
  func flow(_ way: PacketWay) -> Flow {
    let isInbound = way == .ingress
    let ipProtocol = IPProtocol(rawValue: UInt8(min(self[.transportProtocol], 255)))
    var flow = Flow(
      direction: isInbound ? .inbound : .outbound, ipProtocol: ipProtocol,
      localAddress: isInbound ? destination : source,
      remoteAddress: isInbound ? source : destination,
      isLinkBroadcast: self[.destinationType] == 3 && destination != .v4(.max))
    if ipProtocol.hasPorts && self[.fragment] & 0x1fff == 0 && self[.transportLength] >= 4 {
      let ports = (UInt16(self[.sourcePort]), UInt16(self[.destinationPort]))
      flow.localPort = isInbound ? ports.1 : ports.0
      flow.remotePort = isInbound ? ports.0 : ports.1
    }
    return flow
  }

  /// What the packet is beyond its flow, where that is not the usual.
  func facts(_ links: WitnessLinks) -> [String] {
    let states = ["invalid", "established", "related", "new", "untracked"]
    var facts = ["ct state \(states[Int(min(self[.conntrackState], 4))])"]
    if self[.conntrackDirection] == 1 { facts.append("ct direction reply") }
    if conntrackMark != 0 { facts.append("ct mark \(conntrackMark)") }
    if conntrackStatus != 0 { facts.append("ct status \(conntrackStatus)") }
    if mark != 0 { facts.append("mark \(mark)") }
    if self[.socket] == 1 {
      facts.append("skuid \(self[.socketUser])")
    } else {
      facts.append("no socket")
    }
    if let link = links.input { facts.append("iifname \(link.name)") }
    if let link = links.output { facts.append("oifname \(link.name)") }
    if self[.fragment] & 0x1fff != 0 {
      facts.append("later fragment")
    } else if self[.fragment] & 0x2000 != 0 {
      facts.append("first fragment")
    }
    if self[.routingHeader] == 1 { facts.append("IPv6 routing header") }
    if family == .ipv6, self[.firstNextHeader] != self[.transportProtocol] {
      facts.append("first next header \(self[.firstNextHeader])")
    }
    if self[.transportProtocol] == 256 {
      facts.append("headers that lead to no protocol")
    } else if self[.transportLength] < 8 {
      facts.append("\(self[.transportLength]) bytes of transport header")
    }
    switch self[.transportProtocol] {
    case 6 where self[.tcpFlags] != 2:
      facts.append("TCP flags 0x\(UInt8(self[.tcpFlags]).hexadecimal)")
    case 1, 58: facts.append("ICMP type \(self[.sourcePort] >> 8)")
    default: break
    }
    if self[.hopLimit] != 64 { facts.append("hop limit \(self[.hopLimit])") }
    return facts
  }

  /// The packet for the interpreter; nil for one that no bytes can say.
  func context(_ links: WitnessLinks) -> PacketContext? {
    guard let bytes else { return nil }
    let states: [ConntrackState] = [.invalid, .established, .related, .new, .untracked]
    let state = states[Int(self[.conntrackState])]
    var packet = PacketContext(family: family, bytes: bytes, ctState: state)
    let isTracked = state != .invalid && state != .untracked
    packet.isFirstOfFlow = isTracked ? .known(state == .new) : .absent
    packet.ctDirection = isTracked ? .known(UInt8(self[.conntrackDirection])) : .absent
    packet.ctStatus = isTracked ? .known(conntrackStatus) : .absent
    packet.ctMark = isTracked ? .known(conntrackMark) : .absent
    packet.inputInterface = Self.interface(self[.inputInterface], links.input)
    packet.outputInterface = Self.interface(self[.outputInterface], links.output)
    let hasSocket = self[.socket] == 1
    packet.socketUser = hasSocket ? .known(self[.socketUser]) : .absent
    packet.socketGroup = hasSocket ? .known(self[.socketGroup]) : .absent
    if let cgroup = links.cgroup {
      packet.state(
        .socket(SocketLoad(.cgroupv2, level: cgroup.level, into: Register(word: 0))),
        as: hasSocket ? .known(cgroup.id) : .absent)
    }
    packet.mark = .known(mark)
    packet.packetType = .known(UInt8(self[.packetType]))
    packet.sourceType = .known(self[.sourceType])
    packet.destinationType = .known(self[.destinationType])
    packet.isExemptFromReassembly = self[.fragment] & 0x3fff != 0
    return packet
  }

  private static func interface(_ value: UInt32, _ link: Link?) -> Fact<NetworkInterface> {
    if value == 0 { return .absent }
    let link = link ?? Link(index: 0x7fff_ffff, name: "other")
    return .known(NetworkInterface(index: link.index, name: link.name))
  }
}

extension UInt8 {
  /// Two hexadecimal digits.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef")
    return String([digits[Int(self >> 4)], digits[Int(self & 15)]])
  }
}

extension [UInt8] {
  /// The destination of an IP packet.
  fileprivate var destinationAddress: IPAddress? {
    guard let version = first.map({ $0 >> 4 }) else { return nil }
    return version == 4 && count >= 20
      ? IPAddress(networkOrderBytes: Array(self[16..<20]))
      : version == 6 && count >= 40 ? IPAddress(networkOrderBytes: Array(self[24..<40])) : nil
  }
}
