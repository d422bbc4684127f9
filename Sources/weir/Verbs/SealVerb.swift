import ArgumentParser
import Operations

struct SealVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "seal",
    abstract: "Let packet sockets send nothing by a link.",
    discussion: """
      A packet socket writes whole frames past every ip, ip6 and inet rule. On a
      sealed link such frames are dropped and counted; what the IP stack sends or
      forwards, what a bridge forwards and what the kernel sends by itself pass.
      A table of its own at the links' netdev egress hook.

      Seal every link that packet sockets may use: bridges, tunnels and other
      virtual links too. Cut as well, because they are packet sockets: DHCP
      clients (see --allow-dhcp), LLDP, 802.1X, PPPoE discovery, arping, and the
      guests of macvtap links. Not cut: AF_XDP sockets, and packet sockets of
      another namespace by a macvlan link of this one's.

      EXAMPLES
        sudo weir seal add eth0 --dry-run
        sudo weir seal add eth0 br0 --allow-dhcp
        sudo weir seal list
        sudo weir seal remove --all
      """,
    subcommands: [Add.self, List.self, Remove.self])

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Seal links.",
      discussion: """
        A link that is not there is an error, and nothing is changed. One that is
        sealed already stays so meanwhile.

        EXAMPLES
          sudo weir seal add eth0
          sudo weir seal add wlan0 --allow-dhcp --netns jail
        """)

    @Argument(help: ArgumentHelp("The links' names.", valueName: "link"))
    var links: [String]
    @Flag(help: "Let DHCP clients of user 0 ask everybody on the link.")
    var allowDhcp = false
    @Flag(help: "Print the table as nft(8) text, and change nothing.")
    var dryRun = false
    @OptionGroup var target: TargetOptions
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        let target = try target.parsed()
        if dryRun {
          Console.write(try sealText(links, allowsDHCP: allowDhcp, in: target))
          return .good
        }
        let report = try seal(links, allowsDHCP: allowDhcp, in: target)
        _ = try SealVerb.show(report, format)
        return .good
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the sealed links and what was dropped there.",
      discussion: """
        Exit code 1 when a sealed link is not there, or when somebody changed the
        table.

        EXAMPLES
          sudo weir seal list --format json
        """)

    @OptionGroup var target: TargetOptions
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish { try SealVerb.show(try seals(of: target.parsed()), format) }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take seals away; what was counted is gone.",
      discussion: """
        EXAMPLES
          sudo weir seal remove eth0
          sudo weir seal remove --all
        """)

    @Argument(help: ArgumentHelp("The links' names.", valueName: "link"))
    var links: [String] = []
    @Flag(help: "Every seal.")
    var all = false
    @OptionGroup var target: TargetOptions
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        guard all == links.isEmpty else {
          throw OperationFailure(.usage, "give links, or --all alone")
        }
        let report = try unseal(all ? nil : links, in: target.parsed())
        _ = try SealVerb.show(report, format)
        return .good
      }
    }
  }

  fileprivate static func show(
    _ report: SealReport, _ format: ReportFormat
  ) throws -> ExitStatus {
    switch format {
    case .text: Console.write(report.text)
    case .json: Console.write(try Console.json(report))
    }
    return report.status
  }
}

extension SealReport {
  fileprivate var text: String {
    let count = links.count == 1 ? "1 sealed link" : "\(links.count) sealed links"
    var lines = ["table \(table): \(count)"]
    lines += links.map { row in
      let dhcp = row.allowsDHCP ? ", DHCP let out: \(row.dhcpFrames) frames" : ""
      let gone = row.isHere ? "" : ", GONE: there is no such link"
      return
        "  \(row.link): dropped \(row.droppedFrames) frames, \(row.droppedBytes) bytes\(dhcp)\(gone)"
    }
    if !links.isEmpty, !openLinks.isEmpty {
      lines.append("  not sealed: \(openLinks.joined(separator: ", "))")
    }
    lines += differences.map { "  changed by somebody: \($0)" }
    return lines.joined(separator: "\n") + "\n"
  }
}
