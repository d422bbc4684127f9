import ArgumentParser
import Foundation
import Operations

struct InstallVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Have a policy in force at every boot, before the network is up.",
    discussion: """
      Writes the compiled rules as nft text, rules that let nothing leave for
      when those cannot be loaded, and a systemd unit that loads them before
      network-pre.target. The text is loaded into a namespace made for it and
      compared with what was compiled before any file takes its place.

      The rules in force now are left alone: weir apply puts them in force. The
      unit does nothing where weir's table is there already, and stopping it
      keeps the rules. Run it again whenever the policy or the addresses of its
      names have changed.

      With --guard a unit for weir guard is written too, which reads the policy
      from that place; with --scopes one for weir scope watch, which reads a site
      file and binds scopes as they come. The manual page is installed, and completions for the
      shells whose folders are there (bash, zsh, fish).

      EXAMPLES
        sudo weir install policy.yaml
        sudo weir install policy.yaml --guard /etc/weir/policy.yaml
        sudo weir install base.yaml --scopes /etc/weir/site.yaml
        weir install policy.yaml --root image/ --dry-run
        sudo weir install app-engine-sockets --resolve smtp.gmail.com=142.250.1.108
      """)

  @OptionGroup var argument: PolicyArgument
  @OptionGroup var pins: PinOptions

  @Option(
    help: ArgumentHelp(
      "Ask this DNS server instead of the system's; may be repeated.",
      valueName: "address[:port]"))
  var resolver: [String] = []

  @Option(help: "The name of the nftables table.")
  var table = "weir"

  @Option(help: ArgumentHelp("A folder that stands for /, as of an image.", valueName: "folder"))
  var root: String?

  @Option(
    help: ArgumentHelp(
      "Write a unit for weir guard too, which reads the policy from this path.",
      valueName: "policy"))
  var `guard`: String?

  @Option(
    help: ArgumentHelp(
      "Write a unit for weir scope watch too, which reads the site file from this path.",
      valueName: "site"))
  var scopes: String?

  @Flag(help: "Say what would be written, and write nothing.")
  var dryRun = false

  @Flag(help: "Go on although a name has no usable address; its exception stays shut.")
  var allowUnresolved = false

  @Option(help: "text or json.")
  var format: ReportFormat = .text

  func run() {
    Console.finish {
      var request = ApplyRequest(policy: try argument.load())
      request.target.table = try tableName(table)
      request.pins = try pins.parsed()
      request.servers = resolver
      request.allowsUnresolved = allowUnresolved
      request.isDryRun = dryRun
      let report = try install(request, try extras(), root: root)
      for warning in report.warnings { Console.complain("weir: warning: \(warning)") }
      switch format {
      case .text: Console.write(render(report))
      case .json: Console.write(try Console.json(report))
      }
      return .good
    }
  }

  private func extras() throws -> InstallExtras {
    var extras = InstallExtras()
    if root == nil,
      let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    {
      extras.program = place
    }
    extras.guardedPolicy = try installedPath(self.guard, "--guard takes the policy's")
    extras.watchedSite = try installedPath(scopes, "--scopes takes the site file's")
    extras.essentials = argument.essential
    extras.completions = [
      .bash: Weir.completionScript(for: .bash), .zsh: Weir.completionScript(for: .zsh),
      .fish: Weir.completionScript(for: .fish),
    ]
    return extras
  }

  /// A path of the installed system, as a unit can have it.
  private func installedPath(_ place: String?, _ what: String) throws -> String? {
    guard let place else { return nil }
    guard place.hasPrefix("/"), !place.contains(where: \.isWhitespace) else {
      throw OperationFailure(
        .usage, "\(what) whole path on the installed system, without spaces")
    }
    return place
  }

  private func render(_ report: InstallReport) -> String {
    let digest = report.digest.prefix(16)
    var lines = [
      report.isDryRun
        ? "policy \(report.policy) \(digest) would be in force as table \(report.table) from the next boot"
        : "policy \(report.policy) \(digest) is in force as table \(report.table) from the next boot; its text was loaded and read back equal"
    ]
    lines += report.files.map { "  \($0)" }
    for name in report.names { lines += name.lines }
    return lines.joined(separator: "\n") + "\n"
  }
}

struct UninstallVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "uninstall",
    abstract: "Remove what install wrote; the rules in force stay.",
    discussion: """
      A file of that name which weir did not write is left alone, and nothing is
      done. weir remove opens what is in force.

      EXAMPLES
        sudo weir uninstall
        weir uninstall --root image/
      """)

  @Option(help: "The name of the nftables table.")
  var table = "weir"

  @Option(help: ArgumentHelp("A folder that stands for /, as of an image.", valueName: "folder"))
  var root: String?

  func run() {
    Console.finish {
      let removed = try uninstall(table: try tableName(table), root: root)
      Console.write(
        removed.isEmpty
          ? "nothing was installed\n" : removed.map { "removed \($0)\n" }.joined())
      return .good
    }
  }
}
