import Bytecode
import BytecodeInterpreter
import ConnectionReplay
import HostFacts
import LinuxSystem
import NetworkTypes
import PacketSets
import SymbolicAnalysis

/// Replays packets in a throw-away namespace that has the snapshot's own rules.
struct Confirmer {
  let subject: AuditSubject

  /// Replays a packet of this host, as far as a sandbox can give what it takes.
  ///
  /// What the sandbox gives is a raw socket of this process, whose packets belong to no known flow;
  /// where the interpreter sees such a packet otherwise than the one that was found, it is not sent.
  func confirmation(
    _ point: PacketPoint, _ way: PacketWay, _ links: WitnessLinks, isBlocked: Bool
  ) -> Confirmation {
    guard way == .egress else {
      return Confirmation(agrees: nil, seen: "a sandbox sends packets of its own host only")
    }
    guard let bytes = point.bytes, let link = links.output, link.name != "lo" else {
      return Confirmation(agrees: nil, seen: "a sandbox has no such link or packet")
    }
    if let obstacle = obstacle(point, bytes, link, isBlocked: isBlocked) {
      return Confirmation(agrees: nil, seen: obstacle)
    }
    do {
      if UserNamespace.isNeeded { try UserNamespace.enter() }
      let sandbox = try PacketSandbox(linkName: link.name)
      let notes = try sandbox.inside.run { () throws -> [String] in
        let others = subject.host.links.value?.filter { $0.name != link.name } ?? []
        return try subject.snapshot.loadCopy(
          links: others.map { PlaceholderLink(name: $0.name) })
      }
      let seen = try sandbox.observe(
        packet: bytes, to: point.destination, mark: point.mark,
        bypassesReassembly: point[.fragment] & 0x3fff != 0)
      return Confirmation(seen, isBlocked: isBlocked, notes: notes)
    } catch {
      return Confirmation(agrees: nil, seen: "\(error)")
    }
  }

  /// Why the packet as a sandbox sends it is not the one that was found; nil when it is.
  private func obstacle(
    _ point: PacketPoint, _ bytes: [UInt8], _ link: Link, isBlocked: Bool
  ) -> String? {
    guard
      let interpreter = try? Interpreter(
        ruleset: subject.ruleset, kernel: subject.quirks.interpreter)
    else { return "the interpreter cannot run these rules" }
    var packet = PacketContext(family: point.family, bytes: bytes)
    packet.trackAsFirst()
    packet.isExemptFromReassembly = point[.fragment] & 0x3fff != 0
    packet.inputInterface = .absent
    packet.outputInterface = .known(NetworkInterface(index: link.index, name: link.name))
    packet.mark = .known(point.mark)
    packet.packetType = .known(0)
    let addresses = SandboxAddresses()
    packet.destinationType = .known(addresses.routeType(of: point.destination))
    packet.sourceType = .known(addresses.routeType(of: point.source))
    // The user is this process's own, as the sandbox's user namespace sees it.
    packet.socketUser = .unknown
    packet.socketGroup = .unknown
    var surroundings = Surroundings()
    surroundings.elapsedMilliseconds = 0
    surroundings.areDynamicSetsAsRead = true
    let passage = interpreter.passage(of: packet, path: .output, in: surroundings)
    switch passage.fate {
    case .passes: return isBlocked ? "it takes a flow, a user or a route that a sandbox lacks" : nil
    case .dropped, .rejected, .stolen:
      return isBlocked ? nil : "it takes a flow, a user or a route that a sandbox lacks"
    case .queued: return "a rule gives it to user space"
    case .cannotDecide(let obstacles):
      return "in a sandbox it depends on more: "
        + obstacles.map(\.description).joined(separator: "; ")
    }
  }
}

extension Confirmation {
  /// What an observation says about a packet that should leave, or be held back.
  fileprivate init(_ seen: SingleObservation, isBlocked: Bool, notes: [String]) {
    let left = !seen.seen.isEmpty
    let text =
      if let refusal = seen.refusal {
        "the kernel refused it: \(refusal)"
      } else if let packet = seen.seen.first {
        "the kernel let it out: \(packet.count) bytes seen on the wire"
      } else {
        "the kernel took it and nothing left"
      }
    let beyond = notes.isEmpty ? "" : " (" + notes.joined(separator: "; ") + ")"
    self.init(agrees: left != isBlocked, seen: text + beyond)
  }
}
