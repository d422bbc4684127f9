import ArgumentParser
import Operations

struct RemoveVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove weir's table; packets are then no longer judged by it.",
    discussion: """
      EXAMPLES
        sudo weir remove --netns jail
      """)

  @OptionGroup var target: TargetOptions

  func run() {
    Console.finish {
      let place = try target.parsed()
      let wasThere = try remove(place)
      Console.write(
        wasThere
          ? "table inet \(place.table) removed\n" : "there was no table inet \(place.table)\n")
      return .good
    }
  }
}
