import Bytecode
import NetworkTypes

/// Loads that have no instruction of their own.
extension Program {
  func loadOther(
    _ instruction: Instruction, _ packet: borrowing PacketContext, _ headers: PacketHeaders,
    _ state: inout MachineState
  ) -> Signal {
    let load = others[Int(instruction.index)]
    let word = Int(instruction.register)
    switch found(by: load, instruction, packet, headers, &state) {
    case .unknown: return .undecided
    case .absent: return .breakRule
    case .known(let bytes):
      guard bytes.count <= (16 - word) * 4 else { return .undecided }
      state.registers.store(bytes.span, 0, bytes.count, into: word)
      return .next
    }
  }

  private func found(
    by load: Expression, _ instruction: Instruction, _ packet: borrowing PacketContext,
    _ headers: PacketHeaders, _ state: inout MachineState
  ) -> Fact<[UInt8]> {
    if let changed = state.rare?.changes[load] { return changed }
    switch load {
    case .meta(let meta): return meta.found(packet, state.rare) ?? stated(load, packet)
    case .ct(let ct):
      if state.ctState == .invalid || state.ctState == .untracked { return .absent }
      return found(ct, packet, state.rare) ?? stated(load, packet)
    case .hash(let hash):
      guard hash.kind == .jenkins, let source = hash.source, let seed = hash.seed else {
        return stated(load, packet)
      }
      let bytes = state.registers.bytes(source.word, Int(hash.lengthBytes))
      let number =
        JenkinsHash.scale(JenkinsHash.hash(bytes, seed: seed), hash.modulus) &+ hash.offset
      return .known(hostOrder(number))
    case .numberGenerator(let generator) where generator.modulus == 1:
      return .known(hostOrder(generator.offset))
    case .extensionHeader(let header):
      return found(header, packet.family, headers, state.bytes, packet)
    case .fingerprint:
      guard packet.family == .ipv4, headers.transportProtocol == 6 else { return .absent }
      return stated(load, packet)
    case .payload(let payload) where payload.base == .link:
      return found(payload, packet, state.bytes)
    default: return stated(load, packet)
    }
  }

  private func stated(
    _ load: Expression, _ packet: borrowing PacketContext
  ) -> Fact<[UInt8]> {
    packet.stated[load] ?? .unknown
  }

  // MARK: Link-layer header

  private func found(
    _ load: PayloadLoad, _ packet: borrowing PacketContext, _ bytes: [UInt8]
  ) -> Fact<[UInt8]> {
    switch packet.linkHeader {
    case .unknown: return .unknown
    case .absent: return .absent
    case .known(let header):
      let all = header + bytes
      let start = Int(load.offsetBytes)
      guard !header.isEmpty, start + Int(load.lengthBytes) <= all.count else { return .absent }
      return .known(Array(all[start..<start + Int(load.lengthBytes)]))
    }
  }

  // MARK: Options

  private func found(
    _ load: ExtensionHeaderLoad, _ family: Family, _ headers: PacketHeaders, _ bytes: [UInt8],
    _ packet: borrowing PacketContext
  ) -> Fact<[UInt8]> {
    let offset = Int(load.offsetBytes)
    let length = Int(load.lengthBytes)
    let missing: Fact<[UInt8]> = load.isPresence ? .known([0]) : .absent
    func value(_ place: Int) -> Fact<[UInt8]> {
      if load.isPresence { return .known([1]) }
      guard place + offset + length <= bytes.count else { return .absent }
      return .known(Array(bytes[place + offset..<place + offset + length]))
    }
    switch load.operation {
    case 1:
      guard
        let found = OptionWalk.tcp(load.type, needed: offset + length, bytes, headers)
      else { return missing }
      return value(found.place)
    case 2:
      guard family == .ipv4 else { return .absent }
      switch OptionWalk.ipv4(load.type, bytes) {
      case .missing: return missing
      case .unknown: return .unknown
      case .at(let place): return value(place)
      }
    case 3:
      guard let found = OptionWalk.sctp(load.type, bytes, headers, kernel) else { return missing }
      if load.isPresence { return .known([1]) }
      guard offset + length <= found.length, found.place + found.length <= bytes.count else {
        return .absent
      }
      return value(found.place)
    case 4: return .known([OptionWalk.dccp(load.type, bytes, headers) ? 1 : 0])
    default: return stated(.extensionHeader(load), packet)
    }
  }

  // MARK: Conntrack

  /// What the packet's entry says; nil where it must be stated.
  private func found(
    _ load: ConntrackLoad, _ packet: borrowing PacketContext, _ rare: RareState?
  ) -> Fact<[UInt8]>? {
    let flow: TrackedFlow
    switch rare?.flow ?? packet.flow {
    case .known(let known): flow = known
    case .absent: return .absent
    case .unknown: return nil
    }
    let direction = load.direction == 1 ? flow.reply : flow.original
    let isFour = direction.source.family == .ipv4
    switch load.key {
    case .l3protocol: return .known([isFour ? 2 : 10])
    case .protocol: return .known([direction.ipProtocol])
    case .source: return .known(direction.source.networkOrderBytes)
    case .destination: return .known(direction.destination.networkOrderBytes)
    case .sourcePort: return .known(networkOrder(direction.sourcePort))
    case .destinationPort: return .known(networkOrder(direction.destinationPort))
    case .sourceIPv4: return isFour ? .known(direction.source.networkOrderBytes) : .absent
    case .destinationIPv4:
      return isFour ? .known(direction.destination.networkOrderBytes) : .absent
    case .sourceIPv6: return isFour ? .absent : .known(direction.source.networkOrderBytes)
    case .destinationIPv6:
      return isFour ? .absent : .known(direction.destination.networkOrderBytes)
    default: return nil
    }
  }
}

extension MetaLoad {
  /// What follows from other facts; nil where it must be stated.
  fileprivate func found(
    _ packet: borrowing PacketContext, _ rare: RareState?
  ) -> Fact<[UInt8]>? {
    switch key {
    case .iiftype:
      // The kernel looks at the device that the packet is on, not at where it came in.
      switch rare?.hook {
      case .output: return .absent
      case .postrouting, .egress:
        return packet.outputInterface == .absent
          ? .absent : packet.stated[.meta(MetaLoad(.oiftype, into: Register(word: 0)))] ?? .unknown
      default: return packet.inputInterface == .absent ? .absent : nil
      }
    case .iifgroup, .iifkind: return packet.inputInterface == .absent ? .absent : nil
    case .oiftype, .oifgroup, .oifkind: return packet.outputInterface == .absent ? .absent : nil
    case .time:
      guard let clock = rare?.surroundings.clockNanoseconds else { return nil }
      return .known(hostOrder(UInt32(clock & 0xffff_ffff)) + hostOrder(UInt32(clock >> 32)))
    case .hour:
      guard let clock = rare?.surroundings.clockNanoseconds else { return nil }
      return .known(hostOrder(UInt32(clock / 1_000_000_000 % 86_400)))
    default: return nil
    }
  }
}

/// A number of 4 bytes as a little-endian machine stores it.
func hostOrder(_ number: UInt32) -> [UInt8] {
  (0..<4).map { UInt8(number >> (8 * UInt32($0)) & 0xff) }
}

/// A number of 2 bytes in network order.
func networkOrder(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }
