import ArgumentParser

/// The command line: one file a verb under `Verbs/`, each a thin shell around Operations.
@main
struct Weir: ParsableCommand {
  /// The release of weir.
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "weir",
    abstract: "Say what may leave this machine; know that nothing else does.",
    discussion: """
      EXAMPLES
        weir print app-engine-sockets        see the built-in policy's rules
        weir explain app-engine-sockets udp 8.8.8.8:53
        weir verify app-engine-sockets       replay it on a real kernel, sandboxed
        sudo weir apply policy.yaml --netns jail
                                             install it in a namespace
        sudo weir apply policy.yaml --confirm 60s
                                             try it here; undone unless confirmed

      EXIT CODES
        0 good   1 a finding   2 cannot decide   64 usage   65 bad policy
        66 not found   69 the kernel lacks a feature   70 a defect of weir
        77 not permitted
      """,
    version: "weir \(version)",
    subcommands: [
      PolicyVerb.self, PrintVerb.self, ExplainVerb.self, VerifyVerb.self, ApplyVerb.self,
      ConfirmVerb.self, RefreshVerb.self, ReapVerb.self, StatusVerb.self, RemoveVerb.self,
      InstallVerb.self, UninstallVerb.self, GuardVerb.self, FeedsVerb.self, ScopeVerb.self,
      MeterVerb.self, QuotaVerb.self, SealVerb.self,
      SnapshotVerb.self, AuditVerb.self, DiffVerb.self,
    ])
}
