import ArgumentParser
import Operations

struct AuditVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract:
      "Prove, or refute with a packet, that a host holds a policy, whoever wrote its rules.",
    discussion: """
      Reads every table that the kernel runs, at one generation, and decides for
      all packets at once. Each claim holds, fails with a packet, or is unknown
      with the expression that is not modelled. Nothing is changed or sent.

      Reading a host needs CAP_NET_ADMIN; auditing a snapshot needs nothing.
      With --confirm every packet found is replayed in a namespace made for it
      that has the snapshot's own rules.

      With a scope only its packets are judged, whoever's rules they meet: those of
      sockets made in a cgroup or by a user, or those from and to a link.

      EXAMPLES
        sudo weir audit app-engine-sockets
        sudo weir audit a.yaml --cgroup tenants.slice/a
        sudo weir audit policy.yaml --netns jail --confirm
        weir audit policy.yaml --snapshot host.weir --format sarif

      EXIT CODES
        0 every claim holds   1 a claim fails   2 cannot decide
      """)

  @OptionGroup var argument: PolicyArgument

  @Option(
    help: ArgumentHelp("Judge this snapshot instead of the running kernel.", valueName: "file"),
    completion: .file())
  var snapshot: String?

  @OptionGroup var scope: ScopeOptions
  @OptionGroup var target: TargetOptions
  @OptionGroup var pins: PinOptions

  @Flag(help: "Replay the packets that were found in a throw-away namespace.")
  var confirm = false

  @Option(help: "text, json, sarif or certificate.")
  var format: AuditFormat = .text

  @Option(help: "Give up on a claim beyond so many intervals of decision diagrams.")
  var intervals = 64_000_000

  func validate() throws {
    guard snapshot == nil || target.netns == nil else {
      throw ValidationError("--snapshot and --netns exclude each other")
    }
    guard scope.all.count <= 1 else {
      throw ValidationError("one of --cgroup, --user and --interface at a time")
    }
    guard scope.all.isEmpty || !confirm else {
      throw ValidationError("a replay knows no scopes: leave out --confirm")
    }
    guard (1000...200_000_000).contains(intervals) else {
      throw ValidationError("--intervals takes a number from 1000 to 200000000")
    }
  }

  func run() {
    Console.finish {
      var request = AuditRequest(policy: try argument.load(), target: try target.parsed())
      request.snapshotFile = snapshot
      request.scope = scope.all.first
      request.pins = try pins.parsed()
      request.confirms = confirm
      request.intervalBudget = intervals
      let progress = ProgressLine()
      let report = try audit(request) { progress.show($0) }
      progress.clear()
      switch format {
      case .text: Console.write(AuditText.render(report))
      case .json: Console.write(try Console.json(report))
      case .sarif: Console.write(try Console.json(AuditSARIF(report, toolVersion: Weir.version)))
      case .certificate: Console.write(try Console.json(AuditCertificate(report)))
      }
      return report.status
    }
  }
}

/// The forms of an audit report.
enum AuditFormat: String, CaseIterable, ExpressibleByArgument {
  case text
  case json
  case sarif
  case certificate
}
