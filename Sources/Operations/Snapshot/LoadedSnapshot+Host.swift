import BytecodeInterpreter
import HostFacts
import NetworkTypes
import SymbolicAnalysis

/// What analyses may know of the machine that a snapshot was taken on.
extension LoadedSnapshot {
  /// The host facts; all unknown when the snapshot has none.
  var hostState: HostState { host?.state ?? HostState(unknown: "not in the snapshot") }

  /// The kernel's quirks as the analysis knows them, and a remark where they are a guess.
  var quirks: (analysis: KernelQuirks, interpreter: KernelBehaviour, remark: String?) {
    let release = kernelRelease
    let parts = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    guard parts.count == 2 else {
      return (.linux6_18, .linux6_18, "kernel \(release) is taken to behave as 6.18 does")
    }
    switch (parts[0], parts[1]) {
    case (6, 12): return (.linux6_18, .linux6_12, nil)
    case (6, 18): return (.linux6_18, .linux6_18, nil)
    case (7, 3): return (.linux7_3, .linux7_3, nil)
    case (7, 4...), (8..., _):
      return (.linux7_3, .linux7_3, "kernel \(release) is taken to behave as 7.3 does")
    default:
      return (.linux6_18, .linux6_18, "kernel \(release) is taken to behave as 6.18 does")
    }
  }

  /// What the symbolic analysis may know of the host.
  var analysisFacts: AnalysisFacts {
    var facts = hostState.analysisFacts
    facts.kernel = quirks.analysis
    return facts
  }
}

extension HostState {
  /// What the symbolic analysis may know of the host, on Linux 6.18.
  var analysisFacts: AnalysisFacts {
    var facts = AnalysisFacts()
    facts.links = links.value?.map {
      Link(index: UInt32(bitPattern: $0.index), name: $0.name)
    }
    // With VRFs the kernel asks a table of the link's; then what is local depends on the link.
    let hasVRF = links.value?.contains { $0.kind == "vrf" } ?? true
    if !hasVRF, let routes = routes.value {
      facts.localAddresses = routes.addresses(ofKind: 2)
      facts.broadcastAddresses = routes.addresses(ofKind: 3).v4
    }
    return facts
  }
}

extension [HostRoute] {
  /// The addresses that routes of the local table call so.
  fileprivate func addresses(ofKind kind: UInt8) -> AddressSet {
    var v4: [Interval<UInt32>] = []
    var v6: [Interval<UInt128>] = []
    for route in self where route.kind == kind && route.table == 255 {
      switch route.destination {
      case .v4(let bits):
        let rest = route.prefixLength >= 32 ? 0 : UInt32.max >> UInt32(route.prefixLength)
        v4.append(Interval(bits, bits | rest))
      case .v6(let bits):
        let rest = route.prefixLength >= 128 ? 0 : UInt128.max >> UInt128(route.prefixLength)
        v6.append(Interval(bits, bits | rest))
      }
    }
    return AddressSet(v4: IntervalSet(v4), v6: IntervalSet(v6))
  }
}
