/// What an installation writes beside the rules.
public struct InstallExtras: Sendable {
  /// A shell that completes words.
  public enum Shell: String, Sendable, CaseIterable {
    /// GNU bash.
    case bash
    /// Z shell.
    case zsh
    /// fish.
    case fish
  }

  /// Where weir itself is on the installed system.
  public var program = "/usr/local/bin/weir"
  /// The policy file that the guard is to read there; nil for no guard.
  public var guardedPolicy: String?
  /// The site file whose scopes are to be kept bound there; nil for none.
  public var watchedSite: String?
  /// Essentials of the command line, which the guard must know too.
  public var essentials: [String] = []
  /// What each shell completes words with.
  public var completions: [Shell: String] = [:]

  /// The manual page, and nothing else.
  public init() {}
}

extension InstallExtras {
  /// The services that are asked for, with the file that each reads.
  var services: [(service: BootService, file: String)] {
    [(.guard, guardedPolicy), (.scopes, watchedSite)].compactMap { service, file in
      file.map { (service, $0) }
    }
  }
}

extension InstallExtras.Shell {
  /// A script as it is installed: with the mark in its first or second line.
  func marked(_ script: String) -> String {
    // zsh looks at the first line to see what a file is for.
    self == .zsh ? BootFiles.marked(script, by: "#") : "\(BootFiles.mark)\n\(script)"
  }
}
