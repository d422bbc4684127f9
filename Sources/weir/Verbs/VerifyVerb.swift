import ArgumentParser
import Foundation
import Operations

struct VerifyVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Replay a policy against its meaning, a model, and a real kernel in a sandbox.",
    discussion: """
      The rungs; all must agree, probe by probe, or for every packet at once:
        reference    the policy's own tests against a plain walk over the policy
        interpreter  the compiled bytecode in a model of the kernel
        symbolic     the compiled bytecode for every packet at once, as sets
        packet       the real kernel: raw packets of every shape, every edge
        connection   the real kernel: TCP and UDP with a simulated Internet

      Everything happens in network namespaces made for it and gone afterwards,
      as root or as an ordinary user where user namespaces are allowed. The
      machine's own network is not touched.

      EXAMPLES
        weir verify app-engine-sockets
        weir verify policy.yaml --rung reference --rung interpreter
        sudo weir verify tenant.yaml --scope cgroup
        weir verify policy.yaml --cases more.tsv --format junit > report.xml

      With --scope the policy is replayed as `weir scope` puts it in force: for a
      cgroup, a user or a link that are made for it. Sockets of the scope make the
      probes; those of others are shown to be left alone.

      A case file has lines of protocol, destination, port and verdict (allow or
      deny), separated by tabs; or, named *.yaml, `tests:` as a policy has them.
      """)

  @OptionGroup var argument: PolicyArgument

  @Option(
    help: "reference, interpreter, symbolic, packet or connection; may be repeated. Default: all.")
  var rung: [Rung] = []

  @Option(
    help: "As the policy of what: host, cgroup, user or interface. See weir scope.")
  var scope = VerifiedScope.host

  @Option(help: "Further cases from a file.", completion: .file())
  var cases: String?

  @Option(help: "text, json or junit.")
  var format: VerifyFormat = .text

  @Flag(help: "Tell who left on the packet rung, not which rule decided; faster.")
  var noTrace = false

  @Option(help: "At most so many generated probes.")
  var probes = 60_000

  @OptionGroup var pins: PinOptions

  func validate() throws {
    guard (1...200_000).contains(probes) else {
      throw ValidationError("--probes takes a number from 1 to 200000")
    }
  }

  func run() {
    Console.finish {
      let policy = try argument.load()
      var request = VerifyRequest(policy: policy)
      request.scope = scope
      if !rung.isEmpty { request.rungs = Set(rung) }
      request.pins = try pins.parsed()
      request.caseFile = cases
      request.probeCap = probes
      request.tracesPackets = !noTrace
      let progress = ProgressLine()
      let report = try verify(request) { progress.show($0) }
      progress.clear()
      switch format {
      case .text: Console.write(VerifyText.render(report))
      case .json: Console.write(try Console.json(report))
      case .junit: Console.write(VerifyJUnit.render(report))
      }
      return report.status
    }
  }
}

/// The forms of a verification report.
enum VerifyFormat: String, CaseIterable, ExpressibleByArgument {
  case text
  case json
  case junit
}
