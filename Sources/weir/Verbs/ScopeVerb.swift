import ArgumentParser
import Operations

struct ScopeVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scope",
    abstract: "Give cgroups, users and links policies of their own.",
    discussion: """
      A policy that `weir apply` installs is for a whole network namespace. Here
      each tenant of one gets its own: sockets made in a cgroup, sockets made by a
      user, packets forwarded from and to a link. A packet must be let through by
      every scope that it is in, and by the namespace's own policy where there is
      one; what is in no scope is not touched.

      The cost of a packet does not depend on the number of scopes, and changing
      one does not touch the others.

      EXAMPLES
        sudo weir scope add --cgroup tenants.slice/a app-engine-sockets
        sudo weir scope add --interface tap0 vm.yaml
        sudo weir scope apply site.yaml
        sudo weir scope list
        sudo weir scope remove --cgroup tenants.slice/a
        sudo weir scope watch site.yaml
      """,
    subcommands: [Add.self, Apply.self, List.self, Remove.self, Watch.self])

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "add",
      abstract: "Put a policy in force for one scope.",
      discussion: """
        A scope that has a policy gets the new one, in one step. A cgroup that does
        not exist yet is an error: make it first, then bind it, then start what is
        to live in it. Sockets keep the cgroup that they were made in. Open flows
        that the policy denies are ended.

        EXAMPLES
          sudo weir scope add --cgroup tenants.slice/a app-engine-sockets
          sudo weir scope add --user ci ci.yaml
        """)

    @OptionGroup var scope: ScopeOptions
    @OptionGroup var argument: PolicyArgument
    @OptionGroup var request: RequestOptions
    @OptionGroup var flows: OpenFlowOptions
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        let options = try self.request.parsed(argument)
        guard let one = scope.all.first, scope.all.count == 1 else {
          throw OperationFailure(.usage, "give one of --cgroup, --user and --interface")
        }
        var request = ScopeRequest(one, policy: options.policy)
        request.target = options.target
        request.pins = options.pins
        request.servers = options.servers
        flows.put(into: &request)
        return try ScopeVerb.show(try bind(request), format)
      }
    }
  }

  struct Apply: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "apply",
      abstract: "Make the scopes those of a site file.",
      discussion: """
        Scopes that the file does not have are taken out. Policies are looked for
        beside the file. If one scope does not exist or one policy is wrong,
        nothing is changed.

          site: build-farm
          scopes:
            - {cgroup: tenants.slice/a, policy: a.yaml}
            - {user: ci, policy: ci.yaml}
            - {interface: tap0, policy: app-engine-sockets}

        EXAMPLES
          sudo weir scope apply site.yaml
        """)

    @OptionGroup var site: SiteOptions
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        let request = try site.parsed()
        for warning in request.warnings { Console.complain(warning) }
        return try ScopeVerb.show(try bind(request), format)
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list",
      abstract: "List the scopes and their policies.",
      discussion: """
        Exit code 1 when a scope is gone, when a cgroup was made anew and so is in
        no scope, or when somebody changed what leads packets to their policies.

        EXAMPLES
          sudo weir scope list --format json
        """)

    @OptionGroup var target: TargetOptions
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish { try ScopeVerb.show(try scopes(of: target.parsed()), format) }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "remove",
      abstract: "Take scopes out.",
      discussion: """
        EXAMPLES
          sudo weir scope remove --user ci
          sudo weir scope remove --all
        """)

    @OptionGroup var scope: ScopeOptions
    @Flag(help: "Every scope.")
    var all = false
    @OptionGroup var target: TargetOptions
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        guard all != !scope.all.isEmpty else {
          throw OperationFailure(.usage, "give --cgroup, --user or --interface, or --all alone")
        }
        let report = try unbind(all ? nil : scope.all, in: target.parsed())
        _ = try ScopeVerb.show(report, format)
        return .good
      }
    }
  }

  struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "watch",
      abstract: "Keep the scopes of a site file bound while they come and go.",
      discussion: """
        Runs in the foreground until SIGTERM or SIGINT, with or without systemd. Binds
        what is there at the start. A cgroup that comes, or is made anew, is bound as
        soon as the kernel tells of it; users and links are looked for every two seconds;
        what went is taken out. Until it is bound, what runs in a cgroup is in no scope:
        bind the cgroup above it to a policy too. Names are renewed before their answers
        end. Changes of others in the table are told, and undone with --restore. SIGHUP
        reads the site again.

        EXAMPLES
          sudo weir scope watch site.yaml
          sudo weir scope watch site.yaml --restore --format json
        """)

    @OptionGroup var site: SiteOptions
    @OptionGroup var grace: GraceOption
    @Flag(help: "Make the table again when somebody changed it.")
    var restore = false
    @Option(help: "text or json, one line an event.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        let site = site
        let graceSeconds = try grace.parsed()
        var request = ScopeWatchRequest {
          var request = try site.parsed()
          request.graceSeconds = graceSeconds
          return request
        }
        request.restores = restore
        try watchScopes(request) { $0.write(format) }
        return .good
      }
    }
  }

  fileprivate static func show(
    _ report: ScopeReport, _ format: ReportFormat
  ) throws -> ExitStatus {
    switch format {
    case .text: Console.write(report.text)
    case .json: Console.write(try Console.json(report))
    }
    return report.status
  }
}

/// A site file, where it is for, and how names are resolved.
struct SiteOptions: ParsableArguments {
  @Argument(help: "The site file.")
  var site: String
  @OptionGroup var target: TargetOptions
  @OptionGroup var pins: PinOptions
  @OptionGroup var flows: OpenFlowOptions
  @Option(
    help: ArgumentHelp(
      "Ask this DNS server instead of the system's; may be repeated.",
      valueName: "address[:port]"))
  var resolver: [String] = []

  /// The site, read.
  func parsed() throws -> ScopeRequest {
    var request = try ScopeRequest(site: site)
    request.target = try target.parsed()
    request.pins = try pins.parsed()
    request.servers = resolver
    flows.put(into: &request)
    return request
  }
}

/// What becomes of flows that are open when scopes are bound.
struct OpenFlowOptions: ParsableArguments {
  @Flag(help: "Let open flows that the policy denies go on until they end.")
  var keepExisting = false
  @Flag(help: "Act although your own connection would be cut.")
  var force = false

  func put(into request: inout ScopeRequest) {
    request.keepsExisting = keepExisting
    request.isForced = force
  }
}

/// Scopes on the command line.
struct ScopeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("A cgroup, by its path under the hierarchy's root.", valueName: "path"))
  var cgroup: [String] = []
  @Option(help: ArgumentHelp("A user.", valueName: "name|uid"))
  var user: [String] = []
  @Option(help: ArgumentHelp("A link that packets are forwarded from and to.", valueName: "name"))
  var interface: [String] = []

  var all: [Scope] {
    cgroup.map(Scope.cgroup) + user.map(Scope.user) + interface.map(Scope.interface)
  }
}

extension ScopeReport {
  /// So many scopes are listed for people; JSON has all.
  private static let rowLimit = 40

  fileprivate var text: String {
    var lines = [
      isComplete
        ? "table \(table): \(scopes.count) scope\(scopes.count == 1 ? "" : "s")" : "table \(table):"
    ]
    let unbound = scopes.filter { $0.state != .bound }
    let bound = scopes.filter { $0.state == .bound }
    lines += (unbound + bound.prefix(Self.rowLimit)).map(\.text)
    if bound.count > Self.rowLimit {
      lines.append(
        "  and \(bound.count - Self.rowLimit) more that are bound; --format json lists all")
    }
    lines += differences.map { "  changed by somebody: \($0)" }
    lines += flows?.lines ?? []
    for name in names { lines += name.lines }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension ScopeReport.Row {
  fileprivate var text: String {
    let note =
      switch state {
      case .bound: ""
      case .gone: ", GONE: it exists no more"
      case .remade: ", MADE ANEW: its packets are in no scope; bind it again"
      case .unknown: ", not looked for: its name is too long to be kept whole"
      case .removed: ", taken out"
      }
    return "  \(kind) \(name): \(policy)\(note)"
  }
}
