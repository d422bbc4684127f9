import Bytecode
import NetworkTypes

/// Address translation as expressions ask for it; the walk carries it out.
extension Program {
  /// Source: `nft_nat_eval`, `nft_masq_eval`, `nft_redir_eval`, `net/netfilter/nft_*.c`.
  func translate(
    _ instruction: Instruction, _ packet: borrowing PacketContext, _ state: inout MachineState
  ) -> Signal {
    guard let rare = state.rare else { return .undecided }
    let plan = translations[Int(instruction.index)]
    if let family = plan.family, family != packet.family { return .next }
    var translation = Translation()
    translation.isRandom = plan.flags & 0x14 != 0
    translation.isShifted = plan.flags & 0x20 != 0
    if let word = plan.port {
      let low = UInt16(state.registers[word] >> 16)
      let high = UInt16(state.registers[plan.portMax ?? word] >> 16)
      translation.ports = min(low, high)...max(low, high)
    }
    switch plan.kind {
    case .source, .destination:
      if let word = plan.address {
        let low = address(at: word, packet.family, &state.registers)
        let high = address(at: plan.addressMax ?? word, packet.family, &state.registers)
        guard low <= high else { return obstacle("the lowest address is above the highest", rare) }
        translation.addresses = low...high
      }
      if plan.flags & 0x40 != 0 { mapPrefix(plan, packet.family, state.bytes, &translation) }
    case .masquerade, .redirect: break
    }
    return carryOut(translation, plan.kind, packet, rare)
  }

  /// Leaves the translation to the walk, with the address that masquerade and redirect choose.
  func carryOut(
    _ wanted: Translation, _ kind: TranslationPlan.Kind, _ packet: borrowing PacketContext,
    _ rare: RareState
  ) -> Signal {
    var translation = wanted
    switch kind {
    case .source, .destination: break
    case .masquerade:
      guard case .known(let device) = packet.outputInterface,
        let ask = rare.surroundings.masqueradeAddress,
        case .known(let address) = ask(device, packet.family)
      else { return obstacle("the address that masquerade takes is not stated", rare) }
      translation.addresses = address...address
    case .redirect:
      guard let address = redirected(packet, rare) else {
        return obstacle("the address of the input interface is not stated", rare)
      }
      translation.addresses = address...address
    }
    rare.translation = translation
    return .end(.accept)
  }

  private func address(
    at word: Int, _ family: Family, _ registers: inout Registers
  ) -> IPAddress {
    family == .ipv4 ? .v4(registers[word]) : .v6(registers.number(word, 16))
  }

  /// The host part of the packet's own address in the network of the range.
  ///
  /// Source: `nft_nat_setup_netmap`, `net/netfilter/nft_nat.c`.
  private func mapPrefix(
    _ plan: TranslationPlan, _ family: Family, _ bytes: [UInt8], _ translation: inout Translation
  ) {
    guard let range = translation.addresses, let ends = PacketEnds(bytes, family) else { return }
    let own = plan.kind == .source ? ends.source : ends.destination
    let mapped: IPAddress? =
      switch (range.lowerBound, range.upperBound, own) {
      case (.v4(let low), .v4(let high), .v4(let own)):
        .v4(own & (low ^ high) | low & ~(low ^ high))
      case (.v6(let low), .v6(let high), .v6(let own)):
        .v6(own & (low ^ high) | low & ~(low ^ high))
      default: nil
      }
    if let mapped { translation.addresses = mapped...mapped }
  }

  /// Source: `nf_nat_redirect_ipv4`, `nf_nat_redirect_ipv6`, `net/netfilter/nf_nat_redirect.c`.
  private func redirected(_ packet: borrowing PacketContext, _ rare: RareState) -> IPAddress? {
    if rare.hook == .output { return packet.family == .ipv4 ? .v4(0x7f00_0001) : .v6(1) }
    guard case .known(let device) = packet.inputInterface,
      let ask = rare.surroundings.masqueradeAddress,
      case .known(let address) = ask(device, packet.family)
    else { return nil }
    return address
  }

  /// Notes why the rule is not decided.
  func obstacle(_ reason: String, _ rare: RareState) -> Signal {
    rare.missing = reason
    return .undecided
  }
}
