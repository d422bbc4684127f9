import Bytecode
import NetworkTypes

/// Targets of xtables.
///
/// Source: `nft_target_eval_xt`, `net/netfilter/nft_compat.c`.
extension Program {
  func run(
    _ target: TargetValue, _ packet: borrowing PacketContext, _ state: inout MachineState
  ) -> Signal {
    switch target {
    case .log, .nflog, .trace, .checksum: return .next
    case .reject: return .end(.drop)
    case .mark(let value, let mask):
      if mask == .max {
        state.mark = .known(value)
      } else {
        state.mark = (state.mark == .absent ? .known(0) : state.mark).map { $0 & ~mask ^ value }
      }
      return .next
    case .connmark(let connmark): return run(connmark, &state)
    case .classify(let priority):
      state.rare?.changes[.meta(MetaLoad(.priority, into: Register(word: 0)))] =
        .known(hostOrder(priority))
      return .next
    case .queue: return .end(.queue)
    case .notrack: return exempt(&state)
    case .ct(let ct):
      if ct.isNotrack { return exempt(&state) }
      guard let rare = state.rare else { return .undecided }
      return ct.zone == 0 && ct.zoneFlags == 0
        ? .next : obstacle("what conntrack finds in another zone is not stated", rare)
    case .destinationNAT(let nat): return translate(nat, .destination, packet, &state)
    case .sourceNAT(let nat): return translate(nat, .source, packet, &state)
    case .masquerade(let nat): return translate(nat, .masquerade, packet, &state)
    case .redirect(let nat): return translate(nat, .redirect, packet, &state)
    case .netmap, .tcpMSS: return .undecided
    }
  }

  /// Source: `xt_ct_target`, `notrack_tg`, `net/netfilter/xt_CT.c`.
  func exempt(_ state: inout MachineState) -> Signal {
    guard let rare = state.rare else { return .undecided }
    let hasEntry = rare.isPastConntrack && rare.ctDirection != .absent
    if state.ctState == .invalid, !hasEntry { state.ctState = .untracked }
    return .next
  }

  /// Source: `connmark_tg_shift`, `net/netfilter/xt_connmark.c`.
  private func run(_ connmark: ConnmarkTarget, _ state: inout MachineState) -> Signal {
    guard let rare = state.rare, let ctState = state.ctState else { return .undecided }
    guard ctState != .invalid, ctState != .untracked else { return .next }
    func shift(_ value: UInt32) -> UInt32 {
      connmark.shift >= 0 ? value << UInt32(connmark.shift) : value >> UInt32(-connmark.shift)
    }
    let packetMark = state.mark == .absent ? .known(0) : state.mark
    switch connmark.mode {
    case 0:
      rare.ctMark = rare.ctMark.map { shift($0 & ~connmark.flowMask ^ connmark.value) }
    case 1:
      guard case .known(let mark) = packetMark else {
        rare.ctMark = .unknown
        break
      }
      let part = shift(mark & connmark.packetMask)
      rare.ctMark = rare.ctMark.map { $0 & ~connmark.flowMask ^ part }
    default:
      guard case .known(let mark) = rare.ctMark else {
        state.mark = .unknown
        break
      }
      let part = shift(mark & connmark.flowMask)
      state.mark = packetMark.map { $0 & ~connmark.packetMask ^ part }
    }
    return .next
  }

  private func translate(
    _ target: TranslationTarget, _ kind: TranslationPlan.Kind,
    _ packet: borrowing PacketContext, _ state: inout MachineState
  ) -> Signal {
    guard let rare = state.rare else { return .undecided }
    var translation = Translation(ports: target.ports)
    translation.isRandom = target.flags.rawValue & 0x14 != 0
    translation.isShifted = target.basePort != nil
    if let addresses = target.addresses,
      let low = IPAddress(networkOrderBytes: addresses.first),
      let high = IPAddress(networkOrderBytes: addresses.last)
    {
      guard low <= high, low.family == packet.family else {
        return obstacle("the addresses of the translation are odd", rare)
      }
      translation.addresses = low...high
    }
    return carryOut(translation, kind, packet, rare)
  }
}
