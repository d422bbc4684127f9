import ArgumentParser
import Operations

struct PrintVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "print",
    abstract: "Print a policy's rules; needs no right and no network.",
    discussion: """
      EXAMPLES
        weir print app-engine-sockets                     nft(8) text
        weir print policy.yaml | unshare -rn nft -f -     load it harmlessly
        weir print policy.yaml --format table             the decisions in order
        weir print policy.yaml --format bytecode          what the kernel runs

      Load text, not JSON: nft 1.0.6 reads the timeouts of `idle` in JSON and
      loses them.
      """)

  @OptionGroup var argument: PolicyArgument

  @Option(help: "nft, json, bytecode, or table for people.")
  var format: PrintFormat = .nft

  @Option(help: "The name of the nftables table.")
  var table = "weir"

  @OptionGroup var pins: PinOptions

  func run() {
    Console.finish {
      let policy = try argument.load()
      Console.write(
        try printRules(
          of: policy, as: format, tableName: try tableName(table), pins: try pins.parsed()))
      return .good
    }
  }
}

/// `--resolve name=address,address`: answers that are not asked for.
struct PinOptions: ParsableArguments {
  @Option(
    name: .customLong("resolve"),
    help: ArgumentHelp(
      "Use these addresses for a name instead of asking; may be repeated.",
      valueName: "name=address,…"))
  var resolve: [String] = []

  /// The pins.
  func parsed() throws -> NamePins { try NamePins(arguments: resolve) }
}
