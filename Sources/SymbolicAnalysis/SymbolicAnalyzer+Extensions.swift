import Bytecode
import PacketSets

/// Matches and targets of xtables.
extension SymbolicAnalyzer {
  mutating func step(
    _ match: ExtensionMatch, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    switch match.name {
    case "comment": next.append(path)
    default: next.append(doubtOrHotdrop(path, "the match \(match.name)"))
    }
  }

  /// A match that is not modelled may hold or not, and some drop the packet at once.
  private func doubtOrHotdrop(_ path: RulePath, _ reason: String) -> RulePath {
    var path = doubt(path, [cause(reason)])
    path.pending.drops = true
    return path
  }

  mutating func step(
    _ target: ExtensionTarget, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    switch target.name {
    case "REJECT": end(path, Outcome(drops: true), &run)
    case "LOG", "NFLOG", "TRACE", "AUDIT", "CHECKSUM", "CLASSIFY", "TCPMSS", "TEE":
      next.append(path)
    case "DSCP":
      var path = path
      assign([.trafficClass: .any(.trafficClass)], [cause("the target DSCP")], &path)
      next.append(path)
    default: end(path, anything(path, "the target \(target.name)"), &run)
    }
  }
}
