import ArgumentParser
import Operations

struct SnapshotVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot",
    abstract: "Record the rules of a machine in a file, to be judged elsewhere.",
    discussion: """
      Holds every table of everybody, at one moment, and what else on the host
      decides what can leave. Taking one needs CAP_NET_ADMIN, reading it needs
      nothing; what may not be read is in it as unknown. Exit code 2 when the
      rules keep changing.

      EXAMPLES
        sudo weir snapshot --output host.weir
        sudo weir snapshot --netns jail > jail.weir
      """)

  @Option(
    help: ArgumentHelp(
      "Another network namespace: a name, a process id or a path.", valueName: "place"))
  var netns: String?

  @Option(
    help: ArgumentHelp(
      "Where to write, readable by you alone; standard output otherwise.", valueName: "file"),
    completion: .file())
  var output: String?

  @Flag(help: "Leave out what is no rule: links, routes, sockets, processes.")
  var rulesOnly = false

  func run() {
    Console.finish {
      try checkSnapshotOutput(output)
      try writeSnapshot(try takeSnapshot(of: netns, includesHost: !rulesOnly), to: output)
      return .good
    }
  }
}
