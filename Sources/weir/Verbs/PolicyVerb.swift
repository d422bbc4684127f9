import ArgumentParser
import Operations

struct PolicyVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Look at policies: list, check, show.",
    subcommands: [List.self, Check.self, Show.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list",
      abstract: "List the policies that weir carries.")

    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        let policies = builtInPolicies()
        switch format {
        case .text: Console.write(policies.map { "\($0.name)  \($0.about)\n" }.joined())
        case .json: Console.write(try Console.json(policies))
        }
        return .good
      }
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
      abstract: "Read a policy and report everything that is wrong with it.",
      discussion: """
        EXAMPLES
          weir policy check policy.yaml
        """)

    @OptionGroup var argument: PolicyArgument

    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        let check = checkPolicy(argument.policy)
        switch format {
        case .text: Console.write(check.text)
        case .json: Console.write(try Console.json(check))
        }
        return check.status
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Show the effective policy with the origin of each value.",
      discussion: """
        Defaults are filled in, groups and included files are resolved.

        EXAMPLES
          weir policy show app-engine-sockets
          weir policy show policy.yaml --format json
        """)

    @OptionGroup var argument: PolicyArgument

    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        let loaded = try argument.load()
        switch format {
        case .text: Console.write(effectiveText(of: loaded))
        case .json: Console.write(try Console.json(effectiveValues(of: loaded)))
        }
        return .good
      }
    }
  }
}
