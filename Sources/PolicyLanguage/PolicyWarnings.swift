import NetworkTypes

/// Finds what a valid policy probably does not mean.
struct PolicyWarnings {
  let policy: Policy
  let log: DiagnosticLog

  func report() {
  }
}
