public import Bytecode
public import HostFacts

extension HostState {
  /// Looks for every known way past packet rules, one finding for each, in the order of ``Bypass``.
  ///
  /// - Parameters:
  ///   - rules: every table of the namespace; nil when nobody read them.
  ///   - sealedLinks: the links by which rules let packet sockets send nothing, or nothing but DHCP
  ///     questions (true).
  ///   - acceptsMidStream: whether the rules let a TCP segment of no known connection open one that
  ///     is not a plain SYN; nil when nobody decided that.
  /// - Returns: a finding for each row, also for what is absent.
  ///
  /// O(facts + expressions of the rules).
  public func bypasses(
    rules: Ruleset?, sealedLinks: [String: Bool] = [:], acceptsMidStream: Bool?
  ) -> [BypassFinding] {
    let survey = BypassSurvey(
      state: self, rules: rules, sealedLinks: sealedLinks, acceptsMidStream: acceptsMidStream)
    return Bypass.allCases.map { survey.finding($0) }
  }
}
